/** `vtlic renew ID|FILE|CUSTOMER`: the last license, what changes → plan → show and confirm → sign → release. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import type { License } from '../../../formats/license/license.ts';
import { readLimited } from '../../../files/index.ts';
import { takenOverFrom } from '../../ledger/index.ts';
import { planLicense } from '../../plan/plan-license.ts';
import { planView } from '../../summary/plan-summary.ts';
import { changesFromTexts, mergeChanges, parseChanges, type Changes } from '../../renew/changes.ts';
import { findBase, noLicenseOf, parseTarget, type RenewalTarget } from '../../renew/previous-license.ts';
import { firstRequest, laterByYears, renewalRequest } from '../../renew/renewal-request.ts';
import { checkAgainstCatalog } from '../../request/check-against-catalog.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io } from '../io.ts';
import { givenMembers, memberOptions, type MemberOptions } from '../member-options.ts';
import { collect, invalid } from '../options.ts';
import { runSigning, signingOptions, type SigningCommand, type SigningOptions } from '../sign-plan.ts';

const MAX_CHANGES_BYTES = 1 << 20;

/** Descriptions of the options that mean more in a renewal than in a request. */
const WORDS = {
  from: 'the first day (default: the day after the last license ends; as before, if the end is not changed)',
  features: 'all features, joined by ;',
  use: 'non-production, trial or emergency (production: --unset use)',
  product: 'which product to renew; one that is new to the customer gets counters of its own',
  deployment: 'which deployment to renew; one that is new to the customer gets counters of its own',
  limits: 'one limit; the others stay (repeatable)',
};

interface RenewOptions extends SigningOptions, MemberOptions {
  readonly changes?: string;
  readonly unset: readonly string[];
  readonly newCustomers?: boolean;
  readonly years?: number;
}

const MAX_YEARS = 100;

function parseYears(text: string): number {
  const years = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : MAX_YEARS + 1;
  if (years > MAX_YEARS) throw invalid(`expected 1 to ${MAX_YEARS} years`);
  return years;
}

export function defineRenew(command: Command, io: Io): void {
  memberOptions(command, WORDS)
    .option('--years <n>', 'N years more, for the term and for updates (instead of --until)', parseYears)
    .option(
      '--unset <member>',
      'leave this member out of the renewal, such as reference (repeatable)',
      collect,
      [] as string[],
    )
    .option('--changes <file>', 'a JSON file with the changes, by the names of a request; null leaves a member out')
    .option('--new-customers', 'accept a customer who has no license yet; then give everything that a request needs');
  signingOptions(command).action(async (target: string | undefined, options: RenewOptions) => {
    if ((options.confirm === undefined) === (target === undefined))
      throw new VtlicError(
        'usage',
        'renew takes a license id, a file or a customer, or --confirm DIGEST instead of one',
        { hint: 'see: vtlic help renew' },
      );
    const isChanged = givenMembers(options).length > 0 || options.changes !== undefined || options.years !== undefined;
    if (target === undefined && isChanged)
      throw new VtlicError('usage', '--confirm cannot be used with changes: it signs the plan as it is');
    await runSigning(
      io,
      {
        name: 'renew',
        prepare:
          target === undefined
            ? undefined
            : prepare(
                io,
                parseTarget(target, (path) => resolve(io.cwd, path)),
                options,
              ),
      },
      options,
    );
  });
}

function changesOf(io: Io, options: RenewOptions): Changes {
  const fromOptions = changesFromTexts({
    members: Object.fromEntries(givenMembers(options)),
    limit: options.limit,
    unset: options.unset,
  });
  if (options.changes === undefined) return fromOptions;
  const file = resolve(io.cwd, options.changes);
  return mergeChanges(parseChanges(readLimited(file, MAX_CHANGES_BYTES, 'json_malformed'), file), fromOptions);
}

/** A member that is named explicitly overrides what `--years` sets. */
function withYears(last: License, changes: Changes, years: number | undefined, now: number): Changes {
  return years === undefined ? changes : { ...changes, set: { ...laterByYears(last, years, now), ...changes.set } };
}

function prepare(io: Io, target: RenewalTarget, options: RenewOptions): SigningCommand['prepare'] {
  return (site) => {
    const changes = changesOf(io, options);
    if (options.years !== undefined && changes.set.until !== undefined)
      throw new VtlicError('usage', 'the new end is given twice: by --years and by "until"', {
        hint: 'give one of the two',
      });
    return (input) => {
      const base = findBase(target, input, changes.set);
      if (base.kind === 'new' && options.newCustomers !== true) {
        const { message, hint } = noLicenseOf(base.customer, takenOverFrom(input.ledger, base.customer));
        throw new VtlicError('policy_refused', message, { hint });
      }
      if (base.kind === 'license' && base.note !== undefined) io.err(base.note);
      const request =
        base.kind === 'new'
          ? firstRequest(base.customer, changes)
          : renewalRequest(
              base.last.license,
              withYears(base.last.license, changes, options.years, nowSeconds(io.runtime)),
              nowSeconds(io.runtime),
            );
      checkAgainstCatalog(request, input.catalog, site.paths.catalog);
      const plan = planLicense(request, { ...input, runtime: io.runtime });
      return { plan, view: planView(plan, { ...input, ...(base.kind === 'new' ? {} : { base: base.last }) }) };
    };
  };
}
