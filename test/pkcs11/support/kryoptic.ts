/** kryoptic tokens in a folder of their own: ML-DSA-65, PIN counting, modifiable data objects. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureKryoptic } from '../../support/tokens/build-kryoptic.ts';
import { newPin, type TestToken } from './test-token.ts';

const INIT = fileURLToPath(new URL('./init-token.ts', import.meta.url));

/**
 * Makes one slot with a token for each label, with one PIN or `each` its own; `pointEncoding` is how it gives
 * CKA_EC_POINT.
 *
 * @param pin of the first token; default a new one
 */
export function makeKryoptic(
  labels: readonly string[],
  pointEncoding: 'Bytes' | 'Der' = 'Bytes',
  pinsFor: 'all' | 'each' = 'all',
  pin: string = newPin(),
): TestToken {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-kryoptic-'));
  const conf = join(folder, 'token.conf');
  const slots = labels.map(
    (_, i) => `[[slots]]\nslot = ${i + 1}\ndbtype = "sqlite"\ndbargs = "${join(folder, `token${i + 1}.sql`)}"\n`,
  );
  writeFileSync(conf, `[ec_point_encoding]\nencoding = "${pointEncoding}"\n\n${slots.join('\n')}`);
  const environment = { KRYOPTIC_CONF: conf };
  const module = ensureKryoptic();
  const pins = Object.fromEntries(labels.map((label, i) => [label, pinsFor === 'each' && i > 0 ? newPin() : pin]));
  for (const label of labels) {
    const made = spawnSync(process.execPath, [INIT, module, label, 'so-pin-of-a-test', pins[label] ?? ''], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    });
    if (made.stdout !== 'done\n') throw new Error(`the kryoptic token was not initialized: ${made.stderr}`);
  }
  return { module, environment, pin, pins, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
