/** The vectors as a tar and as an npm package: the same bytes each time (POSIX.1-1988 ustar, one fixed date). */
import { gzipSync } from 'node:zlib';
import { concatBytes, utf8 } from '../../formats/bytes.ts';

const BLOCK_BYTES = 512;
/** 2026-11-01T00:00:00Z: no file has a date of its own. */
const MODIFIED = 1_793_491_200;

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** @throws Error for a path of more than 100 bytes, which this form has no room for */
function header(path: string, size: number): Uint8Array {
  if (utf8(path).length > 100) throw new Error(`${path} is too long for the archive`);
  const block = new Uint8Array(BLOCK_BYTES);
  const put = (at: number, text: string): void => {
    block.set(utf8(text), at);
  };
  put(0, path);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(MODIFIED, 11));
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\0');
  put(263, '00');
  put(
    148,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return block;
}

/** @param files path → bytes, in the order of the archive */
export function tar(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [path, bytes] of files) {
    const padding = (BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES;
    parts.push(header(path, bytes.length), bytes, new Uint8Array(padding));
  }
  return concatBytes(...parts, new Uint8Array(2 * BLOCK_BYTES));
}

export function gzip(bytes: Uint8Array): Uint8Array {
  const packed = Uint8Array.from(gzipSync(bytes, { level: 9 }));
  // The operating system in the header, which differs between builds of zlib: 255 is "unknown" (RFC 1952).
  packed[9] = 255;
  return packed;
}
