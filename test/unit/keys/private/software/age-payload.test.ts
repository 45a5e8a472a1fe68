import { createCipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openPayload, sealPayload } from '../../../../../keys/private/software/age-payload.ts';

const FILE_KEY = new Uint8Array(16).fill(1);
const NONCE = new Uint8Array(16).fill(2);
const CHUNK = 65_536;

/** Chunks as the caller cuts them, each with its counter and its flag: what no honest writer may have made. */
function payloadOf(
  chunks: readonly { readonly plain: Uint8Array; readonly index: number; readonly last: boolean }[],
): Uint8Array {
  const key = Buffer.from(hkdfSync('sha256', FILE_KEY, NONCE, Buffer.from('payload'), 32));
  const parts: Uint8Array[] = [NONCE];
  for (const { plain, index, last } of chunks) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = last ? 1 : 0;
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
    parts.push(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  }
  return Uint8Array.from(Buffer.concat(parts));
}

const full = new Uint8Array(CHUNK).fill(3);
const short = new Uint8Array(5).fill(4);
const none = new Uint8Array();

describe('the payload of an age file', () => {
  it.each([none, short, full, new Uint8Array(2 * CHUNK + 1).fill(5)])('is what this test builds by hand', (plain) => {
    const cut: { plain: Uint8Array; index: number; last: boolean }[] = [];
    for (let at = 0; at === 0 || at < plain.length; at += CHUNK)
      cut.push({ plain: plain.slice(at, at + CHUNK), index: at / CHUNK, last: at + CHUNK >= plain.length });
    expect(sealPayload(plain, FILE_KEY, NONCE)).toEqual(payloadOf(cut));
    expect(openPayload(payloadOf(cut), FILE_KEY)).toEqual(plain);
  });

  it.each([
    [
      'an empty last chunk after a full one',
      [
        { plain: full, index: 0, last: false },
        { plain: none, index: 1, last: true },
      ],
    ],
    ['no last chunk', [{ plain: full, index: 0, last: false }]],
    [
      'a last chunk in the middle',
      [
        { plain: full, index: 0, last: true },
        { plain: short, index: 1, last: true },
      ],
    ],
    [
      'a wrong count',
      [
        { plain: full, index: 0, last: false },
        { plain: short, index: 2, last: true },
      ],
    ],
    [
      'a short chunk before the last',
      [
        { plain: short, index: 0, last: false },
        { plain: short, index: 1, last: true },
      ],
    ],
  ])('is refused with %s', (_, chunks) => {
    expect(() => openPayload(payloadOf(chunks), FILE_KEY)).toThrow(
      expect.objectContaining({ code: 'keyfile_corrupt' }) as Error,
    );
  });

  it.each([0, 15, 16, 31])('is refused with %d bytes', (length) =>
    expect(() => openPayload(new Uint8Array(length), FILE_KEY)).toThrow('truncated'),
  );
});
