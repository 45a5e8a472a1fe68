/** The text of a checkpoint: a log's tree head (c2sp.org/tlog-checkpoint). */
import { decodeBase64, encodeBase64 } from './base64.ts';
import { VtlicError } from './error.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

const ROOT_BYTES = 32;

/** SHA-256 of nothing: the root of the tree without leaves (RFC 9162 §2.1.1). */
const EMPTY_ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/**
 * Reads the origin, the size and the root, and ignores extension lines (c2sp.org/tlog-checkpoint says that they are
 * opaque).
 *
 * @param text of a note
 * @throws VtlicError `checks_failed`
 */
export function decodeCheckpoint(text: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  if (!text.endsWith('\n') || origin === '') throw noCheckpoint('its first line is not the origin of a log');
  const size = decodeTreeNumber(sizeText);
  if (size === undefined) throw noCheckpoint('its second line is not the size of a tree');
  const root = decodeBase64(rootText);
  if (root?.length !== ROOT_BYTES) throw noCheckpoint('its third line is not a root of 32 bytes');
  if (size === 0 && rootText !== EMPTY_ROOT)
    throw noCheckpoint('its tree has no leaves, but its root is not that of an empty tree');
  if (extensions.includes('')) throw noCheckpoint('one of its lines is empty');
  return Object.freeze({ origin, size, root });
}

/** Plain decimal digits without a leading zero, up to 2^53-1. */
export function decodeTreeNumber(text: string): number | undefined {
  const value = Number(text);
  return /^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function noCheckpoint(why: string): VtlicError {
  return new VtlicError('checks_failed', `this is not a checkpoint: ${why}`);
}
