/** Every command that a message of the source names can be called as it is named: it is there, with its options. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../support/run-cli.ts';
import { runHere } from '../../../support/run-here.ts';

interface Named {
  readonly file: string;
  /** `key generate`, or `issue`. */
  readonly command: string;
  readonly options: readonly string[];
}

const WITH_SUBCOMMANDS: ReadonlySet<string> = new Set([
  'key',
  'hsm',
  'ledger',
  'counters',
  'keyset',
  'catalog',
  'rotation',
]);

/** The demo prints commands with a name of its own; the other is the text of a signature. */
const NOT_HINTS: ReadonlySet<string> = new Set(['signer/demo/demo.ts', 'keys/private/signing-key.ts']);

function sources(): readonly string[] {
  return ['keys/private', 'signer']
    .flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(room, name)),
    )
    .filter((name) => !NOT_HINTS.has(name));
}

/** Commands in the texts of a file, without its comments. */
function namedIn(file: string): readonly Named[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
  const found = text.matchAll(/\bvtlic (?:help )?([a-z]+)((?: [a-z]+(?:-[a-z]+)?)?)([^'`\n;]*)/g);
  return [...found]
    .filter(([, first, , rest]) => first !== 'help' && rest?.startsWith(' ${') !== true)
    .map(([, first = '', second = '', rest = '']) => ({
      file,
      command: WITH_SUBCOMMANDS.has(first) ? `${first}${second}` : first,
      options: [...rest.matchAll(/ (--[a-z][a-z-]+)/g)].map((match) => match[1] ?? ''),
    }));
}

describe('a command in a hint', () => {
  const named = sources().flatMap(namedIn);
  const help = new Map<string, string>();
  beforeAll(async () => {
    for (const command of new Set(named.map((one) => one.command))) {
      const done = await runHere([...command.split(' '), '--help']);
      if (done.code === 0) help.set(command, done.stdout);
    }
  });

  it('is one of many that were found', () => {
    expect(new Set(named.map((one) => one.command)).size).toBeGreaterThan(12);
    for (const command of ['hsm keys', 'hsm doctor', 'key adopt', 'key generate', 'hsm list'])
      expect(named.map((one) => one.command)).toContain(command);
  });

  it('has a page in the help', () => {
    const missing = named.filter(({ command }) => !(help.get(command) ?? '').includes(`vtlic ${command}`));
    expect(missing.map(({ file, command }) => `${file}: vtlic ${command}`)).toEqual([]);
  });

  it('has the options that the hint gives it', () => {
    const missing = named.flatMap(({ file, command, options }) =>
      options
        .filter((option) => !(help.get(command) ?? '').includes(option))
        .map((option) => `${file}: vtlic ${command} ${option}`),
    );
    expect(missing).toEqual([]);
  });
});
