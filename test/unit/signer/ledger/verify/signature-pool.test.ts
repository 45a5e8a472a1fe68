/** What is checked stretch by stretch, of a whole ledger: by the calling thread alone, and by others beside it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../../../formats/cose-sign1.ts';
import { SoftwareKey } from '../../../../../keys/private/software/software-key.ts';
import { VtlicError } from '../../../../../formats/error.ts';
import type { PublicKey } from '../../../../../keys/public/public-key.ts';
import { type LedgerSummary, verifyLedger } from '../../../../../signer/ledger/verify/verify.ts';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import { linkStretches } from '../../../../../signer/ledger/verify/link-stretches.ts';
import {
  endAt,
  handedOut,
  type SignatureJob,
  signaturesOf,
  stretchJob,
  takeStretch,
} from '../../../../../signer/ledger/verify/stretch-job.ts';
import { stretchFaults } from '../../../../../signer/ledger/verify/stretch-share.ts';
import {
  checkLinks,
  checkSignatures,
  type Hands,
  type Stretches,
} from '../../../../../signer/ledger/verify/signature-pool.ts';
import { closing, intentFor, newWriter, type Place, tamper } from '../ledger-fixture.ts';

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
  it('hold in an honest ledger, and each is counted once', async () => {
    const place = await signed(licenses, undefined);
    expect(await verdict(place, [OTHER.publicKey, KEY.publicKey])).toMatchObject({
      issued: licenses,
      signatures: licenses,
    });
    expect(await verdict(place, [OTHER.publicKey])).toContain(
      `the license is signed by the key ${KEY.publicKey.kid}, which is none of the site's license keys`,
    );
  });

  it.each([0, licenses - 1])('one that does not hold is found at license %i, and named', async (at) => {
    const place = await signed(licenses, { at, how: (signature) => void (signature[3] = (signature[3] ?? 0) ^ 4) });
    expect(await verdict(place, [KEY.publicKey])).toContain(
      `entry ${licenses + 2 + at}: the signature of the license does not hold`,
    );
    // Everything else of the record agrees with it.
    expect(await closing(openLedgerForReading(place.ledger)).verify()).toMatchObject({
      issued: licenses,
      signatures: undefined,
    });
  });
});

/** What the thread says until it ends. */
async function saidBy(name: string, workerData: object): Promise<readonly unknown[]> {
  const worker = new Worker(new URL(`../../../../../signer/ledger/verify/${name}.ts`, import.meta.url), { workerData });
  const said: unknown[] = [];
  worker.on('message', (message) => said.push(message));
  const [code] = (await once(worker, 'exit')) as [number];
  expect(code).toBe(0);
  return said;
}

describe('stretches', () => {
  it('are handed out once each, and none that begins behind a fault', () => {
    const job = stretchJob('', 10, 4);
    expect([takeStretch(job), handedOut(job)]).toEqual([{ from: 0, to: 4 }, 4]);
    endAt(job, 5);
    endAt(job, 7);
    expect([takeStretch(job), handedOut(job)]).toEqual([{ from: 4, to: 8 }, 8]);
    expect([takeStretch(job), takeStretch(job), handedOut(job)]).toEqual([undefined, undefined, 8]);
    const whole = stretchJob('', 10, 4);
    expect([takeStretch(whole), takeStretch(whole), takeStretch(whole), takeStretch(whole), handedOut(whole)]).toEqual([
      { from: 0, to: 4 },
      { from: 4, to: 8 },
      { from: 8, to: 10 },
      undefined,
      10,
    ]);
  });
});

/** When the other threads have taken all up to an entry, so that the calling one finds nothing left there. */
async function joinBehind(
  stretches: Stretches,
  taken: number,
  entries: number,
): Promise<Awaited<ReturnType<Stretches['join']>>> {
  try {
    while (stretches.done() < taken) await setTimeout(5);
    return await stretches.join(entries, () => undefined);
  } finally {
    await stretches.stop();
  }
}

describe('what another thread finds', () => {
  const ONE: Hands = { threads: 1, signaturesFrom: 0, linksFrom: 0 };

  it('is told: links', async () => {
    const place = await signed(SHORT, undefined);
    const entries = 2 * SHORT + 1;
    expect(await joinBehind(checkLinks(place.ledger, entries, ONE), entries, entries)).toEqual({
      fault: undefined,
      signatures: 0,
    });
    tamper(place.ledger, 'UPDATE entry SET at = at + 1 WHERE seq = 30');
    const { fault } = await joinBehind(checkLinks(place.ledger, entries, ONE), entries, entries);
    expect(fault?.seq).toBe(30);
    expect(fault?.message).toContain('entry 30: its chain value');
  });

  it('is told: signatures', async () => {
    const place = await signed(SHORT, { at: 5, how: (signature) => void (signature[3] = (signature[3] ?? 0) ^ 4) });
    const entries = 2 * SHORT + 1;
    const { fault, signatures } = await joinBehind(
      checkSignatures(place.ledger, entries, [KEY.publicKey], ONE),
      entries,
      entries,
    );
    expect([fault?.seq, signatures]).toEqual([SHORT + 7, 5]);
  });
});

