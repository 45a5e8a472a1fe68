/** The ledger opened for signing: one writer, the clock judged, and whatever a crash left finished or voided. */
import { VtlicError } from '../../formats/error.ts';
import { judgeClock } from '../ledger/clock-rule.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLedgerForWriting } from '../ledger/open.ts';
import { formatInstant } from '../request/dates.ts';
import type { Site } from '../site/site.ts';
import { nowSeconds, type World } from '../world.ts';
import { recover } from './recover.ts';

const CONFIRM_WITHIN_SECONDS = 300;

/**
 * @param confirmTime what the officer says the time is (seconds), if `--confirm-time` was given
 * @param command for the name of the lock's holder
 */
export async function openForSigning(site: Site, world: World, command: string, confirmTime?: number): Promise<Ledger> {
  const ledger = await openLedgerForWriting(site.paths.ledger, {
    now: () => nowSeconds(world),
    random: world.random,
    holder: { command: `vtlic ${command}` },
  });
  try {
    if (ledger.genesis.iss !== site.config.issuer) {
      throw new VtlicError('configuration_invalid', `site.json says issuer ${site.config.issuer}, but this ledger was made for ${ledger.genesis.iss}`, { file: site.paths.site, hint: 'an issuer is never renamed: put the old value back' });
    }
    await world.step('ledger-open');
    checkClock(ledger, world, confirmTime);
    await recover(ledger, site.paths.folder, world);
    return ledger;
  } catch (error) {
    ledger.close();
    throw error;
  }
}

function checkClock(ledger: Ledger, world: World, confirmTime: number | undefined): void {
  const now = nowSeconds(world);
  if (confirmTime !== undefined && Math.abs(confirmTime - now) > CONFIRM_WITHIN_SECONDS) {
    throw new VtlicError('clock_refused', `--confirm-time says ${formatInstant(confirmTime)}, but the clock reads ${formatInstant(now)}: they should be within 5 minutes`, { hint: 'set the clock, or read it again' });
  }
  const verdict = judgeClock(ledger.lastAt(), ledger.lastClock()?.body, now);
  if (verdict.ok) return;
  if (confirmTime === undefined) {
    throw new VtlicError('clock_refused', verdict.sentence, { hint: `set the clock; or, if it is right, confirm it: --confirm-time ${formatInstant(now)}` });
  }
  ledger.clock(confirmTime, world.operator);
  world.tell(`clock: ${formatInstant(now)} confirmed by ${world.operator}, and recorded`);
}
