/**
 * A module that answers nonsense: counts that no token has, lengths that lie, texts that would move a cursor, bytes in
 * descriptors that are not its own. Its host may die of it. The officer's process says what happened, and goes on.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { EXIT } from '../support/exit-codes.ts';
import { runCli } from '../support/run-cli.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { open, type TestToken } from './support/test-token.ts';

const COUNTS = ['3', '2147483648', '1152921504606846976'];

let made: TestToken;
let proxy: FaultyToken;
let publicKey: PublicKey;
beforeAll(async () => {
  made = makeKryoptic(['t']);
  const token = await open(made, 't');
  publicKey = (
    await token.generateKey({ alg: 'ed25519+ml-dsa-65', label: 'k', id: Uint8Array.of(1), purpose: 'license' })
  ).key.publicKey;
  await token.close();
  proxy = faulty(made, []);
});
afterAll(() => made?.remove());

/** The end of a run that opens the key, and what it and the module said. */
async function run(fault: string): Promise<{ readonly code: string; readonly text: string }> {
  proxy.setFaults([fault]);
  const said: string[] = [];
  try {
    const token = await open(proxy, 't', { moduleSaid: (line) => said.push(line) });
    try {
      await token.openKey({ label: 'k', publicKey, purpose: 'license' });
      return { code: 'none', text: said.join('\n') };
    } finally {
      await token.close();
    }
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return { code: error.code, text: [error.message, error.hint ?? '', ...said].join('\n') };
  }
}

describe('a count that lies', () => {
  // Whether the memory behind a short list is there, chance decides: a host that dies and an answer that is none are
  // both right.
  it.each([
    ['C_GetSlotList 1', ['none', 'module_unusable']],
    ['C_GetSlotList 2', ['none', 'module_unusable', 'token_not_found', 'token_ambiguous']],
    ['C_GetMechanismList 1', ['module_unusable']],
    ['C_FindObjects 1', ['signing_failed', 'key_not_found']],
    ['C_GetAttributeValue 1', ['signing_failed', 'key_not_found', 'none']],
    ['C_Sign 1', ['signing_failed', 'none']],
  ])('%s ends the host at most', async (call, codes) => {
    for (const count of COUNTS) expect(codes).toContain((await run(`${call} count ${count}`)).code);
  });
});

describe('a text that is none', () => {
  it.each([
    ['C_GetInfo', 'configuration_invalid'],
    ['C_GetSlotInfo', 'none'],
    ['C_GetTokenInfo', 'token_not_found'],
    ['C_GetAttributeValue', 'key_not_found'],
  ])('a malformed text in %s moves no cursor', async (call, expected) => {
    const { code, text } = await run(`${call} 0 junk`);
    expect(code).toBe(expected);
    expect(hasControlOrBidi(text.replaceAll('\n', ''))).toBe(false);
    if (call !== 'C_GetTokenInfo') return;
    const listed = runCli(['hsm', 'list', '--module', proxy.module], { env: { ...proxy.environment } });
    expect(`${listed.code} ${listed.stdout}`).toMatch(/^0 .*\\u\{001B\}\[2J/s);
    expect(hasControlOrBidi(listed.stdout.replaceAll('\n', ''))).toBe(false);
  });
});

it('another token in the place of the one that was found is shown no PIN', async () => {
  const before = proxy.calls().length;
  const { code, text } = await run('C_GetTokenInfo 2 junk');
  expect(code).toBe('token_not_found');
  expect(text).toMatch(/^another token, .* is in the place of "t"/);
  expect(proxy.calls().slice(before)).not.toContain('C_Login');
});

describe('bytes in the pipe to the officer’s process', () => {
  it.each([
    ['C_GetInfo 1', 'module_unusable'],
    ['C_Login 1', 'signing_failed'],
    ['C_Sign 1', 'signing_unknown'],
  ])('garbled bytes by %s end the host, not the writer of the ledger', async (call, expected) => {
    const { code, text } = await run(`${call} garble`);
    expect(code).toBe(expected);
    expect(text).toContain('an answer that makes no sense');
  });

  it('garbled bytes do not end the command', () => {
    proxy.setFaults(['C_GetTokenInfo 1 garble']);
    const listed = runCli(['hsm', 'list', '--module', proxy.module], { env: { ...proxy.environment } });
    expect(`${listed.code} ${listed.stderr}`).toMatch(new RegExp(`^${EXIT.notFound} vtlic: .*makes no sense`));
  });
});

it('a PIN that the module prints is not repeated', async () => {
  const { code, text } = await run('C_Login 1 tell');
  expect(code).toBe('none');
  expect(text).toBe('(a line with the PIN in it, which is not repeated here)');
});
