/**
 * `ledger backup`, `ledger restore`, `ledger anchor`, `counters export`, `import` and `reopen` are killed at each of
 * their steps; the same command again goes on from there.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import type { HandoverStep } from '../../signer/runtime.ts';
import type { LedgerSummary } from '../../signer/ledger/verify/verify.ts';
import { writeRequest } from '../support/site-fixture.ts';
import { type KillPoint, NO_KILL } from './campaign/kill-point.ts';
import { type Found, look, Memory } from './campaign/look.ts';
import { makePlace, type Place } from './campaign/place.ts';
import { type Ended, runToDeath } from './campaign/process-that-dies.ts';

const SCOPE = ['--to', 'ab'.repeat(16), '--customer', 'acme-gmbh'];

let place: Place;
let memory: Memory;
let request: string;
beforeEach(async () => {
  place = await makePlace('software');
  memory = new Memory();
  request = writeRequest({ ...place, anchor: '', passphraseFile: '' });
  expect((await run(['issue', request])).code).toBe(0);
});
afterEach(() => {
  place.remove();
});

function run(args: readonly string[], point: KillPoint = NO_KILL): Promise<Ended> {
  const secret = args[0] === 'issue' || args[1] === 'export' ? place.secret : [];
  return runToDeath([...args, '--site', place.site, ...secret], point, place);
}

async function kill(args: readonly string[], step: HandoverStep): Promise<Found> {
  const ended = await run(args, { kind: 'step', step, count: 1 });
  expect([ended.killed, ended.at, ended.stderr]).toEqual([true, step, expect.anything()]);
  return whole();
}

async function whole(): Promise<Found> {
  const found = await look(place, memory);
  expect(found.problems).toEqual([]);
  return found;
}

async function summaryOf(file: string): Promise<LedgerSummary> {
  const view = openLedgerForReading(file);
  try {
    return await view.verify();
  } finally {
    view.close();
  }
}

/** The counters of acme-gmbh in the order of the ledger. */
function counters(): readonly number[] {
  const view = openLedgerForReading(join(place.site, 'ledger.sqlite'));
  try {
    return [...view.entriesFrom(1)].flatMap((entry) => (entry.kind === 'intent' ? [entry.body.ctr] : []));
  } finally {
    view.close();
  }
}

describe('ledger backup', () => {
  it.each(['backup-copied', 'backup-linked'] as const)(
    'a backup killed after %s leaves a whole copy or none',
    async (step) => {
      const copy = join(place.given, 'copy.sqlite');
      await kill(['ledger', 'backup', copy], step);
      expect(existsSync(copy)).toBe(step === 'backup-linked');
      const again = await run(['ledger', 'backup', copy]);
      // What has its name is whole, and is never replaced.
      expect(again.code).toBe(step === 'backup-linked' ? 11 : 0);
      expect((await summaryOf(copy)).issued).toBe(1);
      expect((await run(['ledger', 'backup', join(place.given, 'next.sqlite')])).code).toBe(0);
      await whole();
    },
  );
});

describe('ledger restore', () => {
  /** A copy, and two licenses that it does not know. */
  async function oldCopy(): Promise<readonly string[]> {
    const copy = join(place.given, 'copy.sqlite');
    expect((await run(['ledger', 'backup', copy])).code).toBe(0);
    for (const time of [1, 2]) expect([time, (await run(['issue', request])).code]).toEqual([time, 0]);
    return ['ledger', 'restore', copy, '--license', join(place.site, 'out')];
  }

  async function finish(args: readonly string[]): Promise<Ended> {
    const done = await run(args);
    expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
    expect((await whole()).restoring).toBe(false);
    // Above all that left, and the anchor agrees.
    expect((await run(['issue', request])).code).toBe(0);
    expect(counters()).toEqual([1, 6]);
    await whole();
    return done;
  }

  it.each([
    ['restore-drafted', 4],
    ['restore-anchored', 4],
    ['restore-cleared', 4],
    ['restore-placed', 0],
  ] as const)(
    'a restore killed after %s makes an issue end with %d, and the next restore finishes it',
    async (step, code) => {
      const args = await oldCopy();
      await kill(args, step);
      if (step === 'restore-placed') {
        expect((await run(['issue', request])).code).toBe(code);
        expect(counters()).toEqual([1, 6]);
        await whole();
        return;
      }
      if (step !== 'restore-drafted') expect((await run(['issue', request])).code).toBe(code);
      const done = await finish(args);
      expect(done.stderr.includes('finished a restore that had been interrupted')).toBe(step !== 'restore-drafted');
    },
  );

  // The record before had more entries than the restored one: it was taken for the newer anchor, and refused the
  // ledger for ever.
  it('a restore killed between the new record of the anchor and its place is finished by the next', async () => {
    const args = await oldCopy();
    const reached: string[] = [];
    for (let count = 1; reached.at(-1) !== 'before rename anchor guard, turn'; count++) {
      const ended = await run(args, { kind: 'call', on: 'anchor', when: 'before', count });
      reached.push(ended.at);
      await whole();
    }
    expect((await finish(args)).stderr).not.toContain('damaged');
  });
});

