/** What a module prints, kept apart from the officer's own output: the last lines, cleaned, for a message or a doctor. */
import { cleanText } from '../../../formats/clean-text.ts';

const MOST_LINES = 50;
const LONGEST_LINE = 400;

export class ModuleOutput {
  readonly #lines: string[] = [];
  readonly #onLine: (line: string) => void;
  #partial = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    const parts = (this.#partial + chunk.toString('utf8')).split('\n');
    // A line without end is cut, so that a module that prints for ever takes no memory.
    this.#partial = (parts.pop() ?? '').slice(0, LONGEST_LINE);
    for (const part of parts) this.#add(part);
  }

  end(): void {
    if (this.#partial !== '') this.#add(this.#partial);
    this.#partial = '';
  }

  lines(): readonly string[] {
    return [...this.#lines];
  }

  #add(line: string): void {
    const cleaned = cleanText(line, LONGEST_LINE);
    if (cleaned === '') return;
    this.#lines.push(cleaned);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
    this.#onLine(cleaned);
  }
}
