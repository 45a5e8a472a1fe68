import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../../formats/bytes.ts';
import { encodePrivateCoseKey } from '../../../../../formats/cose-key.ts';
import type { VtlicError } from '../../../../../formats/error.ts';
import { encryptAge } from '../../../../../keys/private/software/age.ts';
import { createKeyFile, keyFileWarning, openKeyFile } from '../../../../../keys/private/software/key-file.ts';
import { SoftwareKey } from '../../../../../keys/private/software/software-key.ts';
import { verifySignature } from '../../../../../keys/public/verify-signature.ts';
import { rejected } from '../../../../support/thrown.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newPath = (): string => join(folder, `${files++}.key`);
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const PASSPHRASE = utf8('passphrase');
const FAST = { workFactor: 4 };
const message = utf8('message');

describe.each(['ed25519', 'ed25519+ml-dsa-65'] as const)('a key file of %s', (alg) => {
  it('opens again and signs as the same key', async () => {
    const path = newPath();
    const made = await createKeyFile(path, alg, 'license', PASSPHRASE, random, FAST);
    const opened = await openKeyFile(path, made.publicKey, 'license', PASSPHRASE);
    expect(opened).toMatchObject({
      publicKey: made.publicKey,
      purpose: 'license',
      custody: 'software',
      signedBy: 'node',
    });
    for (const key of [made, opened])
      expect(verifySignature(made.publicKey, message, await key.sign(message))).toBe(true);
    await opened.close();
    await opened.close();
    expect(await rejected(opened.sign(message))).toMatchObject({ code: 'signing_failed' });
    expect(verifySignature(made.publicKey, message, await made.sign(message))).toBe(true);
  });

  it('is private, contains nothing in the clear, and is never overwritten', async () => {
    const path = newPath();
    const seeds: Uint8Array[] = [];
    const key = await createKeyFile(
      path,
      alg,
      'license',
      PASSPHRASE,
      (length) => {
        const bytes = random(length);
        seeds.push(bytes.slice());
        return bytes;
      },
      FAST,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const written = readFileSync(path);
    const [seed = new Uint8Array()] = seeds;
    expect(written.includes(Buffer.from(seed.slice(0, 32)))).toBe(false);
    expect(written.includes(Buffer.from(key.publicKey.ed25519))).toBe(false);
    const error = await rejected(createKeyFile(path, alg, 'license', PASSPHRASE, random, FAST));
    expect(error).toMatchObject({ code: 'output_exists', place: { file: path } });
    expect(readFileSync(path)).toEqual(written);
  });

  it('wipes the seeds that it was given', async () => {
    const given: Uint8Array[] = [];
    await createKeyFile(
      newPath(),
      alg,
      'license',
      PASSPHRASE,
      (length) => {
        const bytes = random(length);
        given.push(bytes);
        return bytes;
      },
      FAST,
    );
    const [seeds] = given;
    expect(seeds).toEqual(new Uint8Array(alg === 'ed25519' ? 32 : 64));
  });

  it('tells a wrong passphrase, a truncated, an altered and another file apart', async () => {
    const path = newPath();
    const { publicKey } = await createKeyFile(path, alg, 'license', PASSPHRASE, random, FAST);
    expect(await rejected(openKeyFile(path, publicKey, 'license', utf8('other')))).toMatchObject({
      code: 'passphrase_refused',
      place: { file: path },
    });

    const whole = readFileSync(path);
    truncateSync(path, whole.length - 1);
    expect((await rejected(openKeyFile(path, publicKey, 'license', PASSPHRASE))).message).toContain('truncated');
    writeFileSync(path, Buffer.concat([whole, Buffer.of(0)]));
    expect((await rejected(openKeyFile(path, publicKey, 'license', PASSPHRASE))).message).toContain('too long');
    const altered = Buffer.from(whole);
    altered[whole.length - 1] = (altered[whole.length - 1] ?? 0) ^ 1;
    writeFileSync(path, altered);
    const error = await rejected(openKeyFile(path, publicKey, 'license', PASSPHRASE));
    expect(error).toMatchObject({ code: 'keyfile_corrupt' });
    expect(error.message).toContain('altered');

    for (const otherAlg of ['ed25519', 'ed25519+ml-dsa-65'] as const) {
      const other = newPath();
      const { publicKey: otherKey } = await createKeyFile(other, otherAlg, 'license', PASSPHRASE, random, FAST);
      const wrong = await rejected(openKeyFile(other, publicKey, 'license', PASSPHRASE));
      expect(wrong).toMatchObject({ code: 'keyfile_corrupt' });
      expect(wrong.message).toContain(`another one, ${otherKey.kid}`);
    }
  });

  it('is refused where its public key is not the one of its seeds', async () => {
    const path = newPath();
    const seedLength = alg === 'ed25519' ? 32 : 64;
    const seeds = random(seedLength);
    const other = new SoftwareKey(alg, 'license', random(seedLength)).publicKey;
    writeFileSync(
      path,
      await encryptAge(encodePrivateCoseKey(alg, other.bytes, seeds), PASSPHRASE, { ...FAST, random }),
    );
    expect((await rejected(openKeyFile(path, other, 'license', PASSPHRASE))).message).toContain(
      'do not belong together',
    );
  });
});

describe('a key file', () => {
  const publicKey = new SoftwareKey('ed25519', 'license', random(32)).publicKey;
  const open = (path: string): Promise<VtlicError> => rejected(openKeyFile(path, publicKey, 'license', PASSPHRASE));

  it('says that a key file is not there, is a folder, or is far too large', async () => {
    expect(await open(newPath())).toMatchObject({ code: 'key_not_found' });
    const path = newPath();
    mkdirSync(path);
    expect(await open(path)).toMatchObject({ code: 'file_unreadable' });
    const large = newPath();
    writeFileSync(large, Buffer.alloc(16 * 1024 + 1));
    expect(await open(large)).toMatchObject({ code: 'keyfile_corrupt' });
  });

  it('says that the content of a key file is something else, with the right passphrase', async () => {
    const path = newPath();
    writeFileSync(path, await encryptAge(random(75), PASSPHRASE, { ...FAST, random }));
    const error = await open(path);
    expect(error).toMatchObject({ code: 'keyfile_corrupt' });
    expect(error.message).toContain('the passphrase is right');
  });

  it('warns of a key file that others may read', async () => {
    const path = newPath();
    await createKeyFile(path, 'ed25519', 'license', PASSPHRASE, random, FAST);
    expect(await keyFileWarning(path)).toBeUndefined();
    chmodSync(path, 0o644);
    expect(await keyFileWarning(path)).toContain('mode 644');
    expect(await keyFileWarning(newPath())).toBeUndefined();
  });

  it('is not made with an empty passphrase, nor in a folder that is not there', async () => {
    expect(
      await rejected(createKeyFile(newPath(), 'ed25519', 'license', new Uint8Array(), random, FAST)),
    ).toMatchObject({ code: 'usage' });
    const path = join(folder, 'missing', 'x.key');
    expect(await rejected(createKeyFile(path, 'ed25519', 'license', PASSPHRASE, random, FAST))).toMatchObject({
      code: 'output_unwritable',
      place: { file: path },
    });
    expect(existsSync(path)).toBe(false);
  });

  it('a key file that does not fit on the disk is not left behind in part', () => {
    const path = newPath();
    // Files of one block at most (512 or 1024 bytes): the write fails in its middle, as on a full disk.
    const script = fileURLToPath(import.meta.resolve('./create-key-file.ts'));
    const { status, stdout } = spawnSync(
      'sh',
      ['-c', `trap '' XFSZ; ulimit -f 1; exec "$0" "$1" "$2"`, process.execPath, script, path],
      { encoding: 'utf8' },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'output_unwritable' });
    expect(existsSync(path)).toBe(false);
  });

  it('a key file of real use has the work factor 18, and opens', { timeout: 60_000 }, async () => {
    const path = newPath();
    const made = await createKeyFile(path, 'ed25519', 'license', PASSPHRASE, random);
    expect(readFileSync(path, 'latin1').split('\n')[1]).toMatch(/^-> scrypt \S+ 18$/);
    expect((await openKeyFile(path, made.publicKey, 'license', PASSPHRASE)).publicKey.kid).toBe(made.publicKey.kid);
  });
});
