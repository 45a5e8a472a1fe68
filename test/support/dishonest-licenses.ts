/** Licenses that nobody honest signed or delivers, to be offered to products in the field. */
import { armor, dearmor } from '../../formats/armor.ts';
import { utf8 } from '../../formats/bytes.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import type { License } from '../../formats/license/license.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { testKey } from '../../conformance/examples/keysets.ts';
import type { ProductsInTheField } from './products-in-the-field.ts';

/** A license as somebody signs it who has this key. */
export async function signedWith(
  key: { readonly publicKey: PublicKey; sign(message: Uint8Array): Promise<Uint8Array> | Uint8Array },
  original: string,
  changes: Partial<License>,
): Promise<string> {
  const { payload } = decodeCoseSign1(dearmor('VTLIC', utf8(original)), TYP.license);
  const forged = encodeLicense({ ...decodeLicense(payload), ...changes });
  const { alg, kid } = key.publicKey;
  const protectedBytes = encodeProtected(alg, kid, TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, forged));
  return Buffer.from(armor('VTLIC', encodeCoseSign1(protectedBytes, forged, signature))).toString('utf8');
}

/**
 * Offers what nobody may take on any day: of a stranger, altered, and older than what is in force.
 *
 * @returns how many were offered, and who took one
 */
export async function offerDishonest(
  field: ProductsInTheField,
): Promise<{ readonly offered: number; readonly takers: readonly string[] }> {
  let offered = 0;
  const takers: string[] = [];
  for (const { text, license } of field.licenses) {
    const stranger = await signedWith(testKey('a stranger'), text, { ctr: license.ctr + 1, seats: 'unlimited' });
    const { protectedBytes, payload, signature } = decodeCoseSign1(dearmor('VTLIC', utf8(text)), TYP.license);
    const more = encodeLicense({ ...decodeLicense(payload), seats: 'unlimited' });
    const altered = Buffer.from(armor('VTLIC', encodeCoseSign1(protectedBytes, more, signature))).toString('utf8');
    for (const [name, dishonest] of Object.entries({ stranger, altered })) {
      offered++;
      for (const { release } of await field.takers(dishonest)) takers.push(`${release.name} takes: ${name}`);
    }
  }
  for (const { text, license } of field.replaced) {
    offered++;
    for (const install of await field.takers(text))
      if (install.isAbove(license)) takers.push(`${install.release.name} takes: older`);
  }
  return { offered, takers };
}
