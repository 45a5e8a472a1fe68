import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineToken } from '../../keys/private/pkcs11/client/doctor.ts';
import type { Check, DoctorOptions } from '../../keys/private/pkcs11/client/doctor-key.ts';
import { listModule } from '../../keys/private/pkcs11/client/list-tokens.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { faulty } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, random, type TestToken } from './support/test-token.ts';

const MAKE_OBJECTS = fileURLToPath(new URL('./support/make-objects.ts', import.meta.url));
const optionsOf = (keys: DoctorOptions['keys']): DoctorOptions => ({
  keys,
  random,
  clock: () => performance.now(),
  signatures: 5,
});
const named = (checks: readonly Check[], name: string): Check | undefined =>
  checks.find((check) => check.name === name);

describe('the doctor', () => {
  let kryoptic: TestToken;
  let soft: TestToken;
  beforeAll(() => {
    kryoptic = makeKryoptic(['t']);
    soft = makeSofthsm('t');
  });
  afterAll(() => {
    kryoptic?.remove();
    soft?.remove();
  });

  it('passes a good token with a good key, and leaves nothing in it', async () => {
    const token = await open(kryoptic, 't');
    const { key } = await token.generateKey({
      alg: 'ed25519+ml-dsa-65',
      label: 'k',
      id: Uint8Array.of(1),
      purpose: 'license',
    });
    const before = (await token.listKeys()).length;
    const checks = await examineToken(
      token,
      optionsOf([{ name: 'k', label: 'k', publicKey: key.publicKey, purpose: 'license' }]),
    );
    expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(named(checks, 'custody')?.says).toContain('hsm, hsm-wrapped, split');
    expect(named(checks, 'key k: signature')?.says).toContain('5 signatures are valid in both providers');
    expect(await token.listKeys()).toHaveLength(before);
    await token.close();
  });

  it('says what SoftHSM lacks', async () => {
    const token = await open(soft, 't');
    const checks = await examineToken(token, optionsOf([]));
    expect(named(checks, 'ML-DSA-65')?.status).toBe('warn');
    expect(named(checks, 'custody')?.says).not.toContain('hsm,');
    expect(checks.some(({ status }) => status === 'fail')).toBe(false);
    await token.close();
  });

  it('finds a key that could be copied, one that is missing, and faults of the token, each with its remedy', async () => {
    spawnSync(process.execPath, [MAKE_OBJECTS, kryoptic.module, kryoptic.pin, 'extractable'], {
      env: { ...process.env, ...kryoptic.environment },
    });
    const proxy = faulty(kryoptic, ['fault C_GenerateRandom 0 rv 0x121', 'fault C_CreateObject 0 rv 0x31']);
    const token = await open(proxy, 't');
    const publicBytes =
      (await token.listKeys({ label: 'extractable' })).find((key) => key.class === 'public')?.publicBytes ??
      new Uint8Array();
    const publicKey = importPublicKey('ed25519', publicBytes);
    const checks = await examineToken(
      token,
      optionsOf([
        { name: 'bad', label: 'extractable', publicKey, purpose: 'license' },
        { name: 'missing', label: 'nobody', publicKey, purpose: 'license' },
      ]),
    );
    const failed = checks.filter(({ status }) => status === 'fail');
    expect(failed.map(({ name }) => name)).toEqual([
      'key bad: protection',
      'key missing: protection',
      'key missing: signature',
      'random source',
      'data objects',
    ]);
    for (const check of failed) expect(check.remedy).toBeDefined();
    expect(named(checks, 'key bad: protection')?.says).toContain('can be read out (CKA_VALUE)');
    expect(named(checks, 'data objects')?.says).toContain('CKR_DEVICE_MEMORY');
    await token.close();
  });
});

