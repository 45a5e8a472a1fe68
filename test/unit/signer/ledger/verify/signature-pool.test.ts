/** The signatures of a whole ledger, checked by the calling thread only, and by other threads too. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../../../formats/cose-sign1.ts';
import { SoftwareKey } from '../../../../../keys/private/software/software-key.ts';
import type { PublicKey } from '../../../../../keys/public/public-key.ts';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import {
  endAt,
  entriesTaken,
  nextRange,
  signatureJob,
  startSignaturePool,
  validSignatures,
} from '../../../../../signer/ledger/verify/signature-pool.ts';
import type { LedgerSummary } from '../../../../../signer/ledger/verify/verify.ts';
import { closing, intentFor, newWriter, type Place } from '../ledger-fixture.ts';

const KEY = new SoftwareKey('ed25519', 'license', new Uint8Array(randomBytes(32)));
const OTHER = new SoftwareKey('ed25519', 'license', new Uint8Array(randomBytes(32)));

const threads = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Worker' || name === 'MessagePort').length;
const THREADS_BEFORE = threads();

/** Below and above the number of entries at which other threads begin to help. */
const SHORT = 20;
const LONG = 520;

/** Entries 2 … n+1 are intents, n+2 … 2n+1 their issues. `spoil` one of the licenses before it is recorded. */
async function signed(
  licenses: number,
  spoil: { readonly at: number; readonly how: (signature: Uint8Array) => void } | undefined,
): Promise<Place> {
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

async function verdict(
  place: Place,
  keys: readonly PublicKey[],
  signal?: AbortSignal,
): Promise<LedgerSummary | string> {
  const view = closing(openLedgerForReading(place.ledger));
  return view.verify({ keys, ...(signal === undefined ? {} : { signal }) }).catch((error: unknown) => String(error));
}

describe.each([
  ['by one thread', SHORT],
  ['by all cores', LONG],
])('signatures checked %s', (_name, licenses) => {
  it('accepts the signatures of an honest ledger, and counts each once', async () => {
    const place = await signed(licenses, undefined);
    expect(await verdict(place, [OTHER.publicKey, KEY.publicKey])).toMatchObject({
      issued: licenses,
      signatures: licenses,
    });
    expect(await verdict(place, [OTHER.publicKey])).toContain(
      `the license is signed by the key ${KEY.publicKey.kid}, which is none of the site's license keys`,
    );
  });

  it.each([0, licenses - 1])('names the entry whose signature is wrong, at license %i', async (at) => {
    const place = await signed(licenses, { at, how: flipBit });
    expect(await verdict(place, [KEY.publicKey])).toContain(
      `entry ${licenses + 2 + at}: the signature of the license is not valid`,
    );
    // Everything else of the record agrees with it.
    expect(await closing(openLedgerForReading(place.ledger)).verify()).toMatchObject({
      issued: licenses,
      signatures: undefined,
    });
  });
});

const flipBit = (signature: Uint8Array): void => void (signature[3] = (signature[3] ?? 0) ^ 4);

/** What a worker thread posts until it ends. */
async function postedBy(workerData: object): Promise<readonly unknown[]> {
  const main = new URL('../../../../../signer/ledger/verify/signature-worker.ts', import.meta.url);
  const worker = new Worker(main, { workerData });
  const posted: unknown[] = [];
  worker.on('message', (message) => posted.push(message));
  const [code] = (await once(worker, 'exit')) as [number];
  expect(code).toBe(0);
  return posted;
}

describe('the ranges of a job', () => {
  it('each range is taken once, and the last one ends with the last entry', () => {
    const job = signatureJob('', 10, [], 4);
    const taken = [nextRange(job), nextRange(job), nextRange(job), nextRange(job), entriesTaken(job)];
    expect(taken).toEqual([{ from: 0, to: 4 }, { from: 4, to: 8 }, { from: 8, to: 10 }, undefined, 10]);
  });

  it('no range is taken that begins after a fault', () => {
    const job = signatureJob('', 10, [], 4);
    expect([nextRange(job), entriesTaken(job)]).toEqual([{ from: 0, to: 4 }, 4]);
    endAt(job, 5);
    endAt(job, 7);
    expect([nextRange(job), entriesTaken(job)]).toEqual([{ from: 4, to: 8 }, 8]);
    expect([nextRange(job), nextRange(job), entriesTaken(job)]).toEqual([undefined, undefined, 8]);
  });
});

describe('a pool of threads', () => {
  const ENTRIES = 2 * SHORT + 1;

  it('reports a fault that another thread finds', async () => {
    const place = await signed(SHORT, { at: 5, how: flipBit });
    const pool = startSignaturePool(place.ledger, ENTRIES, [KEY.publicKey], { threads: 1, minEntries: 0 });
    try {
      // The other thread takes every range, so that the calling one finds none left.
      while (pool.done() < ENTRIES) await setTimeout(5);
      await expect(pool.finish(() => undefined)).rejects.toThrow(
        `entry ${SHORT + 7}: the signature of the license is not valid`,
      );
    } finally {
      await pool.stop();
    }
  });

  it('a worker thread posts the entry with the wrong signature, and counts the valid ones', async () => {
    const place = await signed(SHORT, { at: SHORT - 1, how: flipBit });
    const job = signatureJob(place.ledger, ENTRIES, [KEY.publicKey], 8);
    expect(await postedBy(job)).toEqual([
      {
        seq: ENTRIES,
        message: `the ledger is damaged or was changed: entry ${ENTRIES}: the signature of the license is not valid`,
      },
    ]);
    expect(validSignatures(job)).toBe(SHORT - 1);
  });

  it('leaves no thread when the check is interrupted, or finds another fault', async () => {
    const place = await signed(LONG, undefined);
    expect(await verdict(place, [KEY.publicKey], AbortSignal.abort())).toContain('interrupted');
    const db = new DatabaseSync(place.ledger);
    db.exec('UPDATE leaf SET entry = 3 WHERE leaf_index = 1');
    db.close();
    expect(await verdict(place, [KEY.publicKey])).toContain('the index row of entry');
    expect(threads()).toBeLessThanOrEqual(THREADS_BEFORE);
  });
});
