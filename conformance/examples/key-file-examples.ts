/** Files of public keys, good and bad: Appendix B.6 of docs/format.md. */
import { utf8 } from '../../formats/bytes.ts';
import { PRIVATE_MARK_ROWS } from './private-mark-examples.ts';
import type { Pad } from './small-example.ts';
import { ROWS } from './key-file-rows.ts';

export interface KeyFileExample {
  readonly id: string;
  readonly what: string;
  readonly file: Uint8Array;
  /** What follows the file's bytes, where the file is large. */
  readonly pad?: Pad;
  /** The kids, in their order; undefined: the file is refused. */
  readonly kids: readonly string[] | undefined;
  /** Of a file that is refused. */
  readonly reason?: 'key_invalid' | 'json_malformed';
}

/** Files whose JSON itself has a fault (rule 6 of section 11.2). */
const MALFORMED_JSON: ReadonlySet<string> = new Set([
  'keys-jwk-surrogate',
  'keys-jwk-low-surrogate',
  'keys-jwk-not-utf8',
  'keys-jwk-too-deep',
  'keys-jwk-repeated',
  'keys-jwk-repeated-escaped',
  'keys-jwk-two',
  'keys-jwk-nan',
  'keys-jwk-infinity',
  'keys-jwk-minus-infinity',
  'keys-jwk-line-feed',
  'keys-jwk-tab',
]);

export const keyFileExamples: readonly KeyFileExample[] = Object.freeze(
  [...ROWS, ...PRIVATE_MARK_ROWS].map(([id, what, file, keys, pad]) =>
    Object.freeze({
      id,
      what,
      file: typeof file === 'string' ? utf8(file) : file,
      ...(pad === undefined ? {} : { pad }),
      kids: keys?.map(({ kid }) => kid),
      ...(keys === undefined ? { reason: MALFORMED_JSON.has(id) ? 'json_malformed' : 'key_invalid' } : {}),
    }),
  ),
);
