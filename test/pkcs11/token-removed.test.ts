/** A token host that is closed or goes away while work is with it: nothing is signed twice, nothing is cut off. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import type { VtlicError } from '../../formats/error.ts';
import type { HostClient } from '../../keys/private/pkcs11/client/host-client.ts';
import type { TokenOptions } from '../../keys/private/pkcs11/client/token-options.ts';
import type { Token } from '../../keys/private/pkcs11/client/token.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { RawHost } from './support/raw-host.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, type TestToken } from './support/test-token.ts';

const MESSAGE = utf8('message');

let made: TestToken;
let publicKey: PublicKey;
beforeAll(async () => {
  made = makeSofthsm('t');
  const token = await open(made, 't');
  publicKey = (await token.generateKey({ alg: 'ed25519', label: 'k', id: Uint8Array.of(1), purpose: 'license' })).key
    .publicKey;
  await token.close();
});
afterAll(() => made?.remove());

const callsOf = (proxy: FaultyToken, name: string): number => proxy.calls().filter((call) => call === name).length;
const outcome = (signing: Promise<Uint8Array>): Promise<string> =>
  signing.then(
    (signature) => (verifySignature(publicKey, MESSAGE, signature) ? 'signed' : 'wrong'),
    (error: VtlicError) => error.code,
  );

/** The self-test at opening makes the first signature. */
async function openBehind(
  proxy: FaultyToken,
  more: Partial<TokenOptions> = {},
): Promise<{ token: Token; key: SigningKey }> {
  const token = await open(proxy, 't', more);
  return { token, key: await token.openKey({ label: 'k', publicKey, purpose: 'license' }) };
}

describe('with four signatures at the host', () => {
  it.each(['0x30', '0x32', '0xb3'])(
    'one that says the token is gone (%s) leaves the other three to their end, and none is made twice',
    async (rv) => {
      const proxy = faulty(made, [`fault C_Sign 2 rv ${rv}`, 'fault C_Sign 0 slow 700']);
      const { token, key } = await openBehind(proxy);
      const four = [1, 2, 3, 4].map(() => outcome(key.sign(MESSAGE)));
      expect(await Promise.race(four)).toBe('signing_failed');
      expect(await outcome(key.sign(MESSAGE))).toBe('signed');
      expect((await Promise.all(four)).toSorted()).toEqual(['signed', 'signed', 'signed', 'signing_failed']);
      expect(callsOf(proxy, 'C_Sign')).toBe(1 + 4 + 1);
      expect(callsOf(proxy, 'C_Login')).toBe(2);
      await token.close();
    },
  );

  it('those that wait their turn outside the host are signed by the next one', async () => {
    const proxy = faulty(made, ['fault C_Sign 2 rv 0x30', 'fault C_Sign 0 slow 50']);
    const { token, key } = await openBehind(proxy);
    const all = await Promise.all(Array.from({ length: 60 }, () => outcome(key.sign(MESSAGE))));
    expect(all.filter((one) => one === 'signed')).toHaveLength(59);
    expect(callsOf(proxy, 'C_Sign')).toBe(1 + 60);
    await token.close();
  });

  // 6 s are more than a host is given to close.
  it.each([500, 6000])('closing the token waits for them, of %d ms each', async (milliseconds) => {
    const proxy = faulty(made, [`fault C_Sign 0 slow ${milliseconds}`]);
    const { token, key } = await openBehind(proxy);
    const four = [1, 2, 3, 4].map(() => outcome(key.sign(MESSAGE)));
    while (callsOf(proxy, 'C_Sign') < 5) await sleep(10);
    await token.close();
    expect(await Promise.all(four)).toEqual(['signed', 'signed', 'signed', 'signed']);
    expect(callsOf(proxy, 'C_Sign')).toBe(5);
    expect(proxy.calls().slice(-3)).toEqual(['C_Logout', 'C_CloseAllSessions', 'C_Finalize']);
  });

  it('the host makes them before it closes', async () => {
    const proxy = faulty(made, ['fault C_Sign 0 slow 300']);
    const host = new RawHost(proxy);
    const request = await host.ready(proxy);
    await Promise.all([...[1, 2, 3, 4, 5].map(() => host.ask('sign', request)), host.ask('close', {})]);
    expect(host.answered.slice(-6)).toEqual(['sign', 'sign', 'sign', 'sign', 'sign', 'close']);
    host.drop();
    await host.ended;
  });
});

it('a host sees between two signatures that the officer is gone', async () => {
  const proxy = faulty(made, ['fault C_Sign 0 slow 200']);
  const host = new RawHost(proxy);
  const request = await host.ready(proxy);
  const twenty = Array.from({ length: 20 }, () => host.ask('sign', request));
  await twenty[0];
  host.drop();
  await host.ended;
  expect(callsOf(proxy, 'C_Sign')).toBeLessThanOrEqual(3);
});

