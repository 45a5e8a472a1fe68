/** `vtlic verify FILE --product P`: the reference verifier on the command line. Needs no site. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { dearmor, LICENSE_LIMITS } from '../../../formats/armor.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import { REASONS, type Reason } from '../../../verifier/reasons.ts';
import { makeTrust, type Trust } from '../../../verifier/trust.ts';
import type { Accepted, Refused } from '../../../verifier/verdict.ts';
import { verify } from '../../../verifier/verify.ts';
import { readLimited } from '../../files/read-file.ts';
import { formatRows, licenseRows } from '../../plan/view.ts';
import { formatInstant, parseDate } from '../../request/dates.ts';
import { openSite, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../world.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { jsonText } from '../json-text.ts';
import { invalid, siteFolder, siteOption, type SiteOptions } from './common.ts';

const MOST_KEY_BYTES = 1 << 20;
const DAY_SECONDS = 86_400;
const ROLLED_BACK: ReadonlySet<Reason> = new Set(['lineage_not_newer', 'counter_rolled_back', 'counter_conflict']);

interface VerifyOptions extends SiteOptions {
  readonly product: string;
  readonly deployment?: string;
  readonly issuer?: string;
  readonly host: readonly string[];
  readonly trust: readonly string[];
  readonly at?: number;
  readonly graceDays: number;
  readonly json?: boolean;
}

function parseHost(value: string, all: readonly string[]): string[] {
  if (!/^[0-9a-fA-F]{64}$/.test(value)) throw invalid('expected a host fingerprint of 64 hex digits');
  return [...all, value.toLowerCase()];
}

function parseTime(text: string): number {
  const time = parseDate(text, false);
  if (!time.ok) throw invalid(time.why);
  if (time.seconds < 0) throw invalid('expected a time from 1970 on');
  return time.seconds;
}

function parseGraceDays(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 366) throw invalid('expected 0 to 366 days');
  return Number(text);
}

export function addVerify(program: Command, io: Io, setExit: SetExit): void {
  const command = program
    .command('verify <file>')
    .description('verifies a license file for a product; exit code 0, 20, 21 or 22')
    .requiredOption('--product <id>', 'the product that asks')
    .option('--deployment <id>', 'the deployment that asks')
    .option('--issuer <id>', "the vendor (default: the site's issuer)")
    .option('--host <hex>', 'a fingerprint of this host (repeatable)', parseHost, [] as string[])
    .option('--trust <keys>', "a file of public keys (repeatable; default: the site's)", (value: string, all: string[]) => [...all, value], [] as string[])
    .option('--at <time>', 'verify as of this time (default: now)', parseTime)
    .option('--grace-days <n>', 'the grace that the product gives by itself (default: 0)', parseGraceDays, 0)
    .option('--json', 'the verdict as one JSON document');
  siteOption(command).action((name: string, options: VerifyOptions) => {
    const path = resolve(io.cwd, name);
    const site = options.trust.length === 0 ? siteFor(io, options) : undefined;
    const trust = site === undefined ? trustFromFiles(io, options.trust) : trustFromSite(site);
    const file = readLimited(path, LICENSE_LIMITS.fileBytes + 1);
    const issuer = options.issuer ?? site?.config.issuer ?? statedIssuer(file);
    const verdict = verify(file, trust, {
      issuer: issuer ?? 'unknown',
      product: options.product,
      ...(options.deployment === undefined ? {} : { deployment: options.deployment }),
      ...(options.host.length === 0 ? {} : { hosts: options.host }),
      now: options.at ?? nowSeconds(io.world),
      defaultGrace: options.graceDays * DAY_SECONDS,
    });
    if (verdict.ok) {
      if (options.issuer === undefined && site === undefined) io.err(`the issuer ${cleanText(verdict.license.iss)} is taken from the license: give --issuer to check it`);
      accepted(io, verdict, options);
      setExit(verdict.state === 'active' || verdict.state === 'grace' ? EXIT.done : EXIT.notInForce);
    } else {
      refused(io, path, verdict, options);
      setExit(ROLLED_BACK.has(verdict.reason) ? EXIT.rolledBack : EXIT.notValid);
    }
  });
}

function siteFor(io: Io, options: VerifyOptions): Site {
  try {
    return openSite(siteFolder(io, options));
  } catch (error) {
    if (options.site === undefined && error instanceof VtlicError) throw new VtlicError('usage', 'which keys are trusted? There is no site here, and no --trust', { hint: 'give --trust FILE with the public keys of the vendor, or --site DIR' });
    throw error;
  }
}

function trustFromSite(site: Site): Trust {
  return makeTrust({ keys: site.config.keys.map((record) => ({ key: record.publicKey, job: record.job, status: 'active' as const })) });
}

function trustFromFiles(io: Io, files: readonly string[]): Trust {
  const keys = files.flatMap((name) => {
    const path = resolve(io.cwd, name);
    try {
      return parsePublicKeys(readLimited(path, MOST_KEY_BYTES));
    } catch (error) {
      throw error instanceof VtlicError ? error.at({ file: path }) : error;
    }
  });
  return makeTrust({ keys: keys.map((key) => ({ key, job: 'license', status: 'active' })) });
}

/** What the file says of its issuer, before anything is verified: used only where nobody said which issuer to expect. */
function statedIssuer(file: Uint8Array): string | undefined {
  try {
    return decodeLicense(decodeCoseSign1(dearmor('VTLIC', file), TYP.license).payload).iss;
  } catch {
    return undefined;
  }
}

