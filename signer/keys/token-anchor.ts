/** The anchor of a ledger in a token: a private data object, which does not roll back with any disk. */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Token } from '../../keys/private/pkcs11/token.ts';
import type { AnchorRecord, AnchorStore } from '../ledger/anchor.ts';
import { decodeAnchorRecord, encodeAnchorRecord } from '../ledger/anchor-record.ts';

/**
 * @param token logged in; the caller closes it
 * @param label of the data object, as the ledger names it
 */
export function tokenAnchor(token: Token, label: string): AnchorStore {
  const description = `the anchor ${label} in ${token.connection.name}`;
  return Object.freeze({
    description,
    read: async () => {
      const found = await token.readData(label);
      const records = found.map(({ bytes }) => decodeAnchorRecord(bytes)).filter((record) => record !== undefined);
      // Half an object beside a whole one is what an interrupted change leaves.
      if (found.length > 0 && records.length === 0) {
        throw new VtlicError('ledger_corrupt', `${description} is damaged: it is not a whole anchor record`, { hint: 'nothing is signed until ledger and anchor agree; see: vtlic help ledger restore' });
      }
      return Object.freeze(records);
    },
    write: (record: AnchorRecord) => replace(token, label, encodeAnchorRecord(record), description),
  });
}

/** Some tokens cannot change a data object: the new one is made and read back, then the others go. */
async function replace(token: Token, label: string, bytes: Uint8Array, description: string): Promise<void> {
  const old = await token.readData(label);
  const made = await token.createData(label, bytes);
  if (!equalBytes(made.bytes, bytes)) {
    await token.destroyData(made);
    throw new VtlicError('ledger_unwritable', `${description} was not written: it reads back differently from what was written; what is recorded but not released stays in the ledger`, { hint: 'check the token: vtlic hsm doctor' });
  }
  for (const object of old) if (!equalBytes(object.bytes, bytes)) await token.destroyData(object);
}
