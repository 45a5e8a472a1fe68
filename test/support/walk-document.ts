/**
 * Walks a document as its reader does: writes the files that it shows, runs its commands in a pseudo-terminal, types
 * what it types, and compares what the terminal shows with what the document shows.
 *
 * Comments in the document steer the walk: `<!-- file: NAME -->` before a block that is a file, `<!-- orders: NAME -->`
 * before the beginning of a table that the walk makes longer, `<!-- on: DAY -->` where a new day begins.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { PtyRun, ROOT } from './run-cli.ts';

export interface Walk {
  /** Where the reader works; shown as `SHOWN_FOLDER`. */
  readonly folder: string;
  readonly passphrase: string;
  /** More variables, such as those of the PKCS#11 modules. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How many rows the table of orders has, and each of them. */
  readonly orders: number;
  readonly order: (number: number) => string;
  /** After each command, with the time of the walk in milliseconds since 1970. */
  readonly afterStep?: (nowMs: number) => Promise<void>;
  /** After the last command of each day. */
  readonly endOfDay?: (nowMs: number) => Promise<void>;
}

export interface Step {
  readonly command: string;
  readonly code: number | null;
  /** As the document shows it: the command and its output. */
  readonly shown: string;
  readonly expected: string;
}

export interface Walked {
  readonly steps: readonly Step[];
  /** The document with what was shown in this walk. */
  readonly document: string;
}

const SHOWN_FOLDER = '/home/you/work';
const BLOCK =
  /(?:<!-- (?<kind>file|orders): (?<name>\S+) -->\n+)?^```\w+\n(?<text>[^]*?)^```$|<!-- on: (?<day>\S+) -->/gm;
const TOKEN = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b/g;

export async function walkDocument(document: string, walk: Walk): Promise<Walked> {
  const bin = join(walk.folder, '.bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'vtlic'),
    `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, 'test/support/main-at-a-time.ts')} "$@"\n`,
  );
  chmodSync(join(bin, 'vtlic'), 0o755);
  const steps: Step[] = [];
  /** Ids and digests of the document → those of this walk. */
  const tokens = new Map<string, string>();
  let shiftMs = 0;
  let out = '';
  let at = 0;
  for (const match of document.matchAll(BLOCK)) {
    const { kind, name = '', text = '', day } = match.groups ?? {};
    out += document.slice(at, match.index);
    at = match.index + match[0].length;
    let block = match[0];
    if (day !== undefined) {
      if (steps.length > 0) await walk.endOfDay?.(Date.now() + shiftMs);
      shiftMs = Date.parse(`${day}T09:00:00Z`) - Date.now();
    } else if (kind !== undefined) {
      const path = join(walk.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      const named = text.replace(TOKEN, (token) => tokens.get(token) ?? token);
      writeFileSync(path, kind === 'file' ? named : ordersOf(text, walk));
      if (kind === 'file') block = block.replace(text, named);
    } else if (match[0].startsWith('```console')) {
      const shown: string[] = [];
      for (const expected of text.split(/^(?=\$ )/m)) {
        const step = await runStep(expected, tokens, walk, bin, shiftMs);
        steps.push(step);
        shown.push(step.shown);
        await walk.afterStep?.(Date.now() + shiftMs);
      }
      block = `\`\`\`console\n${shown.join('')}\`\`\``;
    }
    out += block;
  }
  await walk.endOfDay?.(Date.now() + shiftMs);
  return { steps, document: out + document.slice(at) };
}

/** The header and the first rows as they are shown, up to the number that the walk wants. */
function ordersOf(text: string, { orders, order }: Walk): string {
  const header = text.slice(0, text.indexOf('\n') + 1);
  return header + Array.from({ length: orders }, (_, i) => `${order(i + 1)}\n`).join('');
}

async function runStep(
  expected: string,
  tokens: Map<string, string>,
  walk: Walk,
  bin: string,
  shiftMs: number,
): Promise<Step> {
  const [, written = ''] = /^\$ ((?:[^\n]*\\\n)*[^\n]*)\n/.exec(expected) ?? [];
  const command = written.replace(TOKEN, (token) => tokens.get(token) ?? token);
  const run = new PtyRun([], {
    prefix: ['sh', '-c', command],
    cwd: walk.folder,
    env: { ...walk.environment, PATH: `${bin}:${process.env['PATH'] ?? ''}`, VTLIC_TEST_SHIFT_MS: String(shiftMs) },
  });
  const code = await answered(run, walk.passphrase);
  const shown = `$ ${command}\n${screenOf(run.output, walk.folder)}`;
  const [old, now] = [expected.match(TOKEN) ?? [], shown.match(TOKEN) ?? []];
  old.forEach((token, i) => tokens.set(token, tokens.get(token) ?? now[i] ?? token));
  return { command, code, shown, expected };
}

const PROMPT = /(?:Type (?<word>.+?) to [^\n]*|(?:[Pp]assphrase|PIN)[^\n]*): $/;

/** Answers each question as the officer does: the word that it asks for, or the passphrase, which is the PIN too. */
async function answered(run: PtyRun, passphrase: string): Promise<number | null> {
  const end = run.ended();
  let from = 0;
  while (!run.isOver) {
    const prompt = PROMPT.exec(run.output.slice(from));
    if (prompt !== null) {
      from = run.output.length;
      run.type(`${prompt.groups?.['word'] ?? passphrase}\r`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return end;
}

/** What is left on the screen: a line that was written over counts once. */
function screenOf(output: string, folder: string): string {
  const lines = output
    // eslint-disable-next-line no-control-regex
    .replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) =>
      line.endsWith(': ') ? line : (line.split('\r').findLast((part) => part.trim() !== '') ?? '').trimEnd(),
    );
  const text = lines.join('\n');
  const shown = text
    .replaceAll(folder, SHOWN_FOLDER)
    .replaceAll(`by ${userInfo().username}`, 'by you')
    .replaceAll('\ufeff', '');
  return shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`;
}

/** What is the same in each walk: no id, digest, number, date or word of a digest, and no width of a column. */
export function constantPart(shown: string): string {
  return (
    shown
      .replaceAll(/\\\n/g, '')
      // Progress, as far as there was time to show it.
      .replaceAll(/^(?:rows read and planned|signed [\d,]+ of).*\n/gm, '')
      .replaceAll(TOKEN, 'ID')
      .replaceAll(/-[0-9a-f]{8}\.vtlic/g, '-ID8.vtlic')
      .replaceAll(/^ +\d+ {2}(?:[a-z]+ ){7}[a-z]+$/gm, 'WORDS')
      .replaceAll(/\b[A-Za-z0-9+/_=-]{40,}/g, 'BASE64')
      .replaceAll(/[0-9a-f]{16}…/g, 'ID…')
      .replaceAll(/\d[\d,]*(?:\.\d+)?/g, '#')
      .replaceAll(/[ \t]+/g, ' ')
      .trimEnd()
  );
}
