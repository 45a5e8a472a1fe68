/** `vtlic issue`: a request, as a file or as options → plan → show and confirm → sign → release. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { readLimited } from '../../../files/index.ts';
import { planLicense } from '../../plan/plan-license.ts';
import { planView } from '../../summary/plan-summary.ts';
import { changesFromTexts } from '../../renew/changes.ts';
import { checkAgainstCatalog } from '../../request/check-against-catalog.ts';
import { isRequired, MEMBER_NAMES, parseRequest } from '../../request/parse.ts';
import type { Request } from '../../request/request.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io } from '../io.ts';
import { givenMembers, memberOptions, type MemberOptions } from '../member-options.ts';
import { invalid, parseCustomer } from '../options.ts';
import { runEmergency } from './issue-emergency.ts';
import { runSigning, signingOptions, type SigningCommand, type SigningOptions } from '../sign-plan.ts';

const MAX_REQUEST_BYTES = 1 << 20;

interface IssueOptions extends SigningOptions, MemberOptions {
  readonly customer?: string;
  readonly emergency?: boolean;
  readonly days?: number;
}

const HELP = `
Name the order in a file, or by options. --customer, --product, --tier, --seats
and --until are then required.

Examples:
  vtlic issue request.json
  vtlic issue --customer acme-gmbh --name "Acme GmbH" --product vaultdesk \\
    --tier enterprise --seats 250 --until 2027-11-24 --reference PO-4711
  vtlic issue request.json --emergency --dry-run

--emergency prepares a license for a day on which you cannot work as usual.
"from" and "until" of the request are the time in which the plan can be used.
On that day, --emergency --confirm DIGEST signs it for a few days.`;

function parseDays(text: string): number {
  if (!/^[1-9][0-9]?$/.test(text)) throw invalid('expected a number of days, 1 to 90');
  return Number(text);
}

export function defineIssue(command: Command, io: Io): void {
  command.option('--customer <id>', 'who gets the license: the id of the customer', parseCustomer);
  memberOptions(command, {
    from: 'the first day (UTC), or an exact time (default: today)',
    limits: 'one limit of the tier (repeatable)',
  }).addHelpText('after', HELP);
  command
    .option('--emergency', 'plan ahead (--dry-run) a license for an emergency, or sign it on the day (--confirm)')
    .option('--days <n>', 'with --emergency: for how many days (default: what the catalog allows)', parseDays);
  signingOptions(command).action(async (file: string | undefined, options: IssueOptions) => {
    const given = [...givenMembers(options).map(([member]) => member), ...options.limit, options.customer].some(
      (value) => value !== undefined,
    );
    if (options.days !== undefined && options.emergency !== true)
      throw new VtlicError('usage', '--days needs --emergency', { hint: 'see: vtlic help issue' });
    if (options.emergency === true && !given) {
      await runEmergency(io, file, options);
      return;
    }
    if (options.emergency === true)
      throw new VtlicError('usage', '--emergency takes the request as a file, not as options', {
        hint: 'write the request to a file: docs/site.md',
      });
    if ([options.confirm !== undefined, file !== undefined, given].filter(Boolean).length !== 1)
      throw new VtlicError(
        'usage',
        'issue takes one of these: a request file, the request as options, or --confirm DIGEST',
        { hint: 'see: vtlic help issue' },
      );
    const prepare = file !== undefined ? prepareFile(io, file) : given ? prepareOptions(io, options) : undefined;
    await runSigning(io, { name: 'issue', prepare }, options);
  });
}

function prepareFile(io: Io, file: string): SigningCommand['prepare'] {
  const path = resolve(io.cwd, file);
  return (_site, catalog) => {
    const request = parseRequest(readLimited(path, MAX_REQUEST_BYTES, 'json_malformed'), path);
    checkAgainstCatalog(request, catalog, path);
    return planner(io, request);
  };
}

function prepareOptions(io: Io, options: IssueOptions): SigningCommand['prepare'] {
  return (site, catalog) => {
    const request = requestOf(options, nowSeconds(io.runtime));
    checkAgainstCatalog(request, catalog, site.paths.catalog);
    return planner(io, request);
  };
}

function planner(io: Io, request: Request): ReturnType<NonNullable<SigningCommand['prepare']>> {
  return (input) => {
    const plan = planLicense(request, { ...input, runtime: io.runtime });
    return { plan, view: planView(plan, input) };
  };
}

/** @throws VtlicError `usage` with all options that are missing, `request_invalid` for a value at fault */
function requestOf(options: IssueOptions, now: number): Request {
  const missing = MEMBER_NAMES.filter((name) => isRequired(name) && name !== 'from' && options[name] === undefined);
  if (missing.length > 0)
    throw new VtlicError('usage', `issue by options also needs ${missing.map((name) => `--${name}`).join(', ')}`, {
      hint: 'see: vtlic help issue',
    });
  const { set, limits } = changesFromTexts({
    members: Object.fromEntries(givenMembers(options)),
    limit: options.limit,
    unset: [],
  });
  return Object.freeze({
    from: now - (now % DAY_SECONDS),
    features: [],
    ...set,
    limits,
    customer: options.customer,
  } as Request);
}