describe('what the host made', () => {
  it.each(['kill', 'hang'])(
    'is lost for at most four signatures with a module that ends in the next one (%s)',
    async (how) => {
      const proxy = faulty(made, [`fault C_Sign 11 ${how}`]);
      const { token, key } = await openBehind(proxy, { limits: { sign: 1500 } });
      const ten = await Promise.all(Array.from({ length: 10 }, () => outcome(key.sign(MESSAGE))));
      expect(ten.filter((one) => one === 'signed').length).toBeGreaterThanOrEqual(9 - 4);
      expect(ten.at(-1)).toBe('signing_unknown');
      expect(new Set(ten)).toEqual(new Set(['signed', 'signing_unknown']));
      await token.close();
    },
  );

  it.each(['kill', 'hang'])('reaches the client before a module that ends while it is closed (%s)', async (how) => {
    const proxy = faulty(made, [`fault C_Finalize 1 ${how}`]);
    const { token, key } = await openBehind(proxy);
    const eight = Array.from({ length: 8 }, () => outcome(key.sign(MESSAGE)));
    // They go to the host in this turn.
    await nextTurn();
    await token.close();
    expect(await Promise.all(eight)).toEqual(eight.map(() => 'signed'));
  });

  it('comes in the order of the requests, and the host looks at its pipe between them', async () => {
    const proxy = faulty(made, ['fault C_Sign 0 slow 100']);
    const host = new RawHost(proxy);
    const request = await host.ready(proxy);
    // While the first is made the others come together.
    const all = [
      host.ask('sign', request),
      host.ask('random', { length: 8 }),
      ...Array.from({ length: 12 }, () => host.ask('sign', request)),
    ];
    await all[2];
    host.drop();
    await host.ended;
    expect(callsOf(proxy, 'C_Sign')).toBeLessThanOrEqual(5);
    expect(host.answered.slice(-3)).toEqual(['sign', 'random', 'sign']);
  });
});

it('what the host made reaches the client before a module that hangs while it logs out', async () => {
  const proxy = faulty(made, ['fault C_Sign 0 slow 100', 'fault C_Logout 1 hang']);
  const { token, key } = await openBehind(proxy);
  const four = [1, 2, 3, 4].map(() => outcome(key.sign(MESSAGE)));
  while (callsOf(proxy, 'C_Sign') < 5) await sleep(5);
  await token.close();
  expect(await Promise.all(four)).toEqual(['signed', 'signed', 'signed', 'signed']);
});

it('a token that allows only one session is opened again after a failed signature that left its operation active', async () => {
  const proxy = faulty(made, ['fault C_OpenSession 2 rv 0xb1', 'fault C_Sign 2 rv 0x5']);
  const { token, key } = await openBehind(proxy);
  const outcomes: string[] = [];
  for (let i = 0; i < 3; i++) outcomes.push(await outcome(key.sign(MESSAGE)));
  expect(outcomes).toEqual(['signing_failed', 'signing_failed', 'signed']);
  expect(callsOf(proxy, 'C_Login')).toBe(2);
  await token.close();
});

describe('a data object', () => {
  async function ended(host: HostClient): Promise<void> {
    process.kill(host.pid, 'SIGKILL');
    while (!host.isOver) await sleep(10);
  }

  it('is looked for and destroyed on one host, whatever comes between', async () => {
    const token = await open(made, 't');
    const object = await token.createData('doomed', utf8('1'));
    const { connection } = token;
    const request = connection.request.bind(connection) as (...of: unknown[]) => Promise<unknown>;
    let killed = false;
    Reflect.set(connection, 'request', async (host: HostClient, operation: string, ...more: unknown[]) => {
      const reply = await request(host, operation, ...more);
      if (operation === 'listData' && !killed) {
        killed = true;
        await ended(host);
      }
      return reply;
    });
    await token.destroyData(object);
    expect(killed).toBe(true);
    expect(await token.readData('doomed')).toEqual([]);
    await token.close();
  });

  it('has a number that means nothing to another host', async () => {
    const token = await open(made, 't');
    const one = await token.createData('one', utf8('1'));
    await ended(await token.connection.host());
    const two = await token.createData('two', utf8('2'));
    expect(two.ref).not.toBe(one.ref);
    await expect(token.connection.ask('destroy', { ref: one.ref })).rejects.toMatchObject({
      code: 'signing_failed',
      message: expect.stringContaining('C_DestroyObject, CKR_OBJECT_HANDLE_INVALID') as string,
    });
    for (const object of [one, two]) await token.destroyData(object);
    expect([...(await token.readData('one')), ...(await token.readData('two'))]).toEqual([]);
    await token.close();
  });
});
