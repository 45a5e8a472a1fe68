/**
 * What a module prints, kept apart from the officer's own output: the last lines, cleaned, for a message or a doctor.
 */
import { cleanText } from '../../../../formats/clean-text.ts';

/**
 * At most this many lines are kept and reported, so that a module that prints at every call does not hide our prompts.
 */
const MAX_LINES = 50;
const MAX_LINE_CODE_POINTS = 400;
/** At most this much of a line is kept, so that a module that prints for ever does not fill the memory. */
const MAX_PENDING_BYTES = 4 * MAX_LINE_CODE_POINTS;
const NEWLINE = 0x0a;
const WITHHELD = '(a line with the PIN in it, which is not repeated here)';

export class ModuleOutput {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #told = 0;
  #pending: Buffer = Buffer.alloc(0);
  #secret: Buffer | undefined;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** From now on no line is passed on that contains these bytes: some modules print their arguments when they debug. */
  hide(secret: Uint8Array): void {
    this.#secret?.fill(0);
    this.#secret = Buffer.from(secret);
  }

  write(chunk: Buffer): void {
    let rest: Buffer = Buffer.concat([this.#pending, chunk]);
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      this.#add(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    this.#pending = Buffer.from(rest.subarray(0, MAX_PENDING_BYTES));
  }

  end(): void {
    if (this.#pending.length > 0) this.#add(this.#pending);
    this.#pending = Buffer.alloc(0);
    this.#secret?.fill(0);
    this.#secret = undefined;
  }

  lines(): readonly string[] {
    return [...this.#lines];
  }

  #add(line: Buffer): void {
    const tells = this.#secret !== undefined && this.#secret.length > 0 && line.includes(this.#secret);
    const cleaned = tells ? WITHHELD : cleanText(line.toString('utf8'), MAX_LINE_CODE_POINTS);
    if (cleaned === '') return;
    this.#lines.push(cleaned);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#told += 1;
    if (this.#told <= MAX_LINES) this.#onLine(cleaned);
    else if (this.#told === MAX_LINES + 1) this.#onLine('(it prints more, which is not shown)');
  }
}
