/** No PIN is burnt: kryoptic counts wrong ones and locks, as a real token does. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import type { VtlicError } from '../../formats/error.ts';
import { formatPkcs11Uri } from '../../keys/private/pkcs11/uri/format-uri.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import { openToken } from '../../keys/private/pkcs11/client/token.ts';
import type { TokenDescription } from '../../keys/private/pkcs11/shared/token-description.ts';
import type { TokenOptions } from '../../keys/private/pkcs11/client/token-options.ts';
import { type SecretSource, TokenPool } from '../../signer/keys/token-pool.ts';
import { PtyRun } from '../support/run-cli.ts';
import { testRuntime } from '../support/site-fixture.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { open, optionsOf, random, type TestToken } from './support/test-token.ts';
import { rejected } from '../support/thrown.ts';

const made: TestToken[] = [];
afterEach(() => {
  for (const token of made.splice(0)) token.remove();
});
function make(lines: readonly string[] = [], once = false): FaultyToken {
  const token = makeKryoptic(['t']);
  made.push(token);
  return faulty(token, lines, once);
}

const WRONG = { pin: () => Promise.resolve(utf8('wrong-pin-8812')) };
const logins = (proxy: FaultyToken): number => proxy.calls().filter((call) => call === 'C_Login').length;

describe('a PIN', () => {
  it('shows a wrong PIN once a run, until the token says that one try is left, then only by its serial', async () => {
    const proxy = make();
    let shown = 0;
    let last: VtlicError | undefined;
    for (let run = 0; run < 20; run++) {
      last = await rejected(open(proxy, 't', WRONG));
      if (last.code !== 'pin_refused') break;
      shown += 1;
      expect(logins(proxy)).toBe(shown);
    }
    expect(last?.code).toBe('pin_last_try');
    expect(shown).toBe(9);
    expect(logins(proxy)).toBe(9);
    const serial = /serial ([0-9a-f]+)/.exec(last?.message ?? '')?.[1] ?? '';
    expect(last?.hint).toContain(`--last-try ${serial}`);
    expect((await rejected(open(proxy, 't', { lastTrySerial: '0000' }))).code).toBe('pin_last_try');
    expect(logins(proxy)).toBe(9);
    // The right PIN on the last try brings all tries back.
    const token = await open(proxy, 't', { lastTrySerial: serial });
    await token.close();
    await (await open(proxy, 't')).close();
  });

  it('a PIN that locks the token is never shown again', async () => {
    const proxy = make();
    for (let run = 0; run < 9; run++) await rejected(open(proxy, 't', WRONG));
    const serial = /serial ([0-9a-f]+)/.exec((await rejected(open(proxy, 't'))).message)?.[1] ?? '';
    const locking = await rejected(open(proxy, 't', { ...WRONG, lastTrySerial: serial }));
    expect(locking.message).toContain('locked');
    expect((await rejected(open(proxy, 't', { lastTrySerial: serial }))).code).toBe('pin_locked');
    expect(logins(proxy)).toBe(10);
  });

  it('is shown on the last try where a person types the serial, and not for another word', async () => {
    const proxy = make(['flags 20000']);
    const asked: string[] = [];
    const typing = (text: string | undefined): Partial<TokenOptions> => ({
      typeSerial: (token) => {
        asked.push(token.serial);
        return Promise.resolve(text);
      },
    });
    for (const other of [undefined, '', 'Yes', 'yes'])
      expect((await rejected(open(proxy, 't', typing(other)))).code).toBe('pin_last_try');
    expect(logins(proxy)).toBe(0);
    const serial = asked[0] ?? '';
    await (await open(proxy, 't', typing(serial))).close();
    expect(logins(proxy)).toBe(1);

    const terminal = new PtyRun(['hsm', 'doctor', `pkcs11:token=t?module-path=${proxy.module}`], {
      env: { ...proxy.environment },
    });
    await terminal.until(/one try of its user PIN left.*type the serial/);
    terminal.type(`${serial}\r`);
    await terminal.until(/PIN of token t .*: /);
    terminal.type(`${proxy.pin}\r`);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output).not.toContain(proxy.pin);
  });

  it('is not shown where only the flags read after the prompt say that one try is left: another program had the others meanwhile', async () => {
    // The token is described when it is found, before the prompt, and after it.
    const proxy = make(['fault C_GetTokenInfo 3 flags 20000']);
    let atPrompt = 0;
    let given = utf8('');
    const pin = (): Promise<Uint8Array> => {
      atPrompt = proxy.calls().length;
      given = utf8(proxy.pin);
      return Promise.resolve(given);
    };
    const error = await rejected(open(proxy, 't', { pin }));
    expect(error.code).toBe('pin_last_try');
    expect(given.every((byte) => byte === 0)).toBe(true);
    expect(proxy.calls()[atPrompt]).toBe('C_GetTokenInfo');
    expect(logins(proxy)).toBe(0);
    // With the serial given beforehand the try is the officer's to use; the flags are read again all the same.
    const lastTrySerial = /serial ([0-9a-f]+)/.exec(error.message)?.[1] ?? '';
    const token = await open(proxy, 't', { lastTrySerial, pin });
    expect(proxy.calls().slice(atPrompt, atPrompt + 2)).toEqual(['C_GetTokenInfo', 'C_Login']);
    await token.close();
  });

  it('is not asked for where the token refuses a login beforehand', async () => {
    const proxy = make(['flags 40000']);
    let asked = false;
    const pin = (): Promise<Uint8Array> => {
      asked = true;
      return Promise.resolve(utf8('x'));
    };
    expect((await rejected(open(proxy, 't', { pin }))).code).toBe('pin_locked');
    expect(asked).toBe(false);
    expect(logins(proxy)).toBe(0);
  });

  it('a PIN that is too short for the token is not shown', async () => {
    const proxy = make();
    expect((await rejected(open(proxy, 't', { pin: () => Promise.resolve(utf8('1')) }))).message).toContain(
      'was not sent',
    );
    expect(logins(proxy)).toBe(0);
  });

  it('a PIN that was refused after the token came back is never shown again', async () => {
    const proxy = make(['fault C_Login 1 rv 0xa0'], false);
    // The first host logs in by the real PIN: the fault is on the first login of each host, so it is switched on later.
    const conf = join(proxy.module, '..', 'fault-proxy.conf');
    const lines = readFileSync(conf, 'utf8');
    writeFileSync(conf, lines.replace('fault C_Login 1', 'fault C_Sign 3 kill\nfault C_Login 99'));
    const token = await open(proxy, 't');
    const { key } = await token.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
    writeFileSync(conf, lines);
    await key.sign(utf8('a'));
    expect((await rejected(key.sign(utf8('a')))).code).toBe('signing_unknown');
    for (let i = 0; i < 5; i++) expect((await rejected(key.sign(utf8('a')))).code).toBe('pin_refused');
    expect(logins(proxy)).toBe(2);
    await token.close();
  });

  it('is not shown again where the token says, after it came back, that one try is left', async () => {
    const token = makeKryoptic(['t']);
    made.push(token);
    const [proxy, other] = [faulty(token, ['fault C_Sign 3 kill']), faulty(token, [])];
    const opened = await open(proxy, 't');
    const { key } = await opened.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
    await key.sign(utf8('a'));
    expect((await rejected(key.sign(utf8('a')))).code).toBe('signing_unknown');
    let code = '';
    for (let run = 0; run < 20 && code !== 'pin_last_try'; run++) ({ code } = await rejected(open(other, 't', WRONG)));
    expect(code).toBe('pin_last_try');
    expect((await rejected(key.sign(utf8('a')))).code).toBe('pin_last_try');
    expect(logins(proxy)).toBe(1);
    await opened.close();
  });

  it('is shown to no host that starts while the token is closed, nor anything in its place', async () => {
    const proxy = make(['fault C_Sign 3 kill', 'fault C_GetTokenInfo 2 slow 1500']);
    const token = await open(proxy, 't');
    const { key } = await token.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' });
    await key.sign(utf8('a'));
    expect((await rejected(key.sign(utf8('a')))).code).toBe('signing_unknown');
    const sessions = (): number => proxy.calls().filter((call) => call === 'C_OpenSession').length;
    const before = sessions();
    const signing = rejected(key.sign(utf8('a')));
    for (const until = Date.now() + 20_000; sessions() < before + 2 && Date.now() < until;)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await token.close();
    expect((await signing).message).toContain('was closed');
    expect(logins(proxy)).toBe(1);
  });

  it('is wiped by the keystore, and in no message, file or error', async () => {
    const proxy = make();
    const given = utf8('wrong-pin-8812');
    const error = await rejected(open(proxy, 't', { pin: () => Promise.resolve(given) }));
    expect(given.every((byte) => byte === 0)).toBe(true);
    expect(`${error.message} ${error.hint ?? ''} ${error.stack ?? ''} ${JSON.stringify(error)}`).not.toContain('8812');
    const right = utf8(proxy.pin);
    const token = await open(proxy, 't', { pin: () => Promise.resolve(right) });
    await token.close();
    expect(right.every((byte) => byte === 0)).toBe(true);
  });
});

describe('other ways in', () => {
  it('uses the token’s own pad, and asks for no PIN', async () => {
    const plain = makeKryoptic(['t']);
    made.push(plain);
    const proxy = faulty(plain, ['flags 100', `padpin ${plain.pin}`]);
    const options = { ...optionsOf(proxy, 't') };
    delete (options as { pin?: unknown }).pin;
    const token = await openToken(options, random);
    expect(await token.listKeys()).toEqual([]);
    await token.close();
    expect(logins(proxy)).toBe(1);
  });

  it('uses the pad once, also where two keystores name its token', async () => {
    const plain = makeKryoptic(['t']);
    made.push(plain);
    const proxy = faulty(plain, ['flags 100', `padpin ${plain.pin}`]);
    for (const [name, value] of Object.entries(plain.environment)) vi.stubEnv(name, value);
    const pool = new TokenPool(testRuntime());
    try {
      const uri = formatPkcs11Uri({ token: 't', modulePath: proxy.module, unknown: [], ignored: [] });
      const secrets: SecretSource = { asks: () => false, take: () => Promise.reject(new Error('a PIN was asked for')) };
      const first = await pool.open({ type: 'pkcs11', name: 'keys', uri }, secrets);
      const second = await pool.open({ type: 'pkcs11', name: 'anchor', uri }, secrets);
      expect(second).toBe(first);
      expect(await second.listKeys()).toEqual([]);
    } finally {
      await pool.close();
      vi.unstubAllEnvs();
    }
    expect(logins(proxy)).toBe(1);
  });

  it('takes the PIN from pin-source, and from no file that others can read', async () => {
    const plain = makeKryoptic(['t']);
    made.push(plain);
    const file = join(plain.folder, 'pin');
    writeFileSync(file, `${plain.pin}\n`, { mode: 0o600 });
    const uri = parsePkcs11Uri(`pkcs11:token=t?module-path=${plain.module}&pin-source=file:${file}`);
    const asked: string[] = [];
    const pin = (token: TokenDescription): Promise<Uint8Array> => {
      asked.push(token.label);
      return Promise.resolve(utf8(plain.pin));
    };
    const options = { uri, pin, environment: { ...process.env, ...plain.environment } };
    await (await openToken(options, random)).close();
    chmodSync(file, 0o640);
    expect((await rejected(openToken(options, random))).message).toContain('other users');
    chmodSync(file, 0o600);
    writeFileSync(file, '\n');
    expect((await rejected(openToken(options, random))).message).toContain('empty line');
    expect(asked).toEqual([]);
    const without = { ...options, uri: parsePkcs11Uri(`pkcs11:token=t?module-path=${plain.module}`) };
    await (await openToken(without, random)).close();
    expect(asked).toEqual(['t']);
  });

  it('shows the accepted PIN to a key that wants it before each signature, and stops at the first refusal', async () => {
    const plain = makeKryoptic(['t']);
    made.push(plain);
    const proxy = faulty(plain, [`contextpin ${plain.pin}`]);
    const token = await open(proxy, 't');
    const { key } = await token.generateKey({
      alg: 'ed25519+ml-dsa-65',
      label: 'k',
      id: Uint8Array.of(1),
      purpose: 'license',
    });
    await Promise.all([1, 2, 3, 4, 5].map((n) => key.sign(Uint8Array.of(n))));
    await token.close();
    const refusing = faulty(plain, ['contextpin other-than-the-pin']);
    const other = await open(refusing, 't');
    const opening = (): Promise<unknown> => other.openKey({ label: 'k', publicKey: key.publicKey, purpose: 'license' });
    expect((await rejected(opening())).code).toBe('pin_refused');
    expect((await rejected(opening())).code).toBe('pin_refused');
    expect(logins(refusing)).toBe(2);
    await other.close();
  });

  it('is shown no second time where four signatures are with the host and the first is refused', async () => {
    const plain = makeKryoptic(['t']);
    made.push(plain);
    // The user's login is the first, the two components of the two self-tests take four more.
    const proxy = faulty(plain, [`contextpin ${plain.pin}`, 'fault C_Login 6 rv 0xa0']);
    const token = await open(proxy, 't');
    const { key } = await token.generateKey({
      alg: 'ed25519+ml-dsa-65',
      label: 'k',
      id: Uint8Array.of(1),
      purpose: 'license',
    });
    await key.sign(utf8('a'));
    const all = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => key.sign(Uint8Array.of(n))));
    expect(all.every(({ status }) => status === 'rejected')).toBe(true);
    expect(logins(proxy)).toBe(6);
    await token.close();
  });
});
