/**
 * `vtlic verify FILE --product P`: the reference verifier on the command line. It needs no site, and loads nothing that
 * it does not need.
 */
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { formatDay, formatEnd, formatLastDay, isPerpetual, parseDate, PERPETUAL } from '../../../formats/dates.ts';
import { MAX_TIME, DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { makeTrust, type Accepted, REASONS, type Refused, type Trust, verify } from '../../../verifier/index.ts';
import { openSite, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io, SetExit } from '../io.ts';
import { collect, invalid, readTrustFile, siteFolder, siteOption, type SiteOptions } from '../options.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import { dearmor, LICENSE_LIMITS } from '../../../formats/armor.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { readLicenseFile, readStandardInput } from '../../../files/index.ts';
import { formatRows, licenseRows } from '../../summary/license-summary.ts';
import { EXIT } from '../exit-codes.ts';

const MAX_GRACE_DAYS = 366;

const HELP = `
Exit code 0: the license is in force, or in its grace. 20: it is not a valid
license for this product and host. 21: it is genuine, but not in force at that
time. The command does not know which licenses a product accepted before.`;

interface VerifyOptions extends SiteOptions {
  readonly product: string;
  readonly deployment?: string;
  readonly issuer?: string;
  readonly host: readonly string[];
  readonly trust: readonly string[];
  readonly at?: number;
  readonly buildDate?: number;
  readonly graceDays: number;
  readonly json?: boolean;
}

/** The keys that a site trusts, and the issuer whose licenses it expects. */
interface TrustingSite {
  readonly trust: Trust;
  readonly issuer: string;
}

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
    .requiredOption('--product <id>', 'the product that would use the license')
    .option('--deployment <id>', 'the deployment that would use it')
    .option('--issuer <id>', "the vendor (default: the site's issuer)")
    .option(
      '--host <hex>',
      'the fingerprint of a host that would use it (repeatable)',
      (value: string, all: string[]) => [...all, parseHost(value)],
      [] as string[],
    )
    .option('--trust <keys>', "a file of public keys (repeatable; default: the site's)", collect, [] as string[])
    .option('--at <time>', 'verify as of this time (default: now)', parseTime)
    .option('--build-date <date>', 'the date of the build of the product, such as 2027-11-24', parseTime)
    .option('--grace-days <n>', 'the grace that the product gives by itself (default: 0)', parseGraceDays, 0)
    .option('--json', 'the verdict as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action((name: string, options: VerifyOptions) => {
    const site = options.trust.length === 0 ? trusting(siteFor(io, options)) : undefined;
    setExit(verifyFile(io, name, options, site));
  });
}

