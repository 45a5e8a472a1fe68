/** `vtlic verify FILE --product P`: the reference verifier on the command line. Needs no site. */
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { parseDate } from '../../../formats/dates.ts';
import { MAX_TIME } from '../../../formats/license/bounds.ts';
import { makeTrust } from '../../../verifier/index.ts';
import { openSite, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io, SetExit } from '../io.ts';
import { collect, invalid, siteFolder, siteOption, type SiteOptions } from './common.ts';
import { verifyFile, type TrustingSite, type VerifyFileOptions } from './verify-file.ts';

const MAX_GRACE_DAYS = 366;

type VerifyOptions = VerifyFileOptions & SiteOptions;

function parseHost(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw invalid('expected a host fingerprint of 64 hex digits');
  return text.toLowerCase();
}

function parseTime(text: string): number {
  const time = parseDate(text, false);
  if (!time.ok) throw invalid(time.why);
  if (time.seconds < 0 || time.seconds > MAX_TIME) throw invalid('expected a time from 1970 to 9999, in UTC');
  return time.seconds;
}

function parseGraceDays(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > MAX_GRACE_DAYS) throw invalid(`expected 0 to ${MAX_GRACE_DAYS} days`);
  return Number(text);
}

export function defineVerify(command: Command, io: Io, setExit: SetExit): void {
  command
    .requiredOption('--product <id>', 'the product that asks')
    .option('--deployment <id>', 'the deployment that asks')
    .option('--issuer <id>', "the vendor (default: the site's issuer)")
    .option(
      '--host <hex>',
      'a fingerprint of this host (repeatable)',
      (value: string, all: string[]) => [...all, parseHost(value)],
      [] as string[],
    )
    .option('--trust <keys>', "a file of public keys (repeatable; default: the site's)", collect, [] as string[])
    .option('--at <time>', 'verify as of this time (default: now)', parseTime)
    .option(
      '--build-date <date>',
      'the date of the build that asks, such as 2027-11-24 (the start of that day, UTC)',
      parseTime,
    )
    .option('--grace-days <n>', 'the grace that the product gives by itself (default: 0)', parseGraceDays, 0)
    .option('--json', 'the verdict as one JSON document');
  siteOption(command).action((name: string, options: VerifyOptions) => {
    const site = options.trust.length === 0 ? trusting(siteFor(io, options)) : undefined;
    setExit(
      verifyFile({ out: io.out, err: io.err, cwd: io.cwd, now: () => nowSeconds(io.world) }, name, options, site),
    );
  });
}

function siteFor(io: Io, options: VerifyOptions): Site {
  try {
    return openSite(siteFolder(io, options));
  } catch (error) {
    if (options.site === undefined && error instanceof VtlicError)
      throw new VtlicError('usage', 'which keys are trusted? There is no site here, and no --trust', {
        hint: 'give --trust FILE with the public keys of the vendor, or --site DIR',
      });
    throw error;
  }
}

function trusting({ config }: Site): TrustingSite {
  return {
    trust: makeTrust({
      keys: config.keys.map((record) => ({
        key: record.publicKey,
        purpose: record.purpose,
        status: 'active' as const,
      })),
    }),
    issuer: config.issuer,
  };
}
