/** Lines and files stay short enough to read: the formatter leaves long texts, templates and comments as they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';

const ROOMS = ['formats', 'files', 'keys', 'verifier', 'signer'];
const MAX_COLUMNS = 120;
const MAX_LINES = 350;

/** Files that still have a longer line. A file leaves the list as soon as its lines are short. */
const LONG_LINES: ReadonlySet<string> = new Set([]);

interface SourceFile {
  readonly name: string;
  readonly lines: readonly string[];
}

const FILES: readonly SourceFile[] = ROOMS.flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({
      name: `${room}/${name}`,
      lines: readFileSync(join(ROOT, room, name), 'utf8')
        .trimEnd()
        .split('\n'),
    })),
);

describe('a source file', () => {
  it('has no line over 120 columns, except in the files that are listed', () => {
    expect(FILES.length).toBeGreaterThan(200);
    const long = FILES.filter(({ lines }) => lines.some((line) => line.length > MAX_COLUMNS)).map(({ name }) => name);
    expect(long.filter((name) => !LONG_LINES.has(name))).toEqual([]);
  });

  it('is listed for long lines in the signer only while it has them', () => {
    const short = FILES.filter(({ lines }) => lines.every((line) => line.length <= MAX_COLUMNS)).map(
      ({ name }) => name,
    );
    expect(short.filter((name) => name.startsWith('signer/') && LONG_LINES.has(name))).toEqual([]);
  });

  it('has at most 350 lines', () => {
    expect(FILES.filter(({ lines }) => lines.length > MAX_LINES).map(({ name }) => name)).toEqual([]);
  });
});