describe('counters export', () => {
  it.each([
    ['counters-signed', false],
    ['counters-recorded', true],
    ['counters-anchored', true],
  ] as const)(
    'an export killed after %s (closed here: %s) writes out one document when it is run again',
    async (step, closed) => {
      const args = ['counters', 'export', join(place.given, 'handed.counters'), ...SCOPE];
      expect((await kill(args, step)).closed).toEqual(closed ? ['acme-gmbh'] : []);
      expect(readdirSync(place.given)).toEqual([]);
      expect((await run(['issue', request])).code).toBe(closed ? 4 : 0);
      expect((await run(args)).code).toBe(0);
      expect((await whole()).closed).toEqual(['acme-gmbh']);
      // The same again under another name: nothing was handed over twice.
      expect((await run(['counters', 'export', join(place.given, 'again.counters'), ...SCOPE])).code).toBe(0);
      expect(readFileSync(join(place.given, 'again.counters'))).toEqual(
        readFileSync(join(place.given, 'handed.counters')),
      );
    },
  );
});

describe('counters import', () => {
  it.each(['counters-recorded', 'counters-anchored'] as const)(
    'an import killed after %s takes the counters back once',
    async (step) => {
      const document = join(place.folder, 'handed.counters');
      expect((await run(['counters', 'export', document, ...SCOPE])).code).toBe(0);
      copyFileSync(document, join(place.given, 'handed.counters'));
      expect((await kill(['counters', 'import', document], step)).closed).toEqual([]);
      // It is done: taking it back once more is refused, and issuing goes on.
      expect((await run(['counters', 'import', document])).code).toBe(4);
      expect((await run(['issue', request])).code).toBe(0);
      expect(counters()).toEqual([1, 2]);
      await whole();
    },
  );
});

describe('counters reopen', () => {
  it.each(['counters-recorded', 'counters-anchored'] as const)(
    'a reopening killed after %s opens everybody once, and who was handed over stays closed',
    async (step) => {
      const copy = join(place.given, 'copy.sqlite');
      const document = join(place.given, 'handed.counters');
      const handed = ['--to', 'ab'.repeat(16), '--customer', 'delta-bv'];
      expect((await run(['ledger', 'backup', copy])).code).toBe(0);
      expect((await run(['counters', 'export', document, ...handed])).code).toBe(0);
      await whole();
      expect((await run(['ledger', 'restore', copy])).code).toBe(0);
      expect((await whole()).closedByRestore).toContain('acme-gmbh');
      const args = ['counters', 'reopen', '--handed', document];
      expect(await kill(args, step)).toMatchObject({ closedByRestore: [], closed: ['delta-bv'] });
      // It is done: the same again is refused, and issuing goes on above all that was skipped.
      expect((await run(args)).code).toBe(4);
      expect((await run(['issue', request])).code).toBe(0);
      await whole();
    },
  );
});

describe('ledger anchor', () => {
  it.each(['anchor-copied', 'anchor-adopted', 'anchor-removed', 'anchor-moved'] as const)(
    'a move of the anchor killed after %s is finished by the same command',
    async (step) => {
      const to = join(place.folder, 'anchor-2');
      place.movingTo = to;
      await kill(['ledger', 'anchor', '--to', to], step);
      const isUnfinished = step === 'anchor-adopted' || step === 'anchor-removed';
      expect((await run(['issue', request])).code).toBe(isUnfinished ? 4 : 0);
      expect((await run(['ledger', 'anchor', '--to', to])).code).toBe(0);
      place.anchor = to;
      expect((await run(['issue', request])).code).toBe(0);
      await whole();
    },
  );
});
