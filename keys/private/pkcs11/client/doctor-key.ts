/** One check of the doctor, and the checks of each key that should be in the token: its protection, its signatures. */
import { toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { nobleProvider } from '../../../public/provider-noble.ts';
import { nodeProvider } from '../../../public/provider-node.ts';
import { verifySignature } from '../../../public/verify-signature.ts';
import { selfTestMessage, type SigningKey } from '../../signing-key.ts';
import type { KeyObjectDescription } from '../shared/host-protocol.ts';
import { COMPONENT_WORDS } from './abilities.ts';
import { privateFault, type KeyToOpen, type RandomSource } from './open-key.ts';
import type { Token } from './token.ts';

export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  /** One sentence without a period, fit for a terminal. */
  readonly says: string;
  /** What to do about a warning or a failure. */
  readonly remedy?: string;
  /** Numbers for `--json`. */
  readonly data?: Readonly<Record<string, number | string | boolean>>;
}

export interface DoctorOptions {
  /** Each key of the site that should be in this token; its components all in this one (not split). */
  readonly keys: readonly (KeyToOpen & { readonly name: string })[];
  readonly random: RandomSource;
  /** Milliseconds, ever rising: `performance.now`. */
  readonly clock: () => number;
  /** How many signatures are timed for each key. */
  readonly signatures?: number;
}

export async function aboutKey(
  token: Token,
  wanted: KeyToOpen & { readonly name: string },
  options: DoctorOptions,
): Promise<readonly Check[]> {
  const name = `key ${cleanText(wanted.name, 64)}`;
  const protection = await guarded(`${name}: protection`, () => aboutProtection(token, wanted, `${name}: protection`));
  let key: SigningKey;
  try {
    key = await token.openKey(wanted);
  } catch (error) {
    return [protection, failed(`${name}: signature`, error)];
  }
  try {
    return [protection, await guarded(`${name}: signature`, () => aboutSignatures(key, `${name}: signature`, options))];
  } finally {
    await key.close();
  }
}

async function aboutProtection(token: Token, wanted: KeyToOpen, name: string): Promise<Check> {
  const keys = await token.listKeys({
    ...(wanted.label === undefined ? {} : { label: wanted.label }),
    ...(wanted.id === undefined ? {} : { id: wanted.id }),
  });
  const secret = keys.filter((key) => key.class !== 'public');
  if (secret.length === 0)
    return {
      name,
      status: 'fail',
      says: 'the token has no private key of this name',
      remedy: 'see what is there: vtlic hsm keys KEYSTORE',
    };
  for (const key of secret) {
    const fault = privateFault(key, await token.readableSecrets(key));
    if (fault !== undefined)
      return {
        name,
        status: 'fail',
        says: `${describeObject(key)} ${fault}`,
        remedy: 'rotate to a key that is made in the token: it may have been copied',
      };
    if (key.neverExtractable === undefined || key.alwaysSensitive === undefined)
      return {
        name,
        status: 'warn',
        says: `the token does not say whether ${describeObject(key)} ever was extractable`,
        remedy: "see the token's manual",
      };
  }
  return {
    name,
    status: 'pass',
    says: `${secret.map(describeObject).join(' and ')}: sensitive, never extractable, not readable`,
  };
}

function describeObject(key: KeyObjectDescription): string {
  const part =
    key.component === undefined ? `key of type 0x${key.keyType.toString(16)}` : `${COMPONENT_WORDS[key.component]} key`;
  const what = key.class === 'secret' ? 'wrapping key' : part;
  return `the ${what} "${cleanText(key.label, 64)}" (id ${toHex(key.id) || 'none'})`;
}

async function aboutSignatures(key: SigningKey, name: string, options: DoctorOptions): Promise<Check> {
  const times: number[] = [];
  for (let i = 0; i < (options.signatures ?? 20); i++) {
    const message = selfTestMessage(options.random(32));
    const begun = options.clock();
    const signature = await key.sign(message);
    times.push(options.clock() - begun);
    for (const provider of [nodeProvider, nobleProvider]) {
      if (!verifySignature(key.publicKey, message, signature, provider))
        return {
          name,
          status: 'fail',
          says: `${provider.name} refuses a signature by it`,
          remedy: 'do not use this key or token',
        };
    }
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const [median, p95] = [at(0.5), at(0.95)];
  return {
    name,
    status: 'pass',
    says:
      `${times.length} signatures are valid in both providers; median ${median.toFixed(1)} ms, ` +
      `95 of 100 within ${p95.toFixed(1)} ms`,
    data: { median, p95, custody: key.custody },
  };
}

/** A check that throws has failed; the examination goes on. */
export async function guarded(name: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): Check {
  if (!(error instanceof VtlicError)) throw error;
  return { name, status: 'fail', says: error.message, ...(error.hint === undefined ? {} : { remedy: error.hint }) };
}