/** Flags of CK_TOKEN_INFO that the proxy adds, and what the doctor says then. */
const STATES = [
  ['CKF_WRITE_PROTECTED', '0x2', 'state', 'warn', 'write-protected'],
  ['CKF_ERROR_STATE', '0x1000000', 'state', 'fail', 'an error state'],
  ['CKF_USER_PIN_COUNT_LOW', '0x10000', 'login', 'warn', 'a wrong user PIN was entered since'],
  ['CKF_PROTECTED_AUTHENTICATION_PATH', '0x100', 'login', 'pass', "a PIN on the token's own pad"],
] as const;

describe('what guards the keys of a token', () => {
  let made: TestToken;
  beforeAll(() => {
    made = makeSofthsm('t');
  });
  afterAll(() => made?.remove());
  const examine = async (...lines: readonly string[]): Promise<readonly Check[]> => {
    const token = await open(faulty(made, lines), 't');
    try {
      return await examineToken(token, optionsOf([]));
    } finally {
      await token.close();
    }
  };

  it.each(STATES)('is said from the flags of the token: %s', async (_, flags, name, status, words) => {
    const check = named(await examine(`flags ${flags}`, `padpin ${made.pin}`), name);
    expect(check?.status).toBe(status);
    expect(check?.says).toContain(words);
    expect(check?.remedy === undefined).toBe(status === 'pass');
  });

  it('is a PIN, and a token in no special state has no line about it', async () => {
    const checks = await examine();
    expect(named(checks, 'login')?.status).toBe('pass');
    expect(named(checks, 'login')?.says).toContain('with a PIN;');
    expect(named(checks, 'state')).toBeUndefined();
  });

  it('is nothing where the token needs no login: the doctor warns and does not say that it logged in', async () => {
    const login = named(await examine(`device no-login ${made.pin}`), 'login');
    expect(login?.status).toBe('warn');
    expect(login?.says).toContain('no PIN guards the keys');
    expect(login?.says).not.toContain('logged in');
  });
});

describe('the curve of a key that another program made', () => {
  it.each([
    ["GnuPG's OID for Ed25519", 'ed25519', '06092b06010401da470f01'],
    ['the OID of RFC 8410 for Ed25519', 'ed25519', '06032b6570'],
    ['edwards25519 as a PrintableString', 'ed25519', `130c${Buffer.from('edwards25519').toString('hex')}`],
    ['the OID of RFC 8410 for Ed448', undefined, '06032b6571'],
    ["GnuPG's OID for Curve25519", undefined, '060a2b060104019755010501'],
  ])('%s is read as %s', async (_, component, hex) => {
    const made = makeSofthsm('t');
    try {
      const done = spawnSync(process.execPath, [MAKE_OBJECTS, made.module, made.pin, 'curve', 'theirs', hex], {
        env: { ...process.env, ...made.environment },
        encoding: 'utf8',
      });
      expect(done.stdout).toBe('done\n');
      const token = await open(made, 't');
      const [key, ...others] = await token.listKeys({ label: 'theirs' });
      await token.close();
      expect(others).toEqual([]);
      expect(key?.component).toBe(component);
      expect(key?.publicBytes?.length).toBe(component === undefined ? undefined : 32);
    } finally {
      made.remove();
    }
  });
});

describe('the list of a module', () => {
  it('has its tokens with profile, state and the URI that names each', async () => {
    const made = makeSofthsm('a', 'b');
    const listed = await listModule(made.module, { environment: { ...process.env, ...made.environment } });
    made.remove();
    expect(listed.module.manufacturer).toBe('SoftHSM');
    expect(listed.tokens.map(({ token, state }) => [token.label, state])).toEqual([
      [expect.stringMatching(/^[ab]$/), []],
      [expect.stringMatching(/^[ab]$/), []],
      ['', expect.arrayContaining(['not initialized', 'no user PIN set'])],
    ]);
    expect(listed.tokens[0]?.uri).toMatch(/^pkcs11:token=[ab];serial=[0-9a-f]+\?module-path=\//);
  });
});