describe('links', () => {
  const ENTRIES = 601;
  const BESIDE: Hands = { threads: 1, signaturesFrom: 0, linksFrom: 0 };
  const damage = (seq: number): string =>
    `the ledger is damaged or was changed: entry ${seq}: its chain value does not follow from what it holds and from the entry before it`;
  const later = (seq: number): string => `UPDATE entry SET at = at + 1 WHERE seq = ${seq}`;
  const earlier = (seq: number): string => `UPDATE entry SET at = at - 1 WHERE seq = ${seq}`;
  const told = (place: Place): Promise<string> =>
    verifyLedger(place.ledger, {}, BESIDE).then(
      () => 'whole',
      (error: unknown) => (error instanceof VtlicError ? error.message : String(error)),
    );

  it('are looked at where stretches meet, and within', async () => {
    const place = await signed(300, undefined);
    for (const seq of [1, 2, 255, 256, 257, 258, 300, 301, 302, 512, 513, 600, ENTRIES]) {
      tamper(place.ledger, later(seq));
      const faults = [...stretchFaults(stretchJob(place.ledger, ENTRIES, 256), linkStretches)];
      expect(faults.filter((fault) => fault !== undefined)).toEqual([{ seq, message: damage(seq) }]);
      tamper(place.ledger, earlier(seq));
    }
    expect([...stretchFaults(stretchJob(place.ledger, ENTRIES, 256), linkStretches)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    // One that is not there is missed by whoever reads it, or the one behind it.
    tamper(place.ledger, 'DELETE FROM entry WHERE seq = 256');
    const missing = { seq: 256, message: 'the ledger is damaged or was changed: entry 256 is missing' };
    expect([...stretchFaults(stretchJob(place.ledger, ENTRIES, 256), linkStretches)]).toContainEqual(missing);
    expect([...stretchFaults(stretchJob(place.ledger, ENTRIES, 512), linkStretches)]).toContainEqual(missing);
  });

  it('are looked at by a thread of its own, which says what it finds', async () => {
    const place = await signed(300, undefined);
    tamper(place.ledger, later(300));
    expect(await saidBy('link-worker', stretchJob(place.ledger, ENTRIES, 256))).toEqual([`300 ${damage(300)}`]);
  });

  it('have their fault told where it comes before what following finds, or at the same entry', async () => {
    const place = await signed(300, undefined);
    const whole = await verifyLedger(place.ledger, {}, BESIDE);
    expect(whole).toEqual(await verifyLedger(place.ledger, {}, { ...BESIDE, linksFrom: Infinity }));
    expect(whole).toMatchObject({ issued: 300, signatures: undefined });

    tamper(place.ledger, later(300), later(258), later(520));
    expect(await told(place)).toBe(damage(258));
    // Found at entry 303.
    tamper(place.ledger, 'UPDATE leaf SET entry = 3 WHERE leaf_index = 1');
    expect(await told(place)).toBe(damage(258));
    tamper(place.ledger, earlier(300), earlier(258));
    expect(await told(place)).toContain('the row of entry 303 in the tables beside the record');
    tamper(place.ledger, later(303));
    expect(await told(place)).toBe(damage(303));
    tamper(place.ledger, 'UPDATE leaf SET entry = 303 WHERE leaf_index = 1', earlier(303));
    expect(await told(place)).toBe(damage(520));
  });

  it('are left where the check is interrupted, with no thread left', async () => {
    const place = await signed(SHORT, undefined);
    await expect(verifyLedger(place.ledger, { signal: AbortSignal.abort() }, BESIDE)).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(threads()).toBeLessThanOrEqual(THREADS_BEFORE);
  });
});

describe('a check of signatures', () => {
  it('is done by a thread of its own as well', async () => {
    const place = await signed(SHORT, {
      at: SHORT - 1,
      how: (signature) => void (signature[40] = (signature[40] ?? 0) ^ 1),
    });
    const job: SignatureJob = {
      ...stretchJob(place.ledger, 2 * SHORT + 1, 8),
      keys: [{ alg: 'ed25519', bytes: KEY.publicKey.bytes }],
    };
    expect(await saidBy('signature-worker', job)).toEqual([
      `${2 * SHORT + 1} the ledger is damaged or was changed: entry ${2 * SHORT + 1}: the signature of the license does not hold`,
    ]);
    expect(signaturesOf(job)).toBe(SHORT - 1);
  });

  it('ends where it is told to, by a fault elsewhere or by a signal, with no thread left', async () => {
    const place = await signed(LONG, undefined);
    expect(await verdict(place, [KEY.publicKey], AbortSignal.abort())).toContain('interrupted');
    const db = new DatabaseSync(place.ledger);
    db.exec('UPDATE leaf SET entry = 3 WHERE leaf_index = 1');
    db.close();
    expect(await verdict(place, [KEY.publicKey])).toContain('the row of entry');
    expect(threads()).toBeLessThanOrEqual(THREADS_BEFORE);
  });
});
