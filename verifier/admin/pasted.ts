/** What an operator gave to the page: pasted text is repaired, a file is taken exactly as it is. */
import { createHash } from 'node:crypto';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { normalizePastedBlocks, type PasteFault, type Repair } from '../../formats/normalize-pasted.ts';
import type { TextName } from './texts.ts';

export interface Pasted {
  /** What would be installed. */
  readonly text: string;
  readonly repairs: readonly Repair[];
  /** Why the text could not be repaired: it is judged as it is then, and refused. */
  readonly unrepaired?: PasteFault;
}

/** @returns what would be installed, or the text that says what is missing */
export function readPasted(pasted: string, file: string | Uint8Array | undefined): Pasted | TextName {
  const hasFile = file instanceof Uint8Array && file.length > 0;
  const hasText = pasted.trim() !== '';
  if (hasFile && hasText) return 'fault_both';
  if (hasFile) {
    const text = textOf(file);
    return text === undefined ? 'fault_file_text' : { text, repairs: [] };
  }
  // A browser sends each line end of a text area as CRLF: that is not damage.
  return hasText ? repaired(pasted.replaceAll('\r\n', '\n')) : 'fault_nothing';
}

function repaired(text: string): Pasted {
  try {
    const { file, repairs } = normalizePastedBlocks(utf8(text));
    return { text: new TextDecoder().decode(file), repairs };
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return { text, repairs: [], unrepaired: error.cause as PasteFault };
  }
}

function textOf(file: Uint8Array): string | undefined {
  try {
    // A byte order mark is a part of the file: the verifier refuses it, as it does when the file is dropped.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return undefined;
  }
}

/** What a step-up confirms. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** For a hidden field, in which a browser would change line ends. */
export function encodeContent(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** @returns undefined for what `encodeContent` does not make */
export function decodeContent(content: string): string | undefined {
  const bytes = Buffer.from(content, 'base64');
  if (content === '' || bytes.toString('base64') !== content) return undefined;
  return textOf(bytes);
}
