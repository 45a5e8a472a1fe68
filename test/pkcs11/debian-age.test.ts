/** Key files opened by Debian's `age`, and files made by it opened by us: a key does not depend on this toolkit. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import { decodePrivateCoseKey } from '../../formats/cose-key.ts';
import { decryptAge } from '../../keys/private/software/age.ts';
import { createKeyFile } from '../../keys/private/software/key-file.ts';

const PASSPHRASE = 'correct horse battery staple';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-age-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** age asks on the terminal, so it gets one. */
async function age(args: string, answers: number): Promise<number | null> {
  const child = spawn('script', ['-q', '-e', '-f', '-c', `age ${args}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  let asked = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    if (/passphrase/i.test(chunk.toString('utf8')) && asked < answers) {
      asked++;
      child.stdin.write(`${PASSPHRASE}\r`);
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

describe("Debian's age", () => {
  it.each(['ed25519', 'ed25519+ml-dsa-65'] as const)('opens a key file of %s', async (alg) => {
    const file = join(folder, `${alg}.age`);
    const key = await createKeyFile(
      file,
      alg,
      'license',
      utf8(PASSPHRASE),
      (length) => new Uint8Array(randomBytes(length)),
      { workFactor: 12 },
    );
    const out = join(folder, `${alg}.cbor`);
    expect(await age(`-d -o '${out}' '${file}'`, 1)).toBe(0);
    const content = decodePrivateCoseKey(new Uint8Array(readFileSync(out)));
    expect(content.alg).toBe(alg);
    expect(content.publicBytes).toEqual(key.publicKey.bytes);
    await key.close();
  });

  it('makes files that we open', async () => {
    const plain = join(folder, 'plain');
    const file = join(folder, 'theirs.age');
    writeFileSync(plain, 'anything at all');
    expect(await age(`-p -o '${file}' '${plain}'`, 2)).toBe(0);
    const opened = await decryptAge(new Uint8Array(readFileSync(file)), utf8(PASSPHRASE), { maxWorkFactor: 20 });
    expect(Buffer.from(opened).toString('utf8')).toBe('anything at all');
  });
});
