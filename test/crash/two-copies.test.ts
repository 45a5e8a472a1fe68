/**
 * Two copies of a site share an anchor. A real process in one of them is stopped before each of its calls on the anchor
 * while the other copy issues: never do both release a license with one counter, and the work goes on.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { writeRequest } from '../support/site-fixture.ts';
import { NO_KILL } from './campaign/kill-point.ts';
import { makePlace, type Place } from './campaign/place.ts';
import { type Ended, runToDeath } from './campaign/process-that-dies.ts';

let place: Place;
let copy: string;
let request: string;
/** Counter → the ids of the licenses that have left with it. */
let left: Map<number, Set<string>>;
beforeEach(async () => {
  place = await makePlace('software');
  copy = join(place.folder, 'copy');
  left = new Map();
  request = writeRequest({ ...place, anchor: '', passphraseFile: '' });
  expect((await issue(place.site)).code).toBe(0);
});
afterEach(() => {
  place.remove();
});

function issue(site: string): Promise<Ended> {
  return runToDeath(['issue', request, '--site', site, ...place.secret], NO_KILL, place);
}

/** Reads all licenses that are there now: a copy that is given up is deleted later. */
function collect(): void {
  for (const site of [place.site, copy]) {
    const out = join(site, 'out');
    const names = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
    for (const name of names.filter((each) => each.endsWith('.vtlic'))) {
      const { ctr, cti } = decodeLicense(
        decodeCoseSign1(dearmor('VTLIC', readFileSync(join(out, name))), TYP.license).payload,
      );
      left.set(ctr, (left.get(ctr) ?? new Set()).add(cti));
    }
  }
  expect([...left].filter(([, ids]) => ids.size > 1)).toEqual([]);
}

interface Pair {
  readonly stopped: Ended;
  readonly other: Ended | undefined;
}

/** Runs a command in the copy, stops it before its n-th call on the anchor, and issues in the site meanwhile. */
async function pair(args: readonly string[], count: number): Promise<Pair> {
  rmSync(copy, { recursive: true, force: true });
  cpSync(place.site, copy, { recursive: true });
  let other: Ended | undefined;
  const stopped = await runToDeath(
    [...args, '--site', copy],
    { kind: 'call', on: 'anchor', when: 'before', count, stop: true },
    {
      ...place,
      whileStopped: async () => {
        other = await issue(place.site);
      },
    },
  );
  collect();
  return { stopped, other };
}

/**
 * Exactly one of both succeeds in every pair: the other one where the command was stopped before the call that decides,
 * the command where it was stopped after it.
 */
function expectOneWinner(codes: readonly string[]): void {
  expect(codes).toContain('4 0');
  expect(codes).toContain('0 4');
  expect(codes.filter((code) => code !== '4 0' && code !== '0 4')).toEqual([]);
}

/** The copy that the anchor agrees with is the site from now on. */
async function goOn(): Promise<void> {
  if ((await issue(place.site)).code !== 0) {
    rmSync(place.site, { recursive: true });
    cpSync(copy, place.site, { recursive: true });
    expect((await issue(place.site)).stderr).toContain('signed and released');
  }
  collect();
}

describe('a process that is stopped before each of its calls on the anchor, while another copy issues', () => {
  it('ends with 4 where the other one was faster, as an issue', { timeout: 600_000 }, async () => {
    const codes: string[] = [];
    for (let count = 1; ; count++) {
      const { stopped, other } = await pair(['issue', request, ...place.secret], count);
      if (other === undefined) break;
      codes.push(`${stopped.code} ${other.code}`);
      await goOn();
    }
    expectOneWinner(codes);
    expect(codes.length).toBeGreaterThan(5);
  });

  it('ends with 4 where the other one was faster, as a move of the anchor', { timeout: 600_000 }, async () => {
    const codes: string[] = [];
    for (let count = 1; ; count++) {
      const to = join(place.folder, `anchor-${count}`);
      const { stopped, other } = await pair(['ledger', 'anchor', '--to', to], count);
      if (other === undefined) break;
      codes.push(`${stopped.code} ${other.code}`);
      await goOn();
    }
    expectOneWinner(codes);
  });

  it('restores nothing where the other one was faster', { timeout: 600_000 }, async () => {
    const backup = join(place.given, 'backup.sqlite');
    expect((await runToDeath(['ledger', 'backup', backup, '--site', place.site], NO_KILL, place)).code).toBe(0);
    const codes: string[] = [];
    for (let count = 1; ; count++) {
      expect((await issue(place.site)).code).toBe(0);
      const { stopped, other } = await pair(['ledger', 'restore', backup], count);
      if (other === undefined) break;
      codes.push(`${stopped.code} ${other.code}`);
      await goOn();
      const view = openLedgerForReading(join(place.site, 'ledger.sqlite'));
      await view.verify();
      view.close();
    }
    expectOneWinner(codes);
  });
});
