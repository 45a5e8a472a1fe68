/** What an officer looks at before a ceremony, as values: for `vtlic hsm doctor`. */
import { equalBytes, toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { nobleProvider } from '../../../public/provider-noble.ts';
import { nodeProvider } from '../../../public/provider-node.ts';
import { verifySignature } from '../../../public/verify-signature.ts';
import { selfTestMessage, type SigningKey } from '../../signing-key.ts';
import { CKF_RNG, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED } from '../shared/constants.ts';
import type { KeyObjectDescription } from '../shared/host-protocol.ts';
import { describeToken } from './pin-policy.ts';
import { privateFault, type KeyToOpen, type RandomSource, type Token } from './token.ts';

export interface Check {
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  /** One sentence without a period, fit for a terminal. */
  readonly says: string;
  /** Of a warning or a failure: what mends it. */
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

/** The checks in an officer's order. Nothing is left in the token. One that throws is a failed check, not an end. */
export async function examineToken(token: Token, options: DoctorOptions): Promise<readonly Check[]> {
  const checks: Check[] = [
    aboutModule(token),
    aboutProfile(token),
    aboutEd25519(token),
    aboutMlDsa65(token),
    aboutCustody(token),
    await aboutLogin(token),
  ];
  for (const key of options.keys) checks.push(...(await aboutKey(token, key, options)));
  checks.push(
    await guarded('random source', () => aboutRandom(token)),
    await guarded('data objects', () => aboutData(token, options.random)),
  );
  return checks;
}

function aboutModule(token: Token): Check {
  const { module, modulePath, token: described } = token.opened;
  return {
    name: 'module',
    status: 'pass',
    says: `${cleanText(module.description, 32)} ${module.libraryVersion} by ${cleanText(module.manufacturer, 32)}, PKCS#11 ${module.cryptokiVersion}, ${cleanText(modulePath)}; token ${describeToken(described)}, ${cleanText(described.model, 16)}, firmware ${described.firmwareVersion}`,
    data: {
      cryptoki: module.cryptokiVersion,
      library: module.libraryVersion,
      firmware: described.firmwareVersion,
      serial: cleanText(described.serial, 16),
    },
  };
}

function aboutProfile(token: Token): Check {
  const { profile } = token.opened;
  if (profile.tested) return { name: 'profile', status: 'pass', says: `${profile.name}, tested with this toolkit` };
  return {
    name: 'profile',
    status: 'warn',
    says: `${profile.name}: never tried with this toolkit`,
    remedy: 'go on only if every other check passes, and say --untested-token in each command',
  };
}

function aboutEd25519(token: Token): Check {
  if (token.has('ed25519'))
    return { name: 'Ed25519', status: 'pass', says: 'the token generates Ed25519 keys and signs with them' };
  return {
    name: 'Ed25519',
    status: 'fail',
    says: 'the token lists no mechanism for Ed25519 that this toolkit can use',
    remedy: 'update its firmware or settings, or take another token',
  };
}

function aboutMlDsa65(token: Token): Check {
  if (token.has('mldsa65')) {
    const how =
      token.opened.profile.mldsa65?.context === 'external-mu'
        ? 'by a mu that is computed outside it'
        : 'with a context';
    return { name: 'ML-DSA-65', status: 'pass', says: `the token generates ML-DSA-65 keys and signs ${how}` };
  }
  return {
    name: 'ML-DSA-65',
    status: 'warn',
    says: 'the token has no ML-DSA-65 that this toolkit can use',
    remedy: token.canWrap()
      ? 'use hsm-wrapped custody, or keep the ML-DSA component in another token'
      : 'keep the ML-DSA component in another token',
  };
}

function aboutCustody(token: Token): Check {
  const custodies = [
    ...(token.has('mldsa65') && token.has('ed25519') ? ['hsm'] : []),
    ...(token.canWrap() && token.has('ed25519') ? ['hsm-wrapped'] : []),
    ...(token.has('ed25519') || token.has('mldsa65') ? ['split'] : []),
  ];
  if (custodies.length === 0)
    return {
      name: 'custody',
      status: 'fail',
      says: 'the token can hold no part of a key of this toolkit',
      remedy: 'take another token',
    };
  return {
    name: 'custody',
    status: 'pass',
    says: `a composite key can be in custody: ${custodies.join(', ')}`,
    data: { custodies: custodies.join(',') },
  };
}

function aboutLogin(token: Token): Promise<Check> {
  return guarded('login', async () => {
    const flags = await token.connection.flags();
    const has = (flag: number): boolean => (flags & flag) !== 0;
    if (has(CKF_USER_PIN_LOCKED))
      return {
        name: 'login',
        status: 'fail',
        says: 'logged in, but the user PIN is locked for the next login',
        remedy: "have the token's security officer unlock it",
      };
    if (has(CKF_USER_PIN_FINAL_TRY))
      return {
        name: 'login',
        status: 'warn',
        says: 'logged in; one try of the user PIN is left',
        remedy: 'log in once with the right PIN by the maker’s tool, which resets the count',
      };
    if (has(CKF_USER_PIN_COUNT_LOW))
      return {
        name: 'login',
        status: 'warn',
        says: 'logged in; a wrong user PIN was entered since the last right one',
        remedy: 'find out who did',
      };
    return { name: 'login', status: 'pass', says: 'logged in; the token reports no wrong user PIN' };
  });
}

async function aboutKey(
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
      remedy: 'see what is there: vtlic hsm list',
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
  const what =
    key.class === 'secret'
      ? 'wrapping key'
      : key.component === 'mldsa65'
        ? 'ML-DSA-65 key'
        : key.component === 'ed25519'
          ? 'Ed25519 key'
          : `key of type 0x${key.keyType.toString(16)}`;
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
          says: `a signature by it is refused by ${provider.name}`,
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
    says: `${times.length} signatures hold in both providers; median ${median.toFixed(1)} ms, 95 of 100 within ${p95.toFixed(1)} ms`,
    data: { median, p95, custody: key.custody },
  };
}

async function aboutRandom(token: Token): Promise<Check> {
  const name = 'random source';
  if ((token.opened.token.flags & CKF_RNG) === 0)
    return {
      name,
      status: 'warn',
      says: 'the token says that it has no random source',
      remedy: 'hsm-wrapped keys need one; others do not',
    };
  const [a, b] = [await token.random(32), await token.random(32)];
  if (a.length === 32 && b.length === 32 && !equalBytes(a, b))
    return { name, status: 'pass', says: 'gives bytes that differ from call to call' };
  return { name, status: 'fail', says: 'gave the same 32 bytes twice, or fewer', remedy: 'do not use this token' };
}

async function aboutData(token: Token, random: RandomSource): Promise<Check> {
  const name = 'data objects';
  if (token.opened.profile.dataObjects === 'none')
    return {
      name,
      status: 'warn',
      says: 'the token has none',
      remedy: 'the anchor goes into a file or a second token',
    };
  const label = `vtlic-doctor-${toHex(random(6))}`;
  const made = await token.createData(label, random(128));
  await token.destroyData(made);
  if ((await token.readData(label)).length > 0)
    return { name, status: 'fail', says: 'one that was destroyed is still there', remedy: 'keep the anchor in a file' };
  return { name, status: 'pass', says: 'one was made, read back and destroyed' };
}

async function guarded(name: string, check: () => Promise<Check>): Promise<Check> {
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
