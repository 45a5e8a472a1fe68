/**
 * Two copies of a site share an anchor file. A real process in one of them is stopped before a call on the anchor while
 * the other copy issues: never do both release a license with one counter, and the work goes on.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dearmor } from '../../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { writeRequest } from '../../support/site-fixture.ts';
import { NO_KILL } from './kill-point.ts';
import { makePlace, type Place } from './place.ts';
import { type Ended, runToDeath } from './process-that-dies.ts';

/** What runs in the copy, and is stopped. */
export const STOPPED_COMMANDS = ['issue', 'ledger anchor', 'ledger restore'] as const;
export type StoppedCommand = (typeof STOPPED_COMMANDS)[number];

export interface StopWalk {
  readonly command: StoppedCommand;
  /** The calls that change the anchor, or those that read it. */
  readonly on: 'anchor' | 'anchor read';
  /** Only before each so many-th call. */
  readonly every: number;
}

export interface StoppedPair {
  /** Where the command in the copy was stopped. */
  readonly at: string;
  /** Exit codes: of the command that was stopped, and of the issue meanwhile. */
  readonly codes: string;
}

/** Exit codes in the order of the stops: what ends a pair can only move on, from one row to the next. */
const ORDER: readonly string[] = ['0 0', '4 0', '0 4'];

/**
 * What is wrong with the exit codes of a walk. Until the call that decides, the other one succeeds; from then on, the
 * command that was stopped. Both succeed only where a restore had not read the anchor yet when it was stopped: it then
 * follows the issue, and skips its counter.
 */
export function faultOf(command: StoppedCommand, pairs: readonly StoppedPair[]): string | undefined {
  let last = command === 'ledger restore' ? 0 : 1;
  for (const { at, codes } of pairs) {
    const row = ORDER.indexOf(codes);
    if (row < last) return `${command}, stopped ${at}: the exit codes were ${codes} after ${ORDER[last] ?? ''}`;
    last = row;
  }
  return undefined;
}

/** Stops the command before one call after another, until it makes no more of them. */
export async function walkStops(walk: StopWalk): Promise<readonly StoppedPair[]> {
  const copies = new StoppedCopies(await makePlace('software'));
  try {
    return await copies.walk(walk);
  } finally {
    copies.remove();
  }
}

class StoppedCopies {
  readonly #place: Place;
  readonly #copy: string;
  readonly #request: string;
  /** Counter → the ids of the licenses that have left with it. */
  readonly #left = new Map<number, Set<string>>();

  constructor(place: Place) {
    this.#place = place;
    this.#copy = join(place.folder, 'copy');
    this.#request = writeRequest({ ...place, anchor: '', passphraseFile: '' });
  }

  remove(): void {
    this.#place.remove();
  }

  async walk({ command, on, every }: StopWalk): Promise<readonly StoppedPair[]> {
    const place = this.#place;
    const backup = join(place.given, 'backup.sqlite');
    expectZero(await this.#issue());
    if (command === 'ledger restore')
      expectZero(await runToDeath(['ledger', 'backup', backup, '--site', place.site], NO_KILL, place));
    const pairs: StoppedPair[] = [];
    for (let count = 1; ; count += every) {
      if (command === 'ledger restore') expectZero(await this.#issue());
      const args: Readonly<Record<StoppedCommand, readonly string[]>> = {
        issue: ['issue', this.#request, ...place.secret],
        'ledger anchor': ['ledger', 'anchor', '--to', join(place.folder, `anchor-${count}`)],
        'ledger restore': ['ledger', 'restore', backup],
      };
      const pair = await this.#pair(args[command], on, count);
      if (pair === undefined) return pairs;
      pairs.push(pair);
      await this.#goOn();
    }
  }

  #issue(): Promise<Ended> {
    const { site, secret } = this.#place;
    return runToDeath(['issue', this.#request, '--site', site, ...secret], NO_KILL, this.#place);
  }

  /** @returns undefined if the command makes fewer calls */
  async #pair(args: readonly string[], on: StopWalk['on'], count: number): Promise<StoppedPair | undefined> {
    rmSync(this.#copy, { recursive: true, force: true });
    cpSync(this.#place.site, this.#copy, { recursive: true });
    let other: Ended | undefined;
    const stopped = await runToDeath(
      [...args, '--site', this.#copy],
      { kind: 'call', on, when: 'before', count, stop: true },
      {
        ...this.#place,
        whileStopped: async () => {
          other = await this.#issue();
        },
      },
    );
    this.#collect();
    return other === undefined ? undefined : { at: stopped.at, codes: `${stopped.code} ${other.code}` };
  }

  /** The copy that the anchor agrees with is the site from now on. */
  async #goOn(): Promise<void> {
    const { site } = this.#place;
    if ((await this.#issue()).code !== 0) {
      rmSync(site, { recursive: true });
      cpSync(this.#copy, site, { recursive: true });
      expectZero(await this.#issue());
    }
    this.#collect();
    const ledger = openLedgerForReading(join(site, 'ledger.sqlite'));
    try {
      await ledger.verify();
    } finally {
      ledger.close();
    }
  }

  /** Reads all licenses that are there now, since a copy that is given up is deleted later. */
  #collect(): void {
    for (const site of [this.#place.site, this.#copy]) {
      const out = join(site, 'out');
      const names = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
      for (const name of names.filter((each) => each.endsWith('.vtlic'))) {
        const { ctr, cti } = decodeLicense(
          decodeCoseSign1(dearmor('VTLIC', readFileSync(join(out, name))), TYP.license).payload,
        );
        const ids = (this.#left.get(ctr) ?? new Set()).add(cti);
        this.#left.set(ctr, ids);
        if (ids.size > 1) throw new Error(`two licenses left with the counter ${ctr}`);
      }
    }
  }
}

function expectZero({ code, stderr }: Ended): void {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
}
