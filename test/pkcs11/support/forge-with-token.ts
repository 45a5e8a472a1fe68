/** What a thief signs with the key of a token, whose PIN he has. */
import { openSite } from '../../../signer/site/site.ts';
import { signedWith } from '../../support/dishonest-licenses.ts';
import { open, type TestToken } from './test-token.ts';

/** Above every counter that the vendor can issue meanwhile: only the status of the key stops it. */
const FAR = { ctr: Number.MAX_SAFE_INTEGER, cti: '0193817a-6c00-7000-8000-00000000beef', seats: 'unlimited' } as const;

/** A license for the customer of the original one, by the key of the site that has this name. */
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
    const forged = await signedWith(key, original, FAR);
    await key.close();
    return forged;
  } finally {
    await token.close();
  }
}
