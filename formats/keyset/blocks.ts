/**
 * Armored blocks one after another in one text: the keysets of a chain, or a license and keysets that somebody pastes
 * together. Only blanks are between them, with at least one line feed.
 */
import { dearmor, type ArmorLabel, type ArmorLimits } from '../armor.ts';
import { VtlicError } from '../error.ts';
import { MAX_CHAIN_BLOCKS, MAX_CHAIN_BYTES, MAX_KEYSET_BYTES } from './keyset.ts';

/** One block of a text, not yet judged: its place, with the blanks before it. */
export interface ArmoredBlock {
  readonly label: ArmorLabel;
  /** A view of the text. */
  readonly text: Uint8Array;
  readonly offset: number;
  /** The line that `offset` is in, from 1. */
  readonly line: number;
  /** True for the first block, and if a line feed is between this block and the one before. */
  readonly onNewLine: boolean;
}

/** The limits of one keyset's block. The text around its bytes is bounded by the chain. */
export const KEYSET_LIMITS: ArmorLimits = Object.freeze({
  fileBytes: MAX_CHAIN_BYTES,
  decodedBytes: MAX_KEYSET_BYTES,
});

const LF = 0x0a;

/**
 * The blocks of a text, in turn, so that a fault in one is found after the blocks before it were used. A block ends
 * behind its END line. What follows the last one, and is not blank, is a block of its own, which `openKeysetBlock`
 * refuses.
 *
 * @throws VtlicError `too_large` for more than 16 MiB, or more than 4,096 blocks
 */
export function* armoredBlocks(file: Uint8Array): Generator<ArmoredBlock, void, undefined> {
  if (file.length > MAX_CHAIN_BYTES)
    throw new VtlicError('too_large', `the file has more than ${MAX_CHAIN_BYTES} bytes, the most that are allowed`);
  let offset = 0;
  let line = 1;
  for (let count = 1; ; count++) {
    const begin = skipBlanks(file, offset);
    if (begin === file.length && count > 1) return;
    if (count > MAX_CHAIN_BLOCKS)
      throw new VtlicError('too_large', `the file has more than ${MAX_CHAIN_BLOCKS} blocks, the most that are allowed`);
    const label = labelAt(file, begin);
    const end = behindEnd(file, begin, label);
    const text = file.subarray(offset, end);
    yield { label, text, offset, line, onNewLine: count === 1 || file.subarray(offset, begin).includes(LF) };
    for (const byte of text) if (byte === LF) line++;
    offset = end;
  }
}

/**
 * The bytes in a block of a keyset.
 *
 * @throws VtlicError `too_large` or `armor_malformed`, with the line and the offset in the whole text
 */
export function openKeysetBlock({ text, offset, line, onNewLine }: ArmoredBlock): Uint8Array {
  if (!onNewLine) throw new VtlicError('armor_malformed', 'each block should begin on a new line', { line, offset });
  try {
    return dearmor('VTLIC KEYSET', text, KEYSET_LIMITS);
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    const { line: inner, offset: within, ...place } = error.place;
    throw new VtlicError(error.code, error.message, {
      ...place,
      ...(inner === undefined ? {} : { line: line + inner - 1 }),
      ...(within === undefined ? {} : { offset: offset + within }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error.cause,
    });
  }
}

function skipBlanks(file: Uint8Array, from: number): number {
  let at = from;
  while (file[at] === LF || file[at] === 0x0d || file[at] === 0x20 || file[at] === 0x09) at++;
  return at;
}

/** Treats every label but that of a license as that of a keyset; reading its armor then refuses a wrong one. */
function labelAt(file: Uint8Array, begin: number): ArmorLabel {
  return isAt(file, begin, '-----BEGIN VTLIC-----') ? 'VTLIC' : 'VTLIC KEYSET';
}

/** The offset behind the END line, or the end of the file where there is none. */
function behindEnd(file: Uint8Array, begin: number, label: ArmorLabel): number {
  const end = `-----END ${label}-----`;
  for (let at = file.indexOf(0x2d, begin); at >= 0; at = file.indexOf(0x2d, at + 1))
    if (isAt(file, at, end)) return at + end.length;
  return file.length;
}

function isAt(file: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (file[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
