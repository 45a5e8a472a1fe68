import { armor, type ArmorLabel } from '../../formats/armor.ts';

/** An armored file as text. */
export function armoredText(label: ArmorLabel, bytes: Uint8Array): string {
  return new TextDecoder().decode(armor(label, bytes));
}
