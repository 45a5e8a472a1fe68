/** A token that misbehaves, for real: through the fault proxy. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import type { VtlicError } from '../../formats/error.ts';
import type { TokenOptions } from '../../keys/private/pkcs11/client/token-options.ts';
import type { Token } from '../../keys/private/pkcs11/client/token.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { open, type TestToken } from './support/test-token.ts';
import { rejected } from '../support/thrown.ts';

/** Of the kind of call that hangs; the others have time, so that a busy machine makes no fault of its own. */
const SHORT_LIMIT = 1_000;
const SHORT: Partial<TokenOptions> = { limits: { sign: SHORT_LIMIT, keyGeneration: SHORT_LIMIT } };
/** With room for a host that loads its module on a busy machine. */
const SHORT_AT_OPENING: Partial<TokenOptions> = { limits: { login: SHORT_LIMIT, other: 4 * SHORT_LIMIT } };
const MESSAGE = utf8('message');

let made: TestToken;
let publicKey: PublicKey;
let opened: Token[] = [];

beforeAll(async () => {
  made = makeKryoptic(['t']);
  const token = await open(made, 't');
  publicKey = (
    await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'k', id: Uint8Array.of(1), purpose: 'license' })
  ).key.publicKey;
  await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'other', id: Uint8Array.of(2), purpose: 'license' });
  await token.close();
});
beforeEach(async () => {
  for (const token of opened) await token.close();
  opened = [];
});
afterAll(async () => {
  for (const token of opened) await token.close();
  made?.remove();
});

async function openBehind(
  proxy: FaultyToken,
  more: Partial<TokenOptions> = {},
): Promise<{ token: Token; key: SigningKey }> {
  const token = await open(proxy, 't', more);
  opened.push(token);
  return { token, key: await token.openKey({ label: 'k', publicKey, purpose: 'license' }) };
}

const logins = (proxy: FaultyToken): number => proxy.calls().filter((call) => call === 'C_Login').length;
const holds = async (key: SigningKey): Promise<boolean> => verifySignature(publicKey, MESSAGE, await key.sign(MESSAGE));

// The self-test at opening makes the first two signatures, ML-DSA and Ed25519.
describe('a signing call', () => {
  it.each(['C_Sign 3 hang', 'C_Sign 4 hang', 'C_SignInit 3 hang'])(
    'a signing call that never ends (%s) is unknown after its limit; the token is then opened once more',
    async (fault) => {
      const proxy = faulty(made, [`fault ${fault}`], true);
      const { key } = await openBehind(proxy, SHORT);
      const begun = Date.now();
      const error = await rejected(key.sign(MESSAGE));
      expect(error.code).toBe('signing_unknown');
      expect(error.message).toContain('did not answer within 1 s');
      expect(error.message).toContain('C_Sign');
      expect(Date.now() - begun).toBeLessThan(6_000);
      expect(await holds(key)).toBe(true);
      expect(logins(proxy)).toBe(2);
    },
  );

  it('a signing call that kills the host is unknown, and so is every other that is with the host', async () => {
    const proxy = faulty(made, ['fault C_Sign 6 kill'], true);
    const { key } = await openBehind(proxy);
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => key.sign(MESSAGE)));
    const codes = all.map((result) => (result.status === 'fulfilled' ? 'signed' : (result.reason as VtlicError).code));
    const unknown = codes.filter((code) => code === 'signing_unknown').length;
    expect(unknown).toBeGreaterThanOrEqual(1);
    expect(unknown).toBeLessThanOrEqual(32);
    // Those that were never sent are signed by the next host.
    expect(codes.filter((code) => code === 'signed')).toHaveLength(40 - unknown);
    for (const result of all)
      if (result.status === 'fulfilled') expect(verifySignature(publicKey, MESSAGE, result.value)).toBe(true);
    expect(logins(proxy)).toBe(2);
  });

  it('a signing call that kills every host ends the run after one more login', async () => {
    const proxy = faulty(made, ['fault C_Sign 3 kill']);
    const { key } = await openBehind(proxy);
    expect((await rejected(key.sign(MESSAGE))).code).toBe('signing_unknown');
    // The next host makes two signatures, for it makes no self-test of its own.
    expect(await holds(key)).toBe(true);
    expect((await rejected(key.sign(MESSAGE))).code).toBe('signing_unknown');
    const error = await rejected(key.sign(MESSAGE));
    expect(error.code).toBe('signing_failed');
    expect(error.message).toContain('only once more in a run');
    expect(logins(proxy)).toBe(2);
  });

  it.each([
    ['rv 0x30', 'CKR_DEVICE_ERROR'],
    ['rv 0x5', 'CKR_GENERAL_ERROR'],
    ['rv 0x200', 'CKR_FUNCTION_REJECTED'],
    ['late 0x6', 'CKR_FUNCTION_FAILED'],
    ['rv 0x80001234', 'CKR_0x80001234'],
  ])('a signing call that fails (%s) failed with its state known, and names call and code', async (fault, name) => {
    const proxy = faulty(made, [`fault C_Sign 3 ${fault}`], true);
    const { key } = await openBehind(proxy);
    const error = await rejected(key.sign(MESSAGE));
    expect(error.code).toBe('signing_failed');
    expect(error.message).toContain('C_Sign');
    expect(error.message).toContain(name);
    expect(error.hint).toBeDefined();
    expect(await holds(key)).toBe(true);
  });

  it('signs again after one more login when a signing call lost the session or the token', async () => {
    for (const rv of ['0xb3', '0x32', '0x101', '0x190']) {
      const proxy = faulty(made, [`fault C_SignInit 3 rv ${rv}`], true);
      const notices: string[] = [];
      const { key } = await openBehind(proxy, { notify: (sentence) => notices.push(sentence) });
      expect((await rejected(key.sign(MESSAGE))).code).toBe('signing_failed');
      expect(await holds(key)).toBe(true);
      expect(logins(proxy)).toBe(2);
      expect(notices.join()).toContain('was opened again');
    }
  });

  it.each(['0', '63', '3308'])('a signing call that gives %s bytes is thrown away', async (length) => {
    const { key } = await openBehind(faulty(made, [`fault C_Sign 3 length ${length}`]));
    const error = await rejected(key.sign(MESSAGE));
    expect(error.code).toBe('signing_failed');
    expect(error.message).toContain('should have 3309');
  });

  it.each(['C_Sign 1 flip', 'C_Sign 2 flip', 'C_SignInit 1 otherkey', 'C_SignInit 2 otherkey'])(
    'finds a wrong signature (%s) at opening',
    async (fault) => {
      expect((await rejected(openBehind(faulty(made, [`fault ${fault}`])))).code).toBe('self_check_failed');
    },
  );

  it('has its own time: those that wait their turn in a slow token are not late', async () => {
    const { key } = await openBehind(faulty(made, ['fault C_Sign 0 slow 500']), { limits: { sign: 2_000 } });
    // Four are with the host at once, and each takes 1 s of the limit of 2 s.
    const all = await Promise.all([1, 2, 3, 4].map((n) => key.sign(Uint8Array.of(n))));
    expect(all).toHaveLength(4);
  });

  it('waits 30 s by default', async () => {
    const { key } = await openBehind(faulty(made, ['fault C_Sign 3 hang']), { limits: {} });
    const begun = Date.now();
    expect((await rejected(key.sign(MESSAGE))).message).toContain('within 30 s');
    expect(Date.now() - begun).toBeGreaterThan(29_000);
  });
});

