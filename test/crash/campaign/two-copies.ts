/**
 * Two copies of a site share an anchor, and run at once: each may be killed, and one may be stopped at a call on the
 * anchor while the other runs. Exactly one of them goes on afterwards, and no counter is on two licenses.
 */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dearmor } from '../../../formats/armor.ts';
import { toHex } from '../../../formats/bytes.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { sha256 } from '../../../signer/ledger/entries/chain.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { type KillPoint, NO_KILL } from './kill-point.ts';
import { anchorOf, copyOf, counterText, type Memory, Problems, recordedLicenses } from './look.ts';
import type { Act, Officer } from './officer.ts';
import type { Place } from './place.ts';
import { type Ended, runToDeath } from './process-that-dies.ts';
import type { Problem } from './totals.ts';

interface KilledAct {
  readonly act: Act;
  readonly point: KillPoint;
}

export interface PairOptions {
  /** In the site: an issue. */
  readonly own: KilledAct;
  /** In the copy: an issue, a move of the anchor or a restore. */
  readonly other: KilledAct;
  /** The call on the anchor before which the copy is stopped while the site runs; undefined: both run at once. */
  readonly stopOther: number | undefined;
  /** Which of both goes on first. */
  readonly copyFirst: boolean;
}

/** The site's folder is that of the winner afterwards. */
export async function runTwoCopies(
  place: Place,
  officer: Officer,
  memory: Memory,
  { own, other, stopOther, copyFirst }: PairOptions,
): Promise<{ readonly ended: readonly Ended[]; readonly problems: readonly Problem[] }> {
  const copy = join(place.folder, 'copy');
  const problems = new Problems();
  cpSync(place.site, copy, { recursive: true });
  const inCopy = (args: readonly string[]): readonly string[] =>
    args.map((arg) =>
      arg === place.site || arg.startsWith(`${place.site}/`) ? copy + arg.slice(place.site.length) : arg,
    );
  const runOwn = (): Promise<Ended> => runToDeath(own.act.args, own.point, place);
  const ended =
    stopOther === undefined
      ? await Promise.all([runOwn(), runToDeath(inCopy(other.act.args), other.point, place)])
      : await runWhileStopped(inCopy(other.act.args), stopOther, runOwn, place);
  const otherEnded = ended.at(-1);

  // As persons would: what was killed, or could not know whether its change counts, is run again; then each issues.
  const isUndecided = otherEnded?.killed === true || otherEnded?.stderr.includes(INTERRUPTED) === true;
  const goesOn = async (site: string): Promise<boolean> => {
    if (site === copy && isUndecided && other.act.command !== 'issue')
      expectGood(await runToDeath(inCopy(other.act.args), NO_KILL, place), other.act.command);
    const args = site === copy ? inCopy(own.act.args) : own.act.args;
    return expectGood(await runToDeath(args, NO_KILL, place), 'issue');
  };
  const expectGood = ({ code, stderr }: Ended, command: string): boolean => {
    if (code !== 0 && code !== REFUSED)
      problems.add('hand', `beside another copy, ${command} ended with exit code ${code}: ${stderr}`);
    return code === 0;
  };
  // A restore that was killed and is run again takes over in any case, so it comes first.
  const begin = copyFirst || other.act.command === 'ledger restore' ? copy : place.site;
  const firstGoesOn = await goesOn(begin);
  const secondGoesOn = await goesOn(begin === copy ? place.site : copy);
  const [copyGoesOn, siteGoesOn] = begin === copy ? [firstGoesOn, secondGoesOn] : [secondGoesOn, firstGoesOn];
  if (copyGoesOn === siteGoesOn)
    problems.add(
      copyGoesOn ? 'counter' : 'hand',
      copyGoesOn ? 'two copies that share an anchor both go on' : 'two copies that share an anchor are both refused',
    );
  const loser = copyGoesOn ? place.site : copy;
  const winner = copyGoesOn ? copy : place.site;
  const restored = copyGoesOn && other.act.command === 'ledger restore';
  compareLicenses(place, memory, { loser, winner, mayLack: restored }, problems);
  rmSync(loser, { recursive: true });
  if (copyGoesOn) renameSync(copy, place.site);
  if (restored) officer.hasRestored();
  else officer.forgetAct();
  officer.anchorIsIn(anchorOf(place));
  return { ended, problems: problems.all };
}

/** The ledger and the anchor disagree: another copy was faster. */
const REFUSED = 4;
/** The other copy may have finished this change. */
const INTERRUPTED = 'other runs are changing this anchor at the same time';

async function runWhileStopped(
  args: readonly string[],
  count: number,
  meanwhile: () => Promise<Ended>,
  place: Place,
): Promise<readonly Ended[]> {
  let first: Ended | undefined;
  const stopped = await runToDeath(
    args,
    { kind: 'call', on: 'anchor', when: 'before', count, stop: true },
    {
      ...place,
      whileStopped: async () => {
        first = await meanwhile();
      },
    },
  );
  // It makes fewer calls on the anchor, or none that is seen.
  return [first ?? (await meanwhile()), stopped];
}

/** What has left both copies has no counter twice, and is in the record that goes on. */
function compareLicenses(
  place: Place,
  memory: Memory,
  { loser, winner, mayLack }: { readonly loser: string; readonly winner: string; readonly mayLack: boolean },
  problems: Problems,
): void {
  const ledger = openLedgerForReading(copyOf(join(winner, 'ledger.sqlite'), place.folder));
  try {
    const recorded = recordedLicenses(ledger, problems);
    for (const site of [winner, loser]) {
      const out = join(site, 'out');
      const names = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
      for (const name of names.filter((each) => each.endsWith('.vtlic'))) {
        const cose = dearmor('VTLIC', readFileSync(join(out, name)));
        const digest = toHex(sha256(cose));
        const counter = counterText(decodeLicense(decodeCoseSign1(cose, TYP.license).payload));
        const before = memory.counters.get(counter);
        if (before !== undefined && before !== digest)
          problems.add('counter', `two licenses left two copies with the counter ${counter}`);
        memory.counters.set(counter, digest);
        if (!recorded.has(digest) && !mayLack)
          problems.add('missing', `${name} was released by a copy, and the ledger that goes on does not have it`);
      }
    }
  } finally {
    ledger.close();
  }
}
