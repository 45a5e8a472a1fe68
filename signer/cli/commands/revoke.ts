/** `vtlic revoke` and `vtlic supersede`: drafts in which single licenses, or older ones of a lineage, count no more. */
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { uuidToBytes } from '../../../formats/license/id.ts';
import { type CounterOf, type LedgerView, lineageText } from '../../ledger/index.ts';
import { highestBegun, lineageInKeyset } from '../../keyset/signer-rules.ts';
import { licenseOfId } from '../../rotation/left-without.ts';
import { type DraftOptions, draftOptions, runDraft } from '../drafting.ts';
import { type DraftingContext } from '../named-keys.ts';
import type { Io } from '../io.ts';

const REVOKE_HELP = `
LICENSE is the id of a license that the ledger has. Products refuse it once
they have the keyset; other licenses of the customer are not concerned.

Example:
  vtlic revoke 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112`;

export function defineRevoke(command: Command, io: Io): void {
  draftOptions(command.addHelpText('after', REVOKE_HELP)).action((ids: readonly string[], options: DraftOptions) =>
    runDraft(io, options, ({ ledger }) => {
      for (const id of ids) licenseById(ledger, id);
      return { revokeLicenses: ids.map((id) => id.toLowerCase()) };
    }),
  );
}

const SUPERSEDE_HELP = `
LICENSE is the id of the license that counts: everything with a lower counter of
its lineage (product, customer, deployment) is refused by products that have the
keyset. It has to be released, and its first day has to have come: otherwise an
honest customer would have no license that counts.

Example:
  vtlic supersede 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112`;

export function defineSupersede(command: Command, io: Io): void {
  draftOptions(command.addHelpText('after', SUPERSEDE_HELP)).action((ids: readonly string[], options: DraftOptions) =>
    runDraft(io, options, (context) => ({ lowestCounters: lowestOf(context, ids) })),
  );
}

function lowestOf({ ledger, now }: DraftingContext, ids: readonly string[]): ReadonlyMap<string, number> {
  const lowest = new Map<string, number>();
  for (const id of ids) {
    const license = licenseById(ledger, id);
    const highest = highestBegun(ledger, license, now);
    if (license.ctr > highest)
      throw new VtlicError(
        'policy_refused',
        `license ${id.toLowerCase()} has the counter ${license.ctr} of ${lineageText(license)}, and the highest ` +
          `counter that was released and has begun is ${highest}`,
        { hint: 'release it first (vtlic release), and wait for its first day' },
      );
    const text = lineageInKeyset(ledger.genesis.iss, license);
    lowest.set(text, Math.max(license.ctr, lowest.get(text) ?? 0));
  }
  return lowest;
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
