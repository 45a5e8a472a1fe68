/**
 * Proofs as files: that a leaf is in a log (c2sp.org/tlog-proof@v1), and that a log only grew (the body of a request
 * to a witness, c2sp.org/tlog-witness). Both carry the checkpoint that they lead to.
 */
import { decodeBase64, encodeBase64 } from './base64.ts';
import { utf8 } from './bytes.ts';
import { decodeTreeNumber } from './checkpoint.ts';
import { VtlicError } from './error.ts';

const INCLUSION = 'c2sp.org/tlog-proof@v1';
const HASH_BYTES = 32;
/** A tree of 2^53 leaves has no longer ones. */
const MAX_HASHES = 2 * 53;

export interface InclusionProofFile {
  /** Not authenticated by itself. */
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array;
}

export interface ConsistencyProofFile {
  /** Size of the older tree. */
  readonly from: number;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: Uint8Array;
}

export function encodeInclusionProof({
  extra,
  index,
  hashes,
  checkpoint,
}: Omit<InclusionProofFile, 'checkpoint'> & { readonly checkpoint: string }): string {
  const head = extra === undefined ? '' : `extra ${encodeBase64(extra)}\n`;
  return `${INCLUSION}\n${head}index ${index}\n${hashLines(hashes)}\n${checkpoint}`;
}

export function encodeConsistencyProof({
  from,
  hashes,
  checkpoint,
}: Omit<ConsistencyProofFile, 'checkpoint'> & { readonly checkpoint: string }): string {
  return `old ${from}\n${hashLines(hashes)}\n${checkpoint}`;
}

export function isInclusionProof(bytes: Uint8Array): boolean {
  return beginsWith(bytes, `${INCLUSION}\n`);
}

export function isConsistencyProof(bytes: Uint8Array): boolean {
  return beginsWith(bytes, 'old ');
}

/** @throws VtlicError `checks_failed` */
export function decodeInclusionProof(bytes: Uint8Array): InclusionProofFile {
  const { lines, checkpoint } = split(bytes);
  if (lines.shift() !== INCLUSION) throw noProof(`its first line is not ${INCLUSION}`);
  const extra = valueOf(lines[0], 'extra');
  if (extra !== undefined) lines.shift();
  const decoded = extra === undefined ? undefined : decodeBase64(extra);
  if (extra !== undefined && decoded === undefined) throw noProof('what follows "extra" is not base64');
  const index = decodeTreeNumber(valueOf(lines.shift(), 'index') ?? '');
  if (index === undefined) throw noProof('it does not say the index of the leaf');
  return Object.freeze({ extra: decoded, index, hashes: decodeHashes(lines), checkpoint });
}

/** @throws VtlicError `checks_failed` */
export function decodeConsistencyProof(bytes: Uint8Array): ConsistencyProofFile {
  const { lines, checkpoint } = split(bytes);
  const from = decodeTreeNumber(valueOf(lines.shift(), 'old') ?? '');
  if (from === undefined) throw noProof('it does not say the size of the older tree');
  return Object.freeze({ from, hashes: decodeHashes(lines), checkpoint });
}

/** The lines up to the first empty one, and everything behind it. */
function split(bytes: Uint8Array): { readonly lines: string[]; readonly checkpoint: Uint8Array } {
  const end = bytes.findIndex((byte, at) => byte === LINE_FEED && bytes[at + 1] === LINE_FEED);
  if (end < 0) throw noProof('no empty line separates it from its checkpoint');
  // A byte order mark stays in the first line, which is then not the one that it should be.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
  return { lines: text.split('\n'), checkpoint: bytes.slice(end + 2) };
}

const LINE_FEED = 10;

function valueOf(line: string | undefined, name: string): string | undefined {
  return line?.startsWith(`${name} `) === true ? line.slice(name.length + 1) : undefined;
}

function decodeHashes(lines: readonly string[]): readonly Uint8Array[] {
  if (lines.length > MAX_HASHES) throw noProof('it has more hashes than any tree needs');
  return Object.freeze(
    lines.map((line) => {
      const hash = decodeBase64(line);
      if (hash?.length !== HASH_BYTES) throw noProof('a line of it is not a hash of 32 bytes');
      return hash;
    }),
  );
}

function hashLines(hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => `${encodeBase64(hash)}\n`).join('');
}

function beginsWith(bytes: Uint8Array, text: string): boolean {
  const wanted = utf8(text);
  return wanted.every((byte, i) => bytes[i] === byte);
}

function noProof(why: string): VtlicError {
  return new VtlicError('checks_failed', `this is not a proof: ${why}`);
}
