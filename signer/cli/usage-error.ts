/** Faults of the command line itself: a command that does not exist, and what Commander refuses. */
import type { Command, CommanderError } from 'commander';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';

/** The commands that the words name, from the program down to the last one that exists. */
function commandsOf(program: Command, words: readonly string[]): readonly Command[] {
  const found = [program];
  for (const word of words) {
    const next = found.at(-1)?.commands.find((command) => command.name() === word);
    if (next === undefined) break;
    found.push(next);
  }
  return found;
}

function nameOf(commands: readonly Command[]): string {
  return commands.map((command) => command.name()).join(' ');
}

/** For `help` with a word that names no subcommand of a command that has subcommands. */
export function unknownCommand(program: Command, words: readonly string[]): VtlicError | undefined {
  const known = commandsOf(program, words);
  const word = words[known.length - 1];
  if (word === undefined) return undefined;
  const names = known.at(-1)?.commands.map((command) => command.name()) ?? [];
  const near = nearest(word, names);
  return new VtlicError(
    'usage',
    names.length === 0
      ? `the command ${nameOf(known)} has no commands of its own, but "${cleanText(word, 40)}" is named`
      : `there is no command "${cleanText([...words.slice(0, known.length - 1), word].join(' '), 80)}"`,
    { hint: near === undefined ? `see: ${helpOf(known)}` : `nearest: ${helpOf(known)} ${near}` },
  );
}

function helpOf([program, ...commands]: readonly Command[]): string {
  return [program?.name(), 'help', ...commands.map((command) => command.name())].join(' ');
}

/** The name that is fewest edits away; undefined where none is near. */
function nearest(word: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, edits: edits(word.slice(0, 40), name) }))
    .filter(({ name, edits: count }) => count <= Math.max(1, Math.floor(name.length / 3)) || name.startsWith(word))
    .sort((a, b) => a.edits - b.edits);
  return best?.name;
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min((row[j] ?? 0) + (a[i] === b[j] ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** A fault of the command line itself; undefined where the person asked for help or the version, and has got it. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): VtlicError | undefined {
  if (error.exitCode === 0) return undefined;
  const unknown = error.code === 'commander.unknownCommand' ? unknownCommand(program, argv) : undefined;
  if (unknown !== undefined) return unknown;
  const known = commandsOf(program, argv);
  const more = /^error: too many arguments for '(.*?)'\. Expected (\d+) arguments? but got \d+: (.*)\.$/s.exec(
    error.message,
  );
  if (more !== null)
    return new VtlicError(
      'usage',
      `${nameOf(known)} takes ${counted(Number(more[2]), 'argument', 'arguments')}, but it got: ` +
        cleanText(more[3] ?? ''),
      { hint: `put a text with blanks between quotes, such as "Acme GmbH"; see: ${helpOf(known)}` },
    );
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const names = known.at(-1)?.commands.map((command) => command.name()) ?? [];
  return new VtlicError(
    'usage',
    error.code === 'commander.help' ? `no command was given; there are: ${names.join(', ')}` : message,
    { hint: `see: ${helpOf(known)}` },
  );
}
