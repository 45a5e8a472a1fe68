/** What `vtlic verify` does once it knows its options; loads nothing that it does not need. */
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import { dearmor } from '../../../formats/armor.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { MAX_KEY_FILE_BYTES, parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import {
  type Accepted,
  makeTrust,
  type Reason,
  REASONS,
  type Refused,
  type Trust,
  verify,
} from '../../../verifier/index.ts';
import { readLicenseFile, readLimited } from '../../../files/index.ts';
import { formatRows, licenseRows } from '../../summary/license-summary.ts';
import { formatInstant, isPerpetual, PERPETUAL } from '../../../formats/dates.ts';
import { EXIT } from '../exit-codes.ts';

const ROLLED_BACK: ReadonlySet<Reason> = new Set(['lineage_not_newer', 'counter_rolled_back', 'counter_conflict']);

/** As `--name`. */
export interface VerifyFileOptions {
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

/** Whom a site trusts, and whose licenses it expects. */
export interface TrustingSite {
  readonly trust: Trust;
  readonly issuer: string;
}

/** Where the answer goes, and what a relative path and "now" mean. */
export interface VerifySurroundings {
  readonly out: (result: string) => void;
  readonly err: (line: string) => void;
  readonly cwd: string;
  readonly now: () => number;
}

/** @returns the exit code */
export function verifyFile(
  io: VerifySurroundings,
  name: string,
  options: VerifyFileOptions,
  site: TrustingSite | undefined,
): number {
  const path = resolve(io.cwd, name);
  const trust = site?.trust ?? trustFromFiles(io, options.trust);
  const file = readLicenseFile(path);
  const issuer = options.issuer ?? site?.issuer ?? statedIssuer(file);
  const verdict = verify(file, trust, {
    issuer: issuer ?? 'unknown',
    product: options.product,
    ...(options.deployment === undefined ? {} : { deployment: options.deployment }),
    ...(options.host.length === 0 ? {} : { hosts: options.host }),
    ...(options.buildDate === undefined ? {} : { buildDate: options.buildDate }),
    now: options.at ?? io.now(),
    defaultGrace: options.graceDays * DAY_SECONDS,
  });
  if (!verdict.ok) {
    refused(io, path, verdict, options);
    return ROLLED_BACK.has(verdict.reason) ? EXIT.rolledBack : EXIT.notValid;
  }
  if (options.issuer === undefined && site === undefined)
    io.err(`the issuer ${cleanText(verdict.license.iss)} is taken from the license: give --issuer to check it`);
  accepted(io, verdict, options);
  return verdict.state === 'active' || verdict.state === 'grace' ? EXIT.done : EXIT.notInForce;
}

function trustFromFiles(io: VerifySurroundings, files: readonly string[]): Trust {
  const keys = files.flatMap((name) => {
    const path = resolve(io.cwd, name);
    try {
      return parsePublicKeys(readLimited(path, MAX_KEY_FILE_BYTES, 'key_invalid'));
    } catch (error) {
      throw error instanceof VtlicError ? error.at({ file: path }) : error;
    }
  });
  return makeTrust({ keys: keys.map((key) => ({ key, purpose: 'license', status: 'active' })) });
}

/**
 * What the file says of its issuer, before anything is verified: used only where nobody said which issuer to expect.
 */
function statedIssuer(file: Uint8Array): string | undefined {
  try {
    return decodeLicense(decodeCoseSign1(dearmor('VTLIC', file), TYP.license).payload).iss;
  } catch {
    return undefined;
  }
}

const STATE_WORDS: Readonly<Record<Accepted['state'], (verdict: Accepted) => string>> = {
  active: (verdict) =>
    isPerpetual(verdict.license.exp)
      ? `in force, ${PERPETUAL}`
      : `in force until ${formatInstant(verdict.license.exp)}`,
  grace: (verdict) =>
    `expired at ${formatInstant(verdict.license.exp)}, honored in its grace until ${formatInstant(verdict.graceUntil)}`,
  not_yet_valid: (verdict) => `not in force before ${formatInstant(verdict.license.nbf)}`,
  lapsed: (verdict) =>
    `lapsed: expired at ${formatInstant(verdict.license.exp)}, its grace ended at ${formatInstant(verdict.graceUntil)}`,
};

function accepted(io: VerifySurroundings, verdict: Accepted, options: VerifyFileOptions): void {
  if (options.json === true) {
    const { state, license, alg, kid, payloadDigest, judgedAt, graceUntil } = verdict;
    io.out(
      jsonLine({
        schema: 'vtlic-verify/1',
        ok: true,
        state,
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
  io.out(
    `${formatRows([...licenseRows(verdict.license), ['algorithm', verdict.alg], ['key id', verdict.kid]]).join('\n')}\n`,
  );
}

function refused(io: VerifySurroundings, path: string, verdict: Refused, options: VerifyFileOptions): void {
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
}

/** The detail, and the option that would have answered it where the license binds something that was not given. */
function missingOption(verdict: Refused): string {
  if (verdict.reason === 'deployment_mismatch') return `(${verdict.detail}; the deployment is given with --deployment)`;
  if (verdict.reason === 'host_mismatch') return `(${verdict.detail}; a host is given with --host)`;
  if (verdict.reason === 'build_not_covered')
    return `(${verdict.detail}; the date of a build is given with --build-date)`;
  return `(${verdict.detail})`;
}
