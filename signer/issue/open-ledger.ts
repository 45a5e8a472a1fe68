/**
 * Opens the ledger for signing: there is one writer, the clock is checked, and whatever a crash left is finished or
 * voided. The clock is checked before counters are reserved: here, and again before each group of intents.
 */
import { toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { anchorPlaceText } from '../anchor/index.ts';
import {
  clockMark,
  judgeClock,
  type Ledger,
  type LedgerOpenOptions,
  openLedgerForWriting,
  type LedgerView,
} from '../ledger/index.ts';
import { formatInstant } from '../../formats/dates.ts';
import { requireSiteOwner, type Site } from '../site/site.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import { recover } from './recover.ts';

const CONFIRM_WITHIN_SECONDS = 300;
/** A larger jump of the clock, forward or back, needs a typed word: 365 days. */
const MAX_SILENT_JUMP_SECONDS: number = 365 * 86_400;

export async function openForSigning(site: Site, runtime: Runtime, run: LedgerOpenOptions): Promise<Ledger> {
  requireSiteOwner(site.paths);
  const ledger = await openLedgerForWriting(site.paths.ledger, {
    now: () => nowSeconds(runtime),
    random: runtime.random,
    holder: { command: `vtlic ${run.command}` },
    ...(run.anchorStore === undefined ? {} : { anchorStore: run.anchorStore }),
  });
  try {
    if (ledger.genesis.iss !== site.config.issuer) {
      throw new VtlicError(
        'configuration_invalid',
        `site.json says issuer ${site.config.issuer}, but this ledger was made for ${ledger.genesis.iss}`,
        { file: site.paths.site, hint: 'an issuer is never renamed: put the old value back' },
      );
    }
    await runtime.step('ledger-open');
    await settleMove(ledger, run);
    const confirmed = timeToConfirm(ledger, runtime, run.confirmTime);
    const { voids, releases, anchor } = ledger.recoveryPlan();
    if (confirmed !== undefined || voids.length > 0 || releases.length > 0 || anchor)
      await run.requireOwnKey?.(toHex(ledger.genesis.ledgerId));
    if (confirmed !== undefined) {
      await confirmJump(ledger, nowSeconds(runtime), run);
      ledger.clock(confirmed, runtime.operator);
      runtime.tell(`clock: ${formatInstant(nowSeconds(runtime))} confirmed by ${runtime.operator}, and recorded`);
    }
    await recover(ledger, site, runtime);
    return ledger;
  } catch (error) {
    ledger.close();
    throw error;
  }
}

/**
 * Finishes an interrupted move of the anchor: until the old place says that the anchor has moved, it agrees with an
 * older state of the ledger.
 */
async function settleMove(ledger: Ledger, run: LedgerOpenOptions): Promise<void> {
  const move = ledger.lastAnchorMove();
  if (move === undefined || move.seq <= ledger.anchored.entries) return;
  if (run.finishMove === undefined) {
    throw new VtlicError(
      'ledger_conflict',
      `the anchor was being moved from ${anchorPlaceText(move.from)} to ${anchorPlaceText(move.to)}, and this ` +
        'was interrupted: the anchor in the old place may still agree with an older state of the ledger',
      {
        file: ledger.path,
        hint: `finish it: vtlic ledger anchor --to ${anchorPlaceText(move.to)}`,
      },
    );
  }
  await run.finishMove(move, ledger);
  await ledger.anchor();
}

/** @throws VtlicError `clock_refused` if there is nobody to ask */
async function confirmJump(ledger: Ledger, to: number, run: LedgerOpenOptions): Promise<void> {
  const from = clockMark(ledger.lastAt(), ledger.lastClock()?.body);
  if (Math.abs(to - from) <= MAX_SILENT_JUMP_SECONDS) return;
  if (run.confirmJump !== undefined) await run.confirmJump({ from, to });
  else
    throw new VtlicError(
      'clock_refused',
      `the clock reads ${formatInstant(to)}, more than a year from the ledger's last entry, ${formatInstant(from)}`,
      { hint: 'set the clock; or, if it is right, confirm it at a terminal, with vtlic issue or renew' },
    );
}

/** What must be recorded before anything else, because the ledger doubts the clock and the officer does not. */
function timeToConfirm(ledger: Ledger, runtime: Runtime, confirmTime: number | undefined): number | undefined {
  const now = nowSeconds(runtime);
  if (confirmTime !== undefined && Math.abs(confirmTime - now) > CONFIRM_WITHIN_SECONDS) {
    throw new VtlicError(
      'clock_refused',
      `--confirm-time says ${formatInstant(confirmTime)}, but the clock reads ${formatInstant(now)}: they ` +
        'should be within 5 minutes',
      { hint: 'set the clock, or read it again' },
    );
  }
  const verdict = judgeClock(ledger.lastAt(), ledger.lastClock()?.body, now);
  if (verdict.ok) return undefined;
  if (confirmTime === undefined) {
    throw clockRefused(verdict.sentence, now);
  }
  return confirmTime;
}

function clockRefused(sentence: string, now: number): VtlicError {
  return new VtlicError('clock_refused', sentence, {
    hint: `set the clock; or, if it is right, confirm it: --confirm-time ${formatInstant(now)}`,
  });
}

/**
 * Checks the clock again during a run. A prompt may have been open for hours, and a batch may run as long, so the clock
 * may have been changed since the start.
 *
 * @param now seconds since 1970
 * @throws VtlicError `clock_refused`
 */
export function requireClock(ledger: Pick<LedgerView, 'lastAt' | 'lastClock'>, now: number): void {
  const verdict = judgeClock(ledger.lastAt(), ledger.lastClock()?.body, now);
  if (!verdict.ok)
    throw clockRefused(`${verdict.sentence}; it was changed during this run, and nothing more is signed`, now);
}
