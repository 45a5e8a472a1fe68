/** What a thief signs with the key of a token, whose PIN he has. */
import { dearmor } from '../../../formats/armor.ts';
import { utf8 } from '../../../formats/bytes.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { openSite } from '../../../signer/site/site.ts';
import { signedWith } from '../../support/dishonest-licenses.ts';
import { open, type TestToken } from './test-token.ts';

/**
 * The license that follows the original one, for any number of seats.
 *
 * @param of a key of this site, by its name
 */
export async function forgedWith(
  made: TestToken,
  label: string,
  { site, name }: { readonly site: string; readonly name: string },
  original: string,
): Promise<string> {
  const record = openSite(site).config.keys.find((key) => key.name === name);
  if (record?.object === undefined) throw new Error(`no key ${name} in a token`);
  const token = await open(made, label);
  try {
    const id = Buffer.from(record.object.id, 'hex');
    const key = await token.openKey({ label: name, id, publicKey: record.publicKey, purpose: 'license' });
    const { ctr } = decodeLicense(decodeCoseSign1(dearmor('VTLIC', utf8(original)), TYP.license).payload);
    const forged = await signedWith(key, original, { ctr: ctr + 1, seats: 'unlimited' });
    await key.close();
    return forged;
  } finally {
    await token.close();
  }
}
