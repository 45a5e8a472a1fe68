/** Signatures of a whole ledger: checked by the calling thread alone in a short one, by all cores in a long one. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import type { LedgerSummary } from '../../../signer/ledger/record/ledger.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { ISSUES, SHARED_INTS, STOP, type SignatureJob } from '../../../signer/ledger/verify/signature-job.ts';
import { closing, intentFor, newWriter, type Place } from './ledger-fixture.ts';

const KEY = new SoftwareKey('ed25519', 'license', new Uint8Array(randomBytes(32)));
const OTHER = new SoftwareKey('ed25519', 'license', new Uint8Array(randomBytes(32)));

/** Below and above the number of entries at which other threads begin to help. */
const SHORT = 20;
const LONG = 520;

/** Entries 2 … n+1 are intents, n+2 … 2n+1 their issues. `spoil` one of the licenses before it is recorded. */
async function signed(licenses: number, spoil: { readonly at: number; readonly how: (signature: Uint8Array) => void } | undefined): Promise<Place> {
  const { place, ledger } = await newWriter();
  const made = await Promise.all(
    Array.from({ length: licenses }, async (_, i) => {
      const intent = intentFor({ aud: 'vaultdesk', sub: `customer-${i}` }, 1, { kid: KEY.publicKey.kid });
      const protectedBytes = encodeProtected('ed25519', KEY.publicKey.kid, TYP.license);
      const signature = Uint8Array.from(await KEY.sign(sigStructure(protectedBytes, intent.payload)));
      if (i === spoil?.at) spoil.how(signature);
      return { intent, cose: encodeCoseSign1(protectedBytes, intent.payload, signature) };
    }),
  );
  const seqs = ledger.group(() => made.map(({ intent }) => ledger.intend(intent).seq));
  ledger.group(() => made.forEach(({ cose }, i) => void ledger.issue(seqs[i] ?? 0, cose)));
  ledger.close();
  return place;
}

async function verdict(place: Place, keys: readonly PublicKey[], signal?: AbortSignal): Promise<LedgerSummary | string> {
  const view = closing(openLedgerForReading(place.ledger));
  return view.verify({ keys, ...(signal === undefined ? {} : { signal }) }).catch((error: unknown) => String(error));
}

describe.each([
  ['by one thread', SHORT],
  ['by all cores', LONG],
])('signatures checked %s', (_name, licenses) => {
  it('hold in an honest ledger, and each is counted once', async () => {
    const place = await signed(licenses, undefined);
    expect(await verdict(place, [OTHER.publicKey, KEY.publicKey])).toMatchObject({ issued: licenses, signatures: licenses });
    expect(await verdict(place, [OTHER.publicKey])).toContain(`the license is signed by the key ${KEY.publicKey.kid}, which is none of the site's license keys`);
  });

  it.each([0, licenses - 1])('one that does not hold is found at license %i, and named', async (at) => {
    const place = await signed(licenses, { at, how: (signature) => void (signature[3] = (signature[3] ?? 0) ^ 4) });
    expect(await verdict(place, [KEY.publicKey])).toContain(`entry ${licenses + 2 + at}: the signature of the license does not hold`);
    // Everything else of the record agrees with it.
    expect(await closing(openLedgerForReading(place.ledger)).verify()).toMatchObject({ issued: licenses, signatures: undefined });
  });
});

describe('a check of signatures', () => {
  it('is done by a thread of its own as well', async () => {
    const place = await signed(SHORT, { at: SHORT - 1, how: (signature) => void (signature[40] = (signature[40] ?? 0) ^ 1) });
    const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_INTS));
    const job: SignatureJob = { file: place.ledger, entries: 2 * SHORT + 1, keys: [{ alg: 'ed25519', bytes: KEY.publicKey.bytes }], shared };
    const worker = new Worker(new URL('../../../signer/ledger/verify/signature-worker.ts', import.meta.url), { workerData: job });
    const said: unknown[] = [];
    worker.on('message', (message) => said.push(message));
    await once(worker, 'exit');
    expect(said).toEqual([`${2 * SHORT + 1} the signature of the license does not hold`]);
    expect(Atomics.load(shared, ISSUES)).toBe(SHORT - 1);
    expect(Atomics.load(shared, STOP)).toBe(1);
  });

  it('ends where it is told to, by a fault elsewhere or by a signal, with no thread left', async () => {
    const place = await signed(LONG, undefined);
    expect(await verdict(place, [KEY.publicKey], AbortSignal.abort())).toContain('interrupted');
    const db = new DatabaseSync(place.ledger);
    db.exec('UPDATE leaf SET entry = 3 WHERE leaf_index = 1');
    db.close();
    expect(await verdict(place, [KEY.publicKey])).toContain('the row of entry');
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Worker' || name === 'MessagePort').length).toBeLessThanOrEqual(THREADS_BEFORE);
  });
});

const THREADS_BEFORE = process.getActiveResourcesInfo().filter((name) => name === 'Worker' || name === 'MessagePort').length;
