/**
 * A key belongs to one ledger: beside its file lies a claim, kid → ledger id.
 *
 * Without it, deleting a site and making a new one with the same key would begin again at counter 1.
 */
import { existsSync } from 'node:fs';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { createDurably, parseJsonFile, readLimited } from '../../files/index.ts';

const SCHEMA = 'vtlic-claim/1';
const MAX_BYTES = 4096;

export interface KeyClaim {
  /** 64 hex digits. */
  readonly kid: string;
  /** 32 hex digits. */
  readonly ledger: string;
}

function readClaim(file: string): KeyClaim {
  const root = readObject(parseJsonFile(readLimited(file, MAX_BYTES, 'json_malformed'), file, MAX_BYTES), {
    code: 'configuration_invalid',
    file,
  });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const claim = { kid: root.string('kid'), ledger: root.string('ledger') };
  root.end();
  return claim;
}

/**
 * @returns whether it is claimed at all
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export function checkClaim(file: string, claim: KeyClaim): boolean {
  if (!existsSync(file)) return false;
  const standing = readClaim(file);
  if (standing.kid !== claim.kid)
    throw new VtlicError('key_claimed', `the claim beside this key is of another key, ${standing.kid}`, {
      file,
      hint: 'put the key file and its claim back together from one backup',
    });
  if (standing.ledger !== claim.ledger) {
    throw new VtlicError(
      'key_claimed',
      `this key belongs to the ledger ${standing.ledger}, but this site has the ledger ${claim.ledger}: its ` +
        'counters would begin again',
      { file, hint: 'issue from the site whose ledger that is, or make a new key here: vtlic key generate' },
    );
  }
  return true;
}

/**
 * Claims a key for a ledger, once and for all.
 *
 * @param file where the claim of this key lies
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function claimKey(file: string, claim: KeyClaim): Promise<void> {
  if (checkClaim(file, claim)) return;
  await createDurably(file, utf8(`${JSON.stringify({ schema: SCHEMA, ...claim })}\n`), 0o600);
}
