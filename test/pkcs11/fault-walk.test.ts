/**
 * A whole run of the keystore, with one fault in it, for each function and each way in which it may fail: the
 * keystore's share of the walk. The call that fails is the function's first; of the signing calls, of which each
 * signature is another matter, the second and the last too.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { identify } from '../../keys/private/pkcs11/client/host-lock.ts';
import { returnCodeOf } from '../../keys/private/pkcs11/shared/return-codes.ts';
import type { TokenLimits } from '../../keys/private/pkcs11/client/token-options.ts';
import type { Token } from '../../keys/private/pkcs11/client/token.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { FAULT_TABLE, FIRST_FAULT } from './support/fault-table.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { useQuickHosts } from './support/quick-hosts.ts';
import { open, type TestToken } from './support/test-token.ts';

useQuickHosts();

/**
 * Of the one kind of call that hangs in a case; the others have time, so that a busy machine makes no fault of its
 * own.
 */
const SHORT_LIMIT = 1_000;
const LIMIT = 20_000;
const LIMITS: TokenLimits = { sign: LIMIT, keyGeneration: LIMIT, login: LIMIT, other: LIMIT };
/** Cases that run at the same time, each with a token of its own: most of a case is waiting for its host to start. */
const AT_ONCE = 3;
/** C_SignInit and C_Sign in one run: a test at the end compares. */
const SIGN_CALLS = 8;
/** What a run may end with; 'none' where the fault did not matter. */
const ENDS = new Set([
  'none',
  'module_unusable',
  'token_not_found',
  'pin_refused',
  'pin_locked',
  'key_not_found',
  'key_ambiguous',
  'signing_failed',
  'signing_unknown',
  'self_check_failed',
  'keyfile_corrupt',
  // A token that takes no data objects is a setting to change, not a failure.
  'configuration_invalid',
]);

interface Bench {
  readonly made: TestToken;
  readonly proxy: FaultyToken;
  readonly publicKey: PublicKey;
}

const benches: Bench[] = [];
const free: Bench[] = [];
/** What one run without a fault calls. */
let clean: readonly string[];
let cases = 0;

beforeAll(async () => {
  for (let i = 0; i < AT_ONCE; i++) benches.push(await makeBench());
  free.push(...benches);
  const [bench] = benches;
  if (bench === undefined) throw new Error('no token');
  expect(await run(bench, 'clean', [], LIMITS)).toBe('none');
  clean = bench.proxy.calls();
});
afterAll(() => {
  for (const { made } of benches) made.remove();
  process.stdout.write(`fault walk of the keystore: ${cases} of ${ALL_CASES} cases\n`);
});

async function makeBench(): Promise<Bench> {
  const made = makeKryoptic(['t']);
  const token = await open(made, 't');
  const { publicKey } = (
    await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'k', id: Uint8Array.of(1), purpose: 'license' })
  ).key;
  // There to sign in the place of the first.
  await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'other', id: Uint8Array.of(2), purpose: 'license' });
  await token.close();
  return { made, proxy: faulty(made, []), publicKey };
}

/** Everything that the keystore does, once. */
async function run(
  { proxy, publicKey }: Bench,
  label: string,
  hosts: number[],
  limits: TokenLimits,
): Promise<'none' | 'wrong signature'> {
  const token: Token = await open(proxy, 't', { limits });
  hosts.push(token.connection.hostPid);
  try {
    const key = await token.openKey({ label: 'k', publicKey, purpose: 'license' });
    for (const message of [utf8('one'), utf8('two')])
      if (!verifySignature(publicKey, message, await key.sign(message))) return 'wrong signature';
    const object = await token.createData('anchor', utf8('head'));
    await token.destroyData(object);
    const wrapped = await token.generateKey({
      alg: 'ed25519+ml-dsa-65',
      label,
      id: utf8(label),
      purpose: 'license',
      custody: 'hsm-wrapped',
    });
    const signature = await wrapped.key.sign(utf8('three'));
    for (const { ref } of await token.listKeys({ label })) await token.connection.ask('destroy', { ref });
    return verifySignature(wrapped.key.publicKey, utf8('three'), signature) ? 'none' : 'wrong signature';
  } finally {
    hosts.push(token.connection.hostPid);
    await token.close();
  }
}

/** The time limits of a case: short for the kind of request whose call hangs. */
function limitsOf(call: string, how: string): TokenLimits {
  if (how !== 'hang') return LIMITS;
  const kinds: readonly (keyof TokenLimits)[] = signs(call)
    ? ['sign']
    : call === 'C_Login'
      ? ['login']
      : KEY_GENERATION.includes(call)
        ? ['keyGeneration']
        : [
            'other',
            ...(call === 'C_CloseSession' ? (['sign'] as const) : []),
            ...(IN_KEY_GENERATION.includes(call) ? (['keyGeneration'] as const) : []),
          ];
  return { ...LIMITS, ...Object.fromEntries(kinds.map((kind) => [kind, SHORT_LIMIT])) };
}