const STATE_WORDS: Readonly<Record<Accepted['state'], (verdict: Accepted) => string>> = {
  active: (verdict) => `in force until ${formatInstant(verdict.license.exp)}`,
  grace: (verdict) => `expired at ${formatInstant(verdict.license.exp)}, honored in its grace until ${formatInstant(verdict.graceUntil)}`,
  not_yet_valid: (verdict) => `not in force before ${formatInstant(verdict.license.nbf)}`,
  lapsed: (verdict) => `lapsed: expired at ${formatInstant(verdict.license.exp)}, its grace ended at ${formatInstant(verdict.graceUntil)}`,
};

function accepted(io: Io, verdict: Accepted, options: VerifyOptions): void {
  if (options.json === true) {
    const { state, license, alg, kid, payloadDigest, judgedAt, graceUntil } = verdict;
    io.out(`${jsonText({ schema: 'vtlic-verify/1', ok: true, state, judgedAt, graceUntil, algorithm: alg, kid, payloadSha256: payloadDigest, license })}\n`);
    return;
  }
  io.out(`${verdict.state}: genuine, ${STATE_WORDS[verdict.state](verdict)}\n`);
  io.out(`${formatRows([...licenseRows(verdict.license), ['algorithm', verdict.alg], ['key id', verdict.kid]]).join('\n')}\n`);
}

function refused(io: Io, path: string, verdict: Refused, options: VerifyOptions): void {
  const { sentence, remedy } = REASONS[verdict.reason];
  if (options.json === true) {
    io.out(`${jsonText({ schema: 'vtlic-verify/1', ok: false, layer: verdict.layer, reason: verdict.reason, detail: verdict.detail, sentence, remedy, ...verdict.place })}\n`);
    return;
  }
  io.out(`refused: ${verdict.reason}\n`);
  io.err(`vtlic: ${cleanText(path, 4000)}: ${sentence} ${cleanText(missingOption(verdict), 1000)}`);
  io.err(`  → ${remedy}`);
}

/** The detail, and the option that would have answered it where the license binds something that was not given. */
function missingOption(verdict: Refused): string {
  if (verdict.reason === 'deployment_mismatch') return `(${verdict.detail}; the deployment is given with --deployment)`;
  if (verdict.reason === 'host_mismatch') return `(${verdict.detail}; a host is given with --host)`;
  return `(${verdict.detail})`;
}
