/** Which tokens a PKCS#11 URI means, and the URI that means one token. */
import type { ModuleDescription, SlotDescription, TokenDescription } from '../shared/token-description.ts';
import { formatPkcs11Uri, type Pkcs11Uri } from './uri.ts';

/** True where each attribute of the URI that speaks of modules, slots and tokens agrees (RFC 7512 §2.3). */
export function matchesToken(uri: Pkcs11Uri, module: ModuleDescription, slot: SlotDescription): boolean {
  const { token } = slot;
  if (token === undefined || uri.unknown.length > 0) return false;
  const pairs: readonly (readonly [wanted: string | number | undefined, found: string | number])[] = [
    [uri.token, token.label],
    [uri.manufacturer, token.manufacturer],
    [uri.serial, token.serial],
    [uri.model, token.model],
    [uri.libraryManufacturer, module.manufacturer],
    [uri.libraryDescription, module.description],
    [uri.libraryVersion, module.libraryVersion],
    [uri.slotManufacturer, slot.manufacturer],
    [uri.slotDescription, slot.description],
    [uri.slotId, slot.slotId],
  ];
  return pairs.every(([wanted, found]) => wanted === undefined || wanted === found);
}

/** The shortest URI that means this token among others of its module: label and serial, never the slot's number. */
export function uriOfToken(token: TokenDescription, modulePath: string): string {
  return formatPkcs11Uri({
    token: token.label,
    ...(token.serial === '' ? {} : { serial: token.serial }),
    unknown: [],
    ignored: [],
    modulePath,
  });
}

/**
 * True where two URIs name one token of one module as far as they can tell: a label or a serial in common, and no
 * contradiction.
 */
export function nameOneToken(a: Pkcs11Uri, b: Pkcs11Uri): boolean {
  if (a.modulePath !== b.modulePath || a.moduleName !== b.moduleName) return false;
  const pairs = [
    [a.token, b.token],
    [a.serial, b.serial],
  ] as const;
  return (
    pairs.every(([one, other]) => one === undefined || other === undefined || one === other) &&
    pairs.some(([one, other]) => one !== undefined && one === other)
  );
}
