/** What two copies of one site do with the anchor that they share, as worlds that the explorer walks through. */
import { encodeAnchorRecord } from '../../../../signer/anchor/anchor-record.ts';
import { explore, type Totals } from '../../../support/explore.ts';
import { type Run, runAlone } from '../../../support/explored-process.ts';
import { CopyOfSite, FIRST_PLACE, LEFT, type OpenPlace } from './copies-of-a-site.ts';
import { decodeAll, type Protocol, recordsIn, Storage } from './exchange-protocols.ts';

type RunOfCopy = Run<Storage, CopyOfSite>;

export interface Scenario {
  readonly name: string;
  /** The runs of each copy, one after the other. */
  readonly runs: readonly (readonly RunOfCopy[])[];
  /** In Y is the record that an earlier move left, which was cut short. */
  readonly isLeftInY?: true;
}

const issue: RunOfCopy = (copy, gate) => copy.issue(gate);
const move =
  (to: string): RunOfCopy =>
  (copy, gate) =>
    copy.move(to, gate);
const restore =
  (place?: string, isSure = false): RunOfCopy =>
  (copy, gate) =>
    copy.restore(place, isSure, gate);
/** A copy that is taken of the other one at any moment, also while that one is stopped. */
const copiedIssue: RunOfCopy = async (copy, gate) => {
  copy.copyFrom(await gate.diskOf(0));
  await copy.issue(gate);
};

export const SCENARIOS: readonly Scenario[] = [
  { name: 'both issue', runs: [[issue], [issue]] },
  { name: 'both issue, one of them twice', runs: [[issue, issue], [issue]] },
  { name: 'one issues, one restores', runs: [[issue], [restore(), issue]] },
  { name: 'one issues, one has lost and restores', runs: [[issue], [issue, restore(), issue]] },
  {
    name: 'both restore',
    runs: [
      [issue, restore()],
      [issue, restore()],
    ],
  },
  { name: 'one moves the anchor, one issues', runs: [[move('Y'), issue], [issue]] },
  {
    name: 'both move the anchor',
    runs: [
      [move('Y'), issue],
      [move('Z'), issue],
    ],
  },
  {
    name: 'one moves the anchor, one restores',
    runs: [
      [move('Y'), issue],
      [restore('Y'), issue],
    ],
  },
  {
    name: 'one moves the anchor, one restores at an older place',
    runs: [
      [move('Z'), issue],
      [restore('Y'), issue],
    ],
    isLeftInY: true,
  },
  { name: 'a copy is taken of one that is stopped', runs: [[issue], [copiedIssue]] },
];

/** What an officer can do with a copy, until a license leaves. */
const waysOut = (isSure: boolean): readonly RunOfCopy[] =>
  [issue, move('Y'), restore(), restore('Y', isSure), restore('Z', isSure), restore('X', isSure)].flatMap((way) => [
    way,
    issue,
  ]);

/** @throws Error with the acts that lead there, where a counter is on two licenses or a copy is locked out for good */
export function exploreScenario(protocol: Protocol, { runs, isLeftInY }: Scenario, kills: number): Promise<Totals> {
  const open: OpenPlace = (place, gate) => {
    const { contents, settle, replace } = protocol(place, gate);
    return {
      description: place,
      whenMissing: '',
      identity: () => Promise.resolve(place),
      settle,
      replace,
      read: async () => recordsIn(await contents()),
      movedBy: async () => decodeAll(await contents()).find((content) => content?.moved === true)?.record,
    };
  };
  const copies = ['a', 'b'].map((name) => new CopyOfSite(name, open));
  // As version 0.1.0 left it, and as an issue with this version does.
  const first = copies.map((copy) => encodeAnchorRecord({ record: copy.record(), moved: false }, new Uint8Array(16)));
  return explore({
    parts: {
      [FIRST_PLACE]: new Storage(new Map(first.map((bytes) => ['anchor', bytes]))),
      Y: new Storage(new Map(isLeftInY === true ? first.map((bytes) => ['anchor', bytes]) : [])),
      Z: new Storage(),
      [LEFT]: new Storage(),
    },
    processes: copies.map((disk, i) => ({ disk, runs: runs[i] ?? [] })),
    kills,
    watched: LEFT,
    check: checkCounters,
    atEnd: async (parts, disks) => {
      const ends: string[] = [];
      let goOn = 0;
      // Only where no copy goes on otherwise, an officer is sure that none is in use.
      for (const isSure of [false, true])
        for (const copy of goOn === 0 ? disks : []) {
          const before = parts(LEFT).items.size;
          for (const run of waysOut(isSure)) {
            ends.push(`${copy.name}: ${await runAlone(run, copy, parts)}`);
            checkCounters(parts(LEFT));
            if (parts(LEFT).items.size === before) continue;
            goOn++;
            break;
          }
        }
      if (goOn === 0) throw new Error(`both copies are locked out for good: ${ends.join('; ')}`);
    },
  });
}

function checkCounters({ items }: Storage): void {
  const left = [...items.keys()];
  if (new Set(left.map((license) => license.split(' ')[0])).size !== left.length)
    throw new Error(`one counter is on two licenses: ${left.join(', ')}`);
}