describe('key generation', () => {
  it.each([
    'C_GenerateKeyPair 1 rv 0x31',
    'C_GenerateKeyPair 2 rv 0x31',
    'C_GenerateKeyPair 2 late 0x31',
    'C_Sign 2 flip',
    'C_GetAttributeValue 40 rv 0x30',
  ])('key generation that fails (%s) leaves nothing under its name', async (fault) => {
    const proxy = faulty(made, [`fault ${fault}`], true);
    const token = await open(proxy, 't');
    opened.push(token);
    const name = { label: `new ${fault}`, id: Uint8Array.of(3) };
    await rejected(token.generateKey({ ...name, alg: 'ed25519+ml-dsa-65', purpose: 'license' }));
    await token.close();
    const after = await open(made, 't');
    opened.push(after);
    const left = await after.listKeys({ label: name.label });
    expect(left).toEqual([]);
  });

  it('key generation that hangs is ended, and names the call', async () => {
    const token = await open(faulty(made, ['fault C_GenerateKeyPair 1 hang']), 't', SHORT);
    opened.push(token);
    const error = await rejected(
      token.generateKey({ alg: 'ed25519', label: 'hang', id: Uint8Array.of(4), purpose: 'license' }),
    );
    expect(error.code).toBe('signing_failed');
    expect(error.message).toContain('C_GenerateKeyPair');
  });
});

describe('opening', () => {
  it.each([
    ['C_Initialize 1 rv 0x30', 'module_unusable'],
    ['C_Initialize 1 hang', 'module_unusable'],
    ['C_Initialize 1 kill', 'module_unusable'],
    ['C_GetSlotList 1 rv 0x5', 'module_unusable'],
    ['C_GetTokenInfo 0 rv 0xe1', 'token_not_found'],
    ['C_OpenSession 1 rv 0xb1', 'signing_failed'],
    ['C_OpenSession 1 hang', 'signing_failed'],
    ['C_Login 1 hang', 'signing_failed'],
    ['C_Login 1 kill', 'signing_failed'],
    ['C_Login 1 rv 0xa0', 'pin_refused'],
    ['C_Login 1 rv 0xa4', 'pin_locked'],
    ['C_Login 1 rv 0x32', 'signing_failed'],
    ['C_FindObjectsInit 1 rv 0x30', 'signing_failed'],
    ['C_FindObjects 1 hang', 'signing_failed'],
  ])('opening with the fault %s is %s, with one login at most', async (fault, code) => {
    const proxy = faulty(made, [`fault ${fault}`]);
    const error = await rejected(openBehind(proxy, fault.endsWith('hang') ? SHORT_AT_OPENING : {}));
    expect(error.code).toBe(code);
    expect(error.hint).toBeDefined();
    expect(logins(proxy)).toBeLessThanOrEqual(1);
  });

  it('goes on with one session where the token allows no second one', async () => {
    const { key } = await openBehind(faulty(made, ['fault C_OpenSession 2 rv 0xb1']));
    expect(await holds(key)).toBe(true);
  });
});
