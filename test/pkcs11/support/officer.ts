/**
 * An officer's process for tests: reads one JSON line from stdin {module, label, pin, environment, act}, and prints
 * JSON lines.
 *
 * Acts: `sign` opens, makes a key, signs, closes, ends with exit code 7; `leave` does the same without closing; `wait`
 * signs until it is killed; `hang` sends one signature and waits.
 */
import { readFileSync } from 'node:fs';
import { utf8 } from '../../../formats/bytes.ts';
import { open } from './test-token.ts';

interface Order {
  readonly module: string;
  readonly label: string;
  readonly pin: string;
  readonly environment: Record<string, string>;
  readonly act: 'sign' | 'leave' | 'wait' | 'hang';
}

const order = JSON.parse(readFileSync(0, 'utf8')) as Order;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const token = await open({ ...order, folder: '', remove: () => {} }, order.label, {
  notify: (sentence) => say({ notice: sentence }),
});
const [existing] = await token.listKeys({ label: 'officer' });
if (existing === undefined)
  await token.generateKey({ alg: 'ed25519', label: 'officer', id: Uint8Array.of(1), purpose: 'license' });
const { connection } = token;
const [key] = (await token.listKeys({ label: 'officer' })).filter((found) => found.class === 'private');
const sign = async (): Promise<void> =>
  void (await connection.ask('sign', { parts: [{ ref: key?.ref ?? -1, message: utf8('m') }] }));
if (order.act !== 'hang') await sign();
say({
  host: connection.hostPid,
  mapped: readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => /softhsm|vtlic_test_token|fault_proxy|pkcs11\.node/.test(line)),
});
process.exitCode = 7;
if (order.act === 'sign') await token.close();
if (order.act === 'wait') for (;;) await sign();
if (order.act === 'hang') await sign();