const KEY_GENERATION: readonly string[] = ['C_GenerateKey', 'C_GenerateKeyPair'];
/** Called in the making of a wrapped seed and elsewhere. */
const IN_KEY_GENERATION: readonly string[] = ['C_EncryptInit', 'C_Encrypt', 'C_GenerateRandom', 'C_GetAttributeValue'];

async function walk(call: string, nth: number, how: string): Promise<string> {
  const bench = free.pop();
  if (bench === undefined) throw new Error(`more than ${AT_ONCE} cases at once`);
  try {
    return await walkOn(bench, call, nth, how);
  } finally {
    free.push(bench);
  }
}

async function walkOn(bench: Bench, call: string, nth: number, how: string): Promise<string> {
  const { made, proxy } = bench;
  cases += 1;
  const limits = limitsOf(call, how);
  const first = FIRST_FAULT[call];
  proxy.setFaults([...(first === undefined ? [] : [first]), `${call} ${nth} ${how}`]);
  const before = proxy.calls().length;
  const hosts: number[] = [];
  const begun = Date.now();
  const end = await run(bench, `walk ${cases}`, hosts, limits).then(
    (ended) => ended,
    (error: unknown) => {
      if (!(error instanceof VtlicError)) throw error;
      expect(error.message.length).toBeGreaterThan(10);
      expect(error.message).not.toContain(made.pin);
      if (how === 'hang') expect(error.message).toMatch(/within 1 s/);
      if (error.code !== 'key_not_found') expect(error.hint).toBeDefined();
      return error.code;
    },
  );
  // One call past its limit, one host started again, one end: never more.
  expect(Date.now() - begun).toBeLessThan(how === 'hang' ? 30_000 : 4 * LIMIT);
  const logins = proxy
    .calls()
    .slice(before)
    .filter((name) => name === 'C_Login').length;
  expect(logins).toBeLessThanOrEqual(call === 'C_Login' ? 1 : 2);
  for (const pid of hosts) expect(identify(pid)).toBeUndefined();
  return end;
}

/** Which of a function's calls fail. */
const nthOf = (name: string): readonly number[] => (signs(name) ? [1, 2, SIGN_CALLS] : [1]);
const signs = (name: string): boolean => name === 'C_Sign' || name === 'C_SignInit';
/** How signatures are wrong. */
const WRONG = ['length 0', 'length 63', 'flip', 'otherkey'] as const;
const LOST = ['hang', 'kill'] as const;
const ALL_CASES = Object.entries(FAULT_TABLE).reduce(
  (sum, [name, codes]) => sum + nthOf(name).length * (codes.length + LOST.length),
  nthOf('C_Sign').length * WRONG.length,
);
const cross = <T>(name: string, ways: readonly T[]): readonly (readonly [number, T])[] =>
  nthOf(name).flatMap((nth) => ways.map((way) => [nth, way] as const));

it('is as long as docs/hsm.md says', () => {
  expect(readFileSync(new URL('../../docs/hsm.md', import.meta.url), 'utf8')).toContain(
    `${ALL_CASES} runs of the keystore`,
  );
});

it('walks what a run calls, and no other function', () => {
  const called = new Set(clean);
  expect(Object.keys(FAULT_TABLE).filter((name) => !called.has(name))).toEqual(Object.keys(FIRST_FAULT));
  expect([...called].filter((name) => FAULT_TABLE[name] === undefined)).toEqual([]);
  for (const name of ['C_SignInit', 'C_Sign']) expect(clean.filter((call) => call === name)).toHaveLength(SIGN_CALLS);
});

describe.each(Object.entries(FAULT_TABLE))('%s', (name, codes) => {
  it.concurrent.each(cross(name, codes))('call %i returns %s', async (nth, code) => {
    const end = await walk(name, nth, `rv 0x${returnCodeOf(code).toString(16)}`);
    expect(ENDS).toContain(end);
    if (name === 'C_Login')
      expect(end).toBe(
        code === 'CKR_PIN_LOCKED'
          ? 'pin_locked'
          : ['CKR_PIN_INCORRECT', 'CKR_USER_PIN_NOT_INITIALIZED', 'CKR_FUNCTION_CANCELED'].includes(code)
            ? 'pin_refused'
            : 'signing_failed',
      );
    if (signs(name) || name === 'C_CloseSession') expect(end).toBe('signing_failed');
  });

  it.concurrent.each(cross(name, LOST))('call %i does not return: %s', async (nth, how) => {
    const end = await walk(name, nth, how);
    expect(ENDS).toContain(end);
    if (signs(name) || name === 'C_CloseSession') expect(end).toBe('signing_unknown');
  });
});

describe('a signature that is wrong', () => {
  it.concurrent.each(cross('C_Sign', WRONG))('finds the wrong signature of call %i: %s', async (nth, how) => {
    const end = await walk(how === 'otherkey' ? 'C_SignInit' : 'C_Sign', nth, how);
    // The self-test at opening finds it; later it is the signer's check of its own output that does.
    expect(end).toBe(
      how.startsWith('length') ? 'signing_failed' : nth === SIGN_CALLS ? 'wrong signature' : 'self_check_failed',
    );
  });
});
