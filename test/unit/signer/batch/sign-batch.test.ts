/**
 * The groups of a batch, carried out with a real key, ledger and files; a wrapper of the key delays, counts and fails.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import { openKeyFile } from '../../../../keys/private/software/key-file.ts';
import type { SigningKey } from '../../../../keys/private/signing-key.ts';
import { type BatchOutcome, signBatch } from '../../../../signer/batch/sign-batch.ts';
import { openBatchPlan } from '../../../../signer/batch/plan-file.ts';
import { directChecker } from '../../../../signer/issue/checker.ts';
import { keyFiles } from '../../../../signer/keys/file-keystore.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { openSite } from '../../../../signer/site/site.ts';
import { nowSeconds, type Runtime } from '../../../../signer/runtime.ts';
import { csv, customers, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere } from '../../../support/run-here.ts';
import { makeSite, PASSPHRASE, type SiteFixture, testRuntime } from '../../../support/site-fixture.ts';
import { reviewBatchByDigest } from '../../../../signer/batch/review.ts';
import type { Entry, IntentEntry } from '../../../../signer/ledger/entries/entry.ts';

const FIRST_GROUP = 8;

let fixture: SiteFixture;
let key: SigningKey;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  const { paths, config } = openSite(fixture.site);
  const [record] = config.keys;
  if (record === undefined) throw new Error('the site has no key');
  key = await openKeyFile(
    keyFiles(paths, { type: 'file', name: 'local', path: 'keys' }, record.name).key,
    record.publicKey,
    'license',
    utf8(PASSPHRASE),
  );
});
afterEach(async () => {
  await key.close();
  fixture.remove();
});

interface Watched {
  readonly key: SigningKey;
  most: number;
  asked: number;
}

/** The real key, with something that happens before each signature. */
function watched(before: (number: number) => Promise<void> | void): Watched {
  let inFlight = 0;
  const watch: Watched = {
    most: 0,
    asked: 0,
    key: {
      publicKey: key.publicKey,
      purpose: key.purpose,
      custody: key.custody,
      signedBy: key.signedBy,
      close: () => Promise.resolve(),
      sign: async (message) => {
        watch.most = Math.max(watch.most, ++inFlight);
        try {
          await before(++watch.asked);
          return await key.sign(message);
        } finally {
          inFlight--;
        }
      },
    },
  };
  return watch;
}

async function batchOf(rows: number, signing: SigningKey, changes: Partial<Runtime> = {}): Promise<BatchOutcome> {
  const planned = await runHere([
    'batch',
    writeBatch(fixture, csv(customers(rows).map((name) => row(name)))),
    '--name',
    'b',
    '--new-customers',
    '--dry-run',
    '--site',
    fixture.site,
  ]);
  const site = openSite(fixture.site);
  const runtime = testRuntime(changes);
  const ledger = await openLedgerForWriting(site.paths.ledger, {
    now: () => nowSeconds(runtime),
    random: runtime.random,
    holder: { command: 'batch' },
  });
  const checker = directChecker(signing);
  try {
    const reviewed = reviewBatchByDigest(openBatchPlan(site.paths.plans, planned.stdout.trim()), nowSeconds(runtime));
    return await signBatch(reviewed, {
      ledger,
      siteFolder: site.paths.folder,
      key: signing,
      checker,
      runtime,
      progress: () => undefined,
    });
  } finally {
    ledger.close();
  }
}

/** What the record and the folder hold, both whole. */
async function found(): Promise<{
  readonly entries: readonly Entry[];
  readonly intents: readonly IntentEntry[];
  readonly voided: readonly number[];
  readonly released: readonly number[];
  readonly open: number;
}> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    await ledger.verify({ keys: [key.publicKey] });
    const entries = [...ledger.entriesFrom(1)];
    const intents = entries.filter((entry) => entry.kind === 'intent');
    const released = entries.flatMap((entry) => (entry.kind === 'release' ? [entry.body.intent] : []));
    for (const { seq, body } of intents)
      expect(existsSync(join(fixture.site, body.path)), body.path).toBe(released.includes(seq));
    return {
      entries,
      intents,
      released,
      voided: entries.flatMap((entry) => (entry.kind === 'void' ? [entry.body.intent] : [])),
      open: ledger.openIntents().length,
    };
  } finally {
    ledger.close();
  }
}

function failed(code: 'signing_failed' | 'signing_unknown'): VtlicError {
  return new VtlicError(code, 'the key did not sign');
}

