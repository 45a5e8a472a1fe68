/**
 * A whole run of the keystore, with one fault in it, for each function and each way in which it may fail: the keystore's
 * share of the walk. Which of its calls fails is the first, so that each function is met once.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { identify } from '../../keys/private/pkcs11/host-lock.ts';
import { returnCodeOf } from '../../keys/private/pkcs11/return-codes.ts';
import type { Token } from '../../keys/private/pkcs11/token.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { FAULT_TABLE } from './support/fault-table.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { open, type TestToken } from './support/test-token.ts';

const LIMIT = 1_000;
const SHORT = { limits: { sign: LIMIT, keyGeneration: LIMIT, login: LIMIT, other: LIMIT } };
/** What a run may end with; 'none' where the fault did not matter. */
const ENDS = new Set(['none', 'module_unusable', 'token_not_found', 'pin_refused', 'pin_locked', 'key_not_found', 'key_ambiguous', 'signing_failed', 'signing_unknown', 'self_check_failed', 'keyfile_corrupt']);

let made: TestToken;
let proxy: FaultyToken;
let publicKey: PublicKey;
let cases = 0;

beforeAll(async () => {
  made = makeKryoptic(['t']);
  const token = await open(made, 't');
  publicKey = (await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'k', id: Uint8Array.of(1), job: 'license' })).key.publicKey;
  await token.close();
  proxy = faulty(made, []);
});
afterAll(() => {
  made?.remove();
  process.stdout.write(`fault walk of the keystore: ${cases} cases\n`);
});

function setFault(fault: string): void {
  const conf = join(proxy.module, '..', 'fault-proxy.conf');
  const kept = readFileSync(conf, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('fault '));
  writeFileSync(conf, `${[...kept, `fault ${fault}`].join('\n')}\n`);
}

/** Everything that the keystore does, once. */
async function run(hosts: number[]): Promise<void> {
  const token: Token = await open(proxy, 't', SHORT);
  hosts.push(token.connection.hostPid);
  try {
    const key = await token.openKey({ label: 'k', publicKey, job: 'license' });
    for (const message of [utf8('one'), utf8('two')]) expect(verifySignature(publicKey, message, await key.sign(message))).toBe(true);
    const object = await token.createData('anchor', utf8('head'));
    await token.destroyData(object);
    const label = `walk ${cases}`;
    const wrapped = await token.generateKey({ alg: 'ed25519+ml-dsa-65', label, id: utf8(label), job: 'license', custody: 'hsm-wrapped' });
    expect(verifySignature(wrapped.key.publicKey, utf8('three'), await wrapped.key.sign(utf8('three')))).toBe(true);
    for (const { ref } of await token.listKeys({ label })) await token.connection.ask('destroy', { ref });
  } finally {
    hosts.push(token.connection.hostPid);
    await token.close();
  }
}

async function walk(fault: string): Promise<string> {
  cases += 1;
  setFault(fault);
  const before = proxy.calls().length;
  const hosts: number[] = [];
  const begun = Date.now();
  const end = await run(hosts).then(
    () => 'none',
    (error: unknown) => {
      if (!(error instanceof VtlicError)) throw error;
      expect(error.message.length).toBeGreaterThan(10);
      expect(error.message).not.toContain(made.pin);
      if (error.code !== 'key_not_found') expect(error.hint).toBeDefined();
      return error.code;
    },
  );
  // One call past its limit, one host started again, one end: never more.
  expect(Date.now() - begun).toBeLessThan(4 * LIMIT + 8_000);
  const logins = proxy.calls().slice(before).filter((call) => call === 'C_Login').length;
  expect(logins).toBeLessThanOrEqual(fault.startsWith('C_Login') ? 1 : 2);
  for (const pid of hosts) expect(identify(pid)).toBeUndefined();
  return end;
}

describe.each(Object.entries(FAULT_TABLE))('%s', (name, codes) => {
  it.each(codes)('returns %s', async (code) => {
    const end = await walk(`${name} 1 rv 0x${returnCodeOf(code).toString(16)}`);
    expect(ENDS).toContain(end);
    if (name === 'C_Login') expect(end).toBe(code === 'CKR_PIN_LOCKED' ? 'pin_locked' : ['CKR_PIN_INCORRECT', 'CKR_USER_PIN_NOT_INITIALIZED', 'CKR_FUNCTION_CANCELED'].includes(code) ? 'pin_refused' : 'signing_failed');
    if (name === 'C_Sign' || name === 'C_SignInit') expect(end).toBe('signing_failed');
  });

  it.each(['hang', 'kill'])('does not return: %s', async (how) => {
    const end = await walk(`${name} 1 ${how}`);
    expect(ENDS).toContain(end);
    if (name === 'C_Sign' || name === 'C_SignInit') expect(end).toBe('signing_unknown');
  });
});
