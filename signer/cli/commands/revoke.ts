/**
 * `vtlic revoke` and `vtlic supersede`: they draft keysets by which products refuse single licenses, or the older ones
 * of a lineage.
 */
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { formatDay, formatEnd } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { Keyset } from '../../../formats/keyset/keyset.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { uuidToBytes } from '../../../formats/license/id.ts';
import { type CounterOf, type LedgerView, lineageText } from '../../ledger/index.ts';
import { lineageInKeyset } from '../../keyset/signer-rules.ts';
import { withdrawsLicense } from '../../rotation/field-licenses.ts';
import { licenseOfId } from '../../rotation/left-without.ts';
import { type DraftOptions, draftOptions, runDraft } from '../drafting.ts';
import { type DraftingContext } from '../named-keys.ts';
import type { Io } from '../io.ts';

const REVOKE_HELP = `
LICENSE is the id of a license that the ledger has. Products refuse it as soon
as they have the keyset; other licenses of the customer stay valid.

Example:
  vtlic revoke 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112`;

export function defineRevoke(command: Command, io: Io): void {
  draftOptions(command.addHelpText('after', REVOKE_HELP)).action((ids: readonly string[], options: DraftOptions) =>
    runDraft(io, options, ({ ledger, current }) => {
      for (const id of ids) {
        licenseById(ledger, id);
        if (current?.revokedLicenses.includes(id.toLowerCase()) === true)
          throw new VtlicError('usage', `license ${id.toLowerCase()} is revoked already`, { hint: 'leave it out' });
      }
      return { revokeLicenses: ids.map((id) => id.toLowerCase()) };
    }),
  );
}

const SUPERSEDE_HELP = `
LICENSE is the id of the newest license, which stays valid. Products that have
the keyset refuse every license of the same product, customer and deployment
with a lower counter. LICENSE must be released, and its first day must have
come: otherwise an honest customer would have no valid license.

Example:
  vtlic supersede 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112`;

export function defineSupersede(command: Command, io: Io): void {
  draftOptions(command.addHelpText('after', SUPERSEDE_HELP)).action((ids: readonly string[], options: DraftOptions) =>
    runDraft(io, options, (context) => ({ lowestCounters: lowestOf(context, ids) })),
  );
}

function lowestOf({ ledger, current, now }: DraftingContext, ids: readonly string[]): ReadonlyMap<string, number> {
  const lowest = new Map<string, number>();
  for (const id of ids) {
    const counter = licenseById(ledger, id);
    requireInForce(ledger, counter, { id: id.toLowerCase(), current, now });
    const text = lineageInKeyset(ledger.genesis.iss, counter);
    if (counter.ctr === current?.lowestCounters.get(text))
      throw new VtlicError('usage', `everything older than license ${id.toLowerCase()} is superseded already`, {
        hint: 'leave it out',
      });
    lowest.set(text, Math.max(counter.ctr, lowest.get(text) ?? 0));
  }
  return lowest;
}

interface Superseding {
  readonly id: string;
  readonly current: Keyset | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The license that a lineage keeps has to be valid today: otherwise its customer would have none. */
function requireInForce(ledger: LedgerView, counter: CounterOf, { id, current, now }: Superseding): void {
  const license = decodeLicense(counter.payload);
  const isReleased =
    ledger.findReentered(counter.licenseId) !== undefined ||
    ledger.findByLicenseId(counter.licenseId)?.state === 'released';
  const [why, hint] = !isReleased
    ? ['is not released', `release it first: vtlic release ${id}`]
    : license.nbf > now
      ? [`begins on ${formatDay(license.nbf)}`, 'wait for that day, or name the license that is in force']
      : license.exp <= now
        ? [`ended on ${formatEnd(license.exp)}`, 'renew it first (vtlic renew), and name the new license']
        : current !== undefined && withdrawsLicense(current)(license)
          ? ['is revoked or superseded', 'name a license that is valid']
          : [undefined, ''];
  if (why === undefined) return;
  throw new VtlicError(
    'policy_refused',
    `license ${id} of ${lineageText(counter)} ${why}, so the customer would have no valid license`,
    { hint },
  );
}

function licenseById(ledger: LedgerView, id: string): CounterOf {
  if (uuidToBytes(id.toLowerCase()) === undefined)
    throw new VtlicError('usage', `"${cleanText(id, 80)}" is not the id of a license`, {
      hint: 'give the license id, as vtlic ledger show prints it',
    });
  const license = licenseOfId(ledger, id.toLowerCase());
  if (license === undefined)
    throw new VtlicError('request_invalid', `the ledger has no license ${id.toLowerCase()}`, {
      hint: 'check the id: vtlic ledger show CUSTOMER',
    });
  return license;
}