describe('the groups of a batch', () => {
  it('follow one another without a pause of the key: the next is reserved before the last is finished', async () => {
    const rows = 200;
    const watch = watched(() => undefined);
    expect(await batchOf(rows, watch.key)).toEqual({ released: rows, passedOver: 0, failed: 0, interrupted: false });
    const { entries, intents, released, open } = await found();
    expect([intents.length, released.length, open]).toEqual([rows, rows, 0]);
    const kinds = entries
      .map((entry) =>
        entry.kind === 'intent' ? 'i' : entry.kind === 'issue' ? 's' : entry.kind === 'release' ? 'r' : '.',
      )
      .join('');
    // The first two groups are reserved before a license is recorded, and from then on always one more.
    expect(/^\.(i+)s{8}r{8}/.exec(kinds)?.[1]?.length).toBeGreaterThan(FIRST_GROUP);
    expect(kinds.replaceAll(/(.)\1+/g, '$1')).toMatch(/^\.(isr)+sr$/);
    expect(watch.most).toBeGreaterThan(4);
    expect(watch.most).toBeLessThanOrEqual(64);
  });

  it('are small, and few requests wait, where the key is slow', async () => {
    const watch = watched(() => new Promise((resolve) => setTimeout(resolve, 150)));
    expect(await batchOf(30, watch.key)).toMatchObject({ released: 30 });
    // Never more than the tail of one group and the beginning of the next.
    expect(watch.most).toBeLessThanOrEqual(8);
  });

  it('a key that signs nothing costs only the counters of the first group', async () => {
    const watch = watched(() => Promise.reject(failed('signing_failed')));
    const outcome = await batchOf(60, watch.key);
    expect(outcome).toMatchObject({
      released: 0,
      failed: FIRST_GROUP,
      interrupted: false,
      stoppedBy: { code: 'signing_failed' },
    });
    const { intents, voided, open } = await found();
    expect([intents.length, voided.length, open]).toEqual([FIRST_GROUP, FIRST_GROUP, 0]);
  });

  it('a key that dies later is noticed after a few signatures, and what it was never asked for is not said to be unknown', async () => {
    const watch = watched((number) => (number > 40 ? Promise.reject(failed('signing_failed')) : undefined));
    const outcome = await batchOf(400, watch.key);
    expect(outcome).toMatchObject({ released: 40, stoppedBy: { code: 'signing_failed' } });
    const { intents, voided, open } = await found();
    expect([intents.length, open]).toEqual([40 + voided.length, 0]);
    // Some in a row, and those that were on their way.
    expect(watch.asked).toBeLessThanOrEqual(40 + 8 + 64);
    expect(voided.length).toBeLessThanOrEqual(2 * 128);
  });

  it('one signature that is not made is one void counter, and the rest goes on', async () => {
    const watch = watched((number) => (number === 30 ? Promise.reject(failed('signing_failed')) : undefined));
    expect(await batchOf(60, watch.key)).toEqual({ released: 59, passedOver: 0, failed: 1, interrupted: false });
    const { voided, released, open } = await found();
    expect([voided.length, released.length, open]).toEqual([1, 59, 0]);
  });

  it.each([1, 9, 40, 120])(
    'leaves nothing open with a key whose state is unknown from signature %d on; what was signed leaves',
    async (from) => {
      const watch = watched((number) => (number >= from ? Promise.reject(failed('signing_unknown')) : undefined));
      const outcome = await batchOf(150, watch.key);
      expect(outcome).toMatchObject({ interrupted: false, stoppedBy: { code: 'signing_unknown' } });
      const { entries, intents, voided, released, open } = await found();
      expect(open).toBe(0);
      expect([released.length, voided.length]).toEqual([outcome.released, outcome.failed]);
      expect(released.length).toBe(from - 1);
      const reasons = entries.flatMap((entry) => (entry.kind === 'void' ? [entry.body.reason] : []));
      expect(reasons.filter((reason) => reason === 'signing_unknown').length).toBe(watch.asked - (from - 1));
      expect(released.length + voided.length).toBe(intents.length);
    },
  );

  it('Ctrl-C finishes the licenses already begun, and no more is reserved', async () => {
    const watch = watched(() => undefined);
    const outcome = await batchOf(400, watch.key, { interrupted: () => watch.asked >= 60 });
    expect(outcome.interrupted).toBe(true);
    const { intents, released, voided, open } = await found();
    expect([released.length, voided.length, open]).toEqual([intents.length, 0, 0]);
    expect(intents.length).toBeLessThan(400);
    expect(intents.length).toBeGreaterThanOrEqual(60);
  });
});
