/**
 * How a spreadsheet wrote a CSV file: a byte order mark, a line `sep=;` before the header, semicolons or tabs instead
 * of commas. Excel writes all of these, depending on its menu and on the language of Windows.
 *
 * Nothing is guessed from the data. The delimiter is what `sep=` or the caller says, or else what the first line
 * contains outside of quotes: no column's name contains a comma, a semicolon or a tab.
 */
import { concatBytes } from './bytes.ts';
import { cleanText } from './clean-text.ts';
import { DELIMITER_NAMES, startsWithByteOrderMark, type CsvDelimiter, type CsvFault } from './csv.ts';

export interface CsvDialect {
  readonly delimiter: CsvDelimiter;
  /** The line of the header, from 1: 2 behind a `sep=` line. */
  readonly firstLine: number;
  /** From the header on, without a byte order mark. */
  readonly chunks: Iterable<Uint8Array>;
}

/** In the order in which one is taken where the first line contains several. */
const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t'];
const LINE_FEED = 0x0a;
/** Much longer than a header can be. */
const MAX_FIRST_LINE_BYTES = 1_048_576;

/**
 * @param wanted what the person named; it must agree with a `sep=` line
 * @returns a fault where the file is not UTF-8, or says another delimiter than the person
 */
export function readDialect(chunks: Iterable<Uint8Array>, wanted?: CsvDelimiter): CsvDialect | CsvFault {
  const input = chunks[Symbol.iterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (!head.includes(LINE_FEED) && head.length <= MAX_FIRST_LINE_BYTES) {
    const next = input.next();
    if (next.done === true) break;
    head = concatBytes(head, next.value);
  }
  const refuse = (message: string, hint: string): CsvFault => {
    input.return?.();
    return { kind: 'fault', line: 1, column: 1, message, hint, last: true };
  };
  if (isUtf16(head))
    return refuse('the file should be UTF-8, but it is UTF-16', 'save it as "CSV UTF-8 (Comma delimited)"');
  const start = startsWithByteOrderMark(head) ? 3 : 0;
  const lineFeed = head.indexOf(LINE_FEED);
  const end = lineFeed < 0 ? head.length : lineFeed;
  const line = new TextDecoder().decode(head.subarray(start, end));
  const said = /^"?sep=(.*?)"?\r?$/is.exec(line)?.[1];
  if (said === undefined) {
    const outside = line.replaceAll(/"[^"]*"/g, '');
    const delimiter = wanted ?? DELIMITERS.find((one) => outside.includes(one)) ?? ',';
    return { delimiter, firstLine: 1, chunks: chunksFrom(head.subarray(start), input) };
  }
  const delimiter = DELIMITERS.find((one) => one === said);
  if (delimiter === undefined)
    return refuse(
      `the first line says that "${cleanText(said)}" separates the columns, and only a comma, a semicolon or a tab ` +
        'can do that',
      'save the table with one of these',
    );
  if (wanted !== undefined && wanted !== delimiter)
    return refuse(
      `the first line says that a ${DELIMITER_NAMES[delimiter]} separates the columns, but --delimiter says a ` +
        DELIMITER_NAMES[wanted],
      'leave --delimiter out',
    );
  return { delimiter, firstLine: 2, chunks: chunksFrom(head.subarray(end + 1), input) };
}

function* chunksFrom(first: Uint8Array, rest: Iterator<Uint8Array>): Generator<Uint8Array, void, void> {
  try {
    yield first;
    for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
  } finally {
    rest.return?.();
  }
}

/** By its byte order mark, or by the zero that every second byte of a header in English is. */
function isUtf16(head: Uint8Array): boolean {
  const [a, b] = head;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0) !== (b === 0);
}