function siteFor(io: Io, options: VerifyOptions): Site {
  try {
    return openSite(siteFolder(io, options));
  } catch (error) {
    if (options.site === undefined && error instanceof VtlicError)
      throw new VtlicError(
        'usage',
        'it is not known which keys to trust: there is no site here, and --trust is not given',
        {
          hint: 'give --trust FILE with the public keys of the vendor, or --site DIR',
        },
      );
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

/** @returns the exit code */
function verifyFile(io: Io, name: string, options: VerifyOptions, site: TrustingSite | undefined): number {
  const path = name === '-' ? 'standard input' : resolve(io.cwd, name);
  const trust = site?.trust ?? trustFromFiles(io, options.trust);
  const file = name === '-' ? readStandardInput(LICENSE_LIMITS.fileBytes + 1) : readLicenseFile(path);
  const issuer = options.issuer ?? site?.issuer ?? statedIssuer(file);
  const verdict = verify(file, trust, {
    issuer: issuer ?? 'unknown',
    product: options.product,
    ...(options.deployment === undefined ? {} : { deployment: options.deployment }),
    ...(options.host.length === 0 ? {} : { hosts: options.host }),
    ...(options.buildDate === undefined ? {} : { buildDate: options.buildDate }),
    now: options.at ?? nowSeconds(io.runtime),
    defaultGrace: options.graceDays * DAY_SECONDS,
  });
  if (!verdict.ok) {
    refused(io, path, verdict, options);
    return EXIT.notValid;
  }
  if (options.issuer === undefined && site === undefined)
    io.err(`the issuer ${cleanText(verdict.license.iss)} is taken from the license: give --issuer to check it`);
  accepted(io, verdict, options);
  return verdict.state === 'active' || verdict.state === 'grace' ? EXIT.done : EXIT.notInForce;
}

function trustFromFiles(io: Io, files: readonly string[]): Trust {
  const keys = files.flatMap((name) => readTrustFile(io, name));
  return makeTrust({ keys: keys.map((key) => ({ key, purpose: 'license', status: 'active' })) });
}

/**
 * What the file says of its issuer, before anything is verified: used only if no option says which issuer to expect.
 */
function statedIssuer(file: Uint8Array): string | undefined {
  try {
    return decodeLicense(decodeCoseSign1(dearmor('VTLIC', file), TYP.license).payload).iss;
  } catch {
    return undefined;
  }
}

/** The last day, or the moment where it ends within a day. A grace may end after the last year of a date. */
function until(end: number): string {
  return formatLastDay(end, { day: 'until the end of this day, UTC', moment: '' });
}

const STATE_WORDS: Readonly<Record<Accepted['state'], (verdict: Accepted) => string>> = {
  active: ({ license }) =>
    isPerpetual(license.exp) ? `in force, ${PERPETUAL}` : `in force until ${until(license.exp)}`,
  grace: ({ license, graceUntil }) =>
    `ended ${formatEnd(license.exp)}, honored in its grace until ${until(graceUntil)}`,
  not_yet_valid: ({ license }) => `not in force before ${formatDay(license.nbf)}`,
  lapsed: ({ license, graceUntil }) =>
    `lapsed: ended ${formatEnd(license.exp)}, its grace ended ${formatEnd(graceUntil)}`,
};

function accepted(io: Io, verdict: Accepted, options: VerifyOptions): void {
  if (options.json === true) {
    const { state, license, alg, kid, payloadDigest, judgedAt, graceUntil } = verdict;
    io.out(
      jsonLine({
        schema: 'vtlic-verify/1',
        ok: true,
        state,
        until: formatEnd(license.exp),
        judgedAt,
        graceUntil,
        algorithm: alg,
        kid,
        payloadSha256: payloadDigest,
        license,
      }),
    );
    return;
  }
  io.out(`${verdict.state}: genuine, ${STATE_WORDS[verdict.state](verdict)}\n`);
  const rows = formatRows([...licenseRows(verdict.license), ['algorithm', verdict.alg], ['key id', verdict.kid]]);
  io.out(`${rows.join('\n')}\n`);
}

function refused(io: Io, path: string, verdict: Refused, options: VerifyOptions): void {
  const { sentence, remedy } = REASONS[verdict.reason];
  if (options.json === true) {
    io.out(
      jsonLine({
        schema: 'vtlic-verify/1',
        ok: false,
        layer: verdict.layer,
        reason: verdict.reason,
        detail: verdict.detail,
        sentence,
        remedy,
        ...verdict.place,
      }),
    );
    return;
  }
  io.out(`refused: ${verdict.reason}\n`);
  io.err(`vtlic: ${cleanText(path, 4000)}: ${sentence} ${cleanText(missingOption(verdict), 1000)}`);
  io.err(`  → ${remedy}`);
  if (verdict.reason === 'armor_malformed')
    io.err(`  → or see whether it can be mended: ${io.name} inspect FILE --mend NEW.vtlic`);
}

/** The detail, and the option that would have answered it where the license binds something that was not given. */
function missingOption(verdict: Refused): string {
  if (verdict.reason === 'deployment_mismatch') return `(${verdict.detail}; the deployment is given with --deployment)`;
  if (verdict.reason === 'host_mismatch') return `(${verdict.detail}; a host is given with --host)`;
  if (verdict.reason === 'build_not_covered')
    return `(${verdict.detail}; the date of a build is given with --build-date)`;
  return `(${verdict.detail})`;
}
