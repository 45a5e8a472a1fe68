import { randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../../formats/bytes.ts';
import { decryptAge, encryptAge } from '../../../../../keys/private/software/age.ts';
import { inWords, rejected } from '../../../../support/thrown.ts';

const PASSPHRASE = utf8('correct horse battery staple ✓');
const FAST = 4;
const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));

const seal = (plain: Uint8Array, workFactor = FAST): Promise<Uint8Array> =>
  encryptAge(plain, PASSPHRASE, { workFactor, random });

async function refusal(
  file: Uint8Array,
  options: { maxWorkFactor?: number; plainBytes?: readonly number[] } = {},
  passphrase = PASSPHRASE,
): Promise<string> {
  return inWords(await rejected(decryptAge(file, passphrase, options)));
}

/** Sizes around the chunk of 64 KiB, where STREAM has its corners. */
const SIZES = [0, 1, 75, 2077, 65_535, 65_536, 65_537, 131_072, 200_000];

describe('age files', () => {
  it.each(SIZES)('age files of %d bytes come back', async (size) => {
    const plain = random(size);
    expect(await decryptAge(await seal(plain), PASSPHRASE)).toEqual(plain);
  });

  it.each(SIZES)('age files of %d bytes open in the age-encryption package', async (size) => {
    const plain = random(size);
    const reader = new Decrypter();
    reader.addPassphrase(new TextDecoder().decode(PASSPHRASE));
    expect(await reader.decrypt(await seal(plain))).toEqual(plain);
  });

  it.each(SIZES)('age files of %d bytes made by the age-encryption package open', async (size) => {
    const plain = random(size);
    const writer = new Encrypter();
    writer.setPassphrase(new TextDecoder().decode(PASSPHRASE));
    writer.setScryptWorkFactor(FAST);
    expect(await decryptAge(await writer.encrypt(plain), PASSPHRASE)).toEqual(plain);
  });

  it('never come out twice the same', async () => {
    const plain = random(75);
    expect(await seal(plain)).not.toEqual(await seal(plain));
  });

  it.each([0, 21, 1.5, Number.NaN])('are not written with the work factor %d', async (workFactor) => {
    await expect(seal(new Uint8Array(1), workFactor)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('what does not open', () => {
  const lines = (file: Uint8Array): string[] => Buffer.from(file).toString('latin1').split('\n');
  const withLine = (file: Uint8Array, index: number, change: (line: string) => string): Uint8Array => {
    const all = lines(file);
    all[index] = change(all[index] ?? '');
    return Uint8Array.from(Buffer.from(all.join('\n'), 'latin1'));
  };

  it('reports a wrong passphrase as such', async () => {
    const file = await seal(random(75));
    expect(await refusal(file, {}, utf8('wrong'))).toBe(
      'passphrase_refused: the passphrase does not open the key file',
    );
    expect(await refusal(file, {}, utf8(''))).toContain('passphrase_refused');
    expect(await refusal(file, {}, utf8('correct horse battery staple ✓\n'))).toContain('passphrase_refused');
  });

  it.each([
    ['an empty file', () => new Uint8Array(), 'the key file is empty'],
    [
      'another file',
      () => utf8('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\n'),
      'it is not an age file',
    ],
    [
      'an armored age file',
      () => utf8('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n'),
      'armored age file, and the binary form was expected',
    ],
    [
      'an armored age file behind blank lines, cut short',
      () => utf8('\r\n\n-----BEGIN AGE ENCRYPTED FILE-----\r\nYWdl'),
      'armored age file, and the binary form was expected',
    ],
    [
      'a file of another age version',
      () => utf8('age-encryption.org/v2\n-> scrypt AAAA 18\nAAAA\n--- AAAA\n'),
      'of age version "v2", and only version "v1" can be read here',
    ],
    ['a file of another age version with a hostile name', () => utf8('age-encryption.org/\u001b[31m\n'), '\\u{001B}'],
    [
      'a file of age version 1 whose line ends a transfer changed',
      () => utf8('age-encryption.org/v1\r\n-> scrypt AAAA 18\r\nAAAA\r\n--- AAAA\r\n'),
      'its line end should be a line feed',
    ],
    [
      'an age identity',
      () => utf8('# created: 2026-11-01T00:00:00Z\n# public key: age1x\nAGE-SECRET-KEY-1QQQ\n'),
      'an age identity, not an encrypted key file',
    ],
    ['noise', () => random(3000), 'it is not an age file'],
  ])('says what %s is', async (_, make, words) => {
    const said = await refusal(make());
    expect(said).toContain('keyfile_corrupt');
    expect(said).toContain(words);
  });

  it(
    'says of every truncation that it is one, where the length of the content is known',
    { timeout: 60_000 },
    async () => {
      const file = await seal(random(75));
      for (let length = 0; length < file.length; length++) {
        const said = await refusal(file.slice(0, length), { plainBytes: [75] });
        expect(said).toContain('keyfile_corrupt');
        if (length > 21) expect(said, `${length} bytes`).toContain('truncated');
      }
    },
  );

  it('refuses a file that is too long, or is cut at a chunk', async () => {
    expect(await refusal(Uint8Array.of(...(await seal(random(75))), 0), { plainBytes: [75] })).toContain('too long');
    const two = await seal(random(65_536 + 10));
    const end = lines(two).slice(0, 4).join('\n').length + 1;
    expect(await refusal(two.slice(0, end + 16 + 65_536 + 16))).toContain('altered or truncated');
    expect(await refusal(two.slice(0, end + 16 + 65_536 + 16 + 16))).toContain('altered or truncated');
    expect(await refusal(two.slice(0, end + 16 + 65_536 + 16 + 5))).toContain('altered or truncated');
  });

  it('refuses any altered byte, and never as a passphrase but where none can tell', { timeout: 60_000 }, async () => {
    const file = await seal(random(75));
    const all = lines(file);
    const stanza = { from: `${all[0] ?? ''}\n`.length, to: all.slice(0, 3).join('\n').length };
    for (let at = 0; at < file.length; at++) {
      const altered = file.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x01;
      const said = await refusal(altered, { plainBytes: [75], maxWorkFactor: 8 });
      expect(said, `byte ${at}`).toMatch(
        at >= stanza.from && at < stanza.to ? /keyfile_corrupt|passphrase_refused/ : /keyfile_corrupt/,
      );
    }
  });

  it('refuses a work factor above the limit before it computes it', async () => {
    const file = await seal(random(75));
    // The computation of 62 would never end.
    for (const factor of ['21', '62'])
      expect(await refusal(withLine(file, 1, (line) => line.replace(/4$/, factor)))).toBe(
        `keyfile_corrupt: the key file asks for the scrypt work factor ${factor}, but at most 20 is computed`,
      );
    expect(await refusal(file, { maxWorkFactor: 3 })).toContain('work factor 4');
    for (const spelling of ['04', '+4', '4 ', ' 4', '0', '', '100', '4.0']) {
      expect(await refusal(withLine(file, 1, (line) => line.replace(/4$/, spelling))), spelling).toContain(
        'keyfile_corrupt',
      );
    }
  });

  it.each([
    ['another recipient', (line: string) => line.replace('scrypt', 'X25519')],
    ['no salt', (line: string) => line.replace(/scrypt \S+ /, 'scrypt ')],
    ['a short salt', (line: string) => line.replace(/scrypt \S+ /, 'scrypt AAAA ')],
    ['a padded salt', (line: string) => line.replace(/ 4$/, '== 4')],
    ['a further argument', (line: string) => `${line} x`],
  ])('refuses %s in the stanza', async (_, change) => {
    expect(await refusal(withLine(await seal(random(75)), 1, change))).toContain('keyfile_corrupt');
  });

  it('refuses a second recipient', async () => {
    const file = await seal(random(75));
    expect(await refusal(withLine(file, 2, (line) => `${line}\n-> X25519 AAAA\nAAAA`))).toContain('keyfile_corrupt');
  });
});
