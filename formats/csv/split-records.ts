/**
 * Bytes of a CSV file → the bytes of its records (RFC 4180), one at a time, however the file is cut into chunks.
 *
 * Commas, quotes and line ends are single bytes in UTF-8 and never part of another character, so records can be told
 * apart before anything is decoded.
 */
import { concatBytes } from '../bytes.ts';

const COMMA = 0x2c;
const QUOTE = 0x22;
const LINE_FEED = 0x0a;

export interface RawRecord {
  /** Without its line feed. */
  readonly bytes: Uint8Array;
  /** From 1: where it begins. */
  readonly line: number;
  /** `open-quote`: a quote was never closed; the place of the last one opened. Nothing can be told after it. */
  readonly fault?: 'too-long' | 'open-quote';
  /** Offset in `bytes` of the last quote that opened a field. */
  readonly quoteAt: number;
}

/** Where in a record a byte stands. */
type State = 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted';

/**
 * @param most bytes of one record: a longer one is cut there and given as `too-long`; the file goes on behind its line
 *   end, unless a quote is open (`open-quote`)
 */
export function* splitRecords(chunks: Iterable<Uint8Array>, most: number): Generator<RawRecord> {
  let state: State = 'field-start';
  let kept: Uint8Array[] = [];
  let keptLength = 0;
  let line = 1;
  let linesInside = 0;
  let quoteAt = 0;
  let tooLong = false;
  const record = (last: Uint8Array, fault?: RawRecord['fault']): RawRecord => {
    const bytes = kept.length === 0 ? last : concatBytes(...kept, last);
    kept = [];
    keptLength = 0;
    return {
      bytes: bytes.length > most ? bytes.subarray(0, most) : bytes,
      line,
      quoteAt,
      ...(fault === undefined ? {} : { fault }),
    };
  };
  for (const chunk of chunks) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LINE_FEED && state !== 'quoted') {
        yield record(chunk.subarray(start, i), tooLong ? 'too-long' : undefined);
        start = i + 1;
        line += linesInside + 1;
        linesInside = 0;
        tooLong = false;
        state = 'field-start';
        continue;
      }
      if (tooLong) continue;
      switch (state) {
        case 'field-start':
          if (byte === QUOTE) {
            state = 'quoted';
            quoteAt = keptLength + i - start;
          } else if (byte !== COMMA) state = 'plain';
          break;
        case 'plain':
          if (byte === COMMA) state = 'field-start';
          break;
        case 'quoted':
          if (byte === QUOTE) state = 'quote-in-quoted';
          else if (byte === LINE_FEED) linesInside++;
          break;
        case 'quote-in-quoted':
          // A doubled quote goes on; anything but a comma is a fault that the record's reader names.
          state = byte === QUOTE ? 'quoted' : byte === COMMA ? 'field-start' : 'plain';
          break;
      }
      if (keptLength + i - start >= most) {
        if (state === 'quoted') {
          yield record(chunk.subarray(start, i), 'open-quote');
          return;
        }
        // Quotes mean nothing until the line ends.
        tooLong = true;
        state = 'plain';
      }
    }
    if (!tooLong || keptLength <= most) {
      // The caller may use its chunk again.
      kept.push(chunk.slice(start));
      keptLength += chunk.length - start;
    }
  }
  if (state === 'quoted') yield record(new Uint8Array(0), 'open-quote');
  else if (keptLength > 0) yield record(new Uint8Array(0), tooLong ? 'too-long' : undefined);
}
