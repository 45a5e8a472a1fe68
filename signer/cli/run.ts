/** The command line: one file a command, one exit code a fault. */
import { Command, CommanderError } from 'commander';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { asVtlicError, reportError } from './output.ts';
import { EXIT } from './exit-codes.ts';
import { processIo, type Io, type SetExit } from './io.ts';

const VERSION = '0.1.0';

/** Gives a command its options and its action. */
type Define = (command: Command, io: Io, setExit: SetExit) => void;

interface CommandEntry {
  /** The arguments, as Commander writes them: `<required>`, `[optional]`. */
  readonly args?: string;
  readonly description: string;
  readonly load: () => Promise<Define>;
}

/**
 * In the order of the help. The names and descriptions are here, and the module of a command is loaded only when the
 * command line names that command: loading all of them takes longer than `vtlic verify` or `vtlic help` do.
 */
const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  [
    'init',
    {
      args: '<dir>',
      description: 'makes a site: the folder with the catalog, the keys and the ledger',
      load: async () => (await import('./commands/init.ts')).defineInit,
    },
  ],
  [
    'key',
    {
      description: 'makes, lists, exports, checks, retires and removes keys',
      load: async () => (await import('./commands/key.ts')).defineKey,
    },
  ],
  [
    'catalog',
    {
      description: 'checks what may be sold',
      load: async () => (await import('./commands/catalog.ts')).defineCatalog,
    },
  ],
  [
    'issue',
    {
      args: '[request]',
      description: 'issues a license: shows what will be signed, and signs it after Yes',
      load: async () => (await import('./commands/issue.ts')).defineIssue,
    },
  ],
  [
    'renew',
    {
      args: '[target]',
      description: 'renews a license (id, file or customer): shows what changes, and signs it after Yes',
      load: async () => (await import('./commands/renew.ts')).defineRenew,
    },
  ],
  [
    'batch',
    {
      args: '[file]',
      description: 'issues and renews by the thousand: judges every row, shows one summary, and signs after one Yes',
      load: async () => (await import('./commands/batch.ts')).defineBatch,
    },
  ],
  [
    'release',
    {
      args: '<id>',
      description: 'writes the file of an issued license again, from the bytes in the ledger',
      load: async () => (await import('./commands/release.ts')).defineRelease,
    },
  ],
  [
    'ledger',
    {
      description: 'the record of everything that was signed',
      load: async () => {
        const parts = await Promise.all([
          import('./commands/ledger-status.ts').then((part) => part.addLedgerStatus),
          import('./commands/ledger-verify.ts').then((part) => part.addLedgerVerify),
          import('./commands/ledger-show.ts').then((part) => part.addLedgerShow),
          import('./commands/ledger-due.ts').then((part) => part.addLedgerDue),
          import('./commands/ledger-export.ts').then((part) => part.addLedgerExport),
          import('./commands/ledger-checkpoint.ts').then((part) => part.addLedgerCheckpoint),
          import('./commands/ledger-prove.ts').then((part) => part.addLedgerProve),
          import('./commands/ledger-check.ts').then((part) => part.addLedgerCheck),
          import('./commands/ledger-backup.ts').then((part) => part.addLedgerBackup),
          import('./commands/ledger-anchor.ts').then((part) => part.addLedgerAnchor),
          import('./commands/ledger-restore.ts').then((part) => part.addLedgerRestore),
        ]);
        return groupOf(parts);
      },
    },
  ],
  [
    'counters',
    {
      description: 'hands counters over to another ledger, and takes them over',
      load: async () => {
        const parts = await Promise.all([
          import('./commands/counters-export.ts').then((part) => part.addCountersExport),
          import('./commands/counters-import.ts').then((part) => part.addCountersImport),
          import('./commands/counters-reopen.ts').then((part) => part.addCountersReopen),
        ]);
        return groupOf(parts);
      },
    },
  ],
  [
    'verify',
    {
      args: '<file>',
      description: 'verifies a license file for a product; exit code 0, 20, 21 or 22',
      load: async () => (await import('./commands/verify.ts')).defineVerify,
    },
  ],
  [
    'inspect',
    {
      args: '<file>',
      description: 'shows what a license file says; does not verify it',
      load: async () => (await import('./commands/inspect.ts')).defineInspect,
    },
  ],
  [
    'keyset',
    {
      description: 'shows keysets, and judges whether a product takes them',
      load: async () => (await import('./commands/keyset.ts')).defineKeyset,
    },
  ],
  [
    'hsm',
    {
      description: 'lists tokens, and examines one before a ceremony',
      load: async () => (await import('./commands/hsm.ts')).defineHsm,
    },
  ],
]);

/** A command whose own commands are defined one after another, in the order of the help. */
function groupOf(parts: readonly Define[]): Define {
  return (command, io, setExit) => {
    for (const define of parts) define(command, io, setExit);
  };
}

async function build(argv: readonly string[], io: Io, setExit: SetExit): Promise<Command> {
  const program = new Command('vtlic');
  program
    .description('Issues and verifies signed .vtlic license files, offline.')
    .version(VERSION)
    .helpCommand('help [command]', 'shows the help of a command')
    .showHelpAfterError(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => undefined, outputError: () => undefined });
  // The program itself has no option with a value, so the first such word is the command, also after `help` and `--`.
  const named = argv.find((word) => COMMANDS.has(word));
  for (const [name, { args, description, load }] of COMMANDS) {
    const command = program.command(args === undefined ? name : `${name} ${args}`).description(description);
    if (name === named) (await load())(command, io, setExit);
  }
  finish(program);
  return program;
}

/** Commander passes settings on only to commands that were made after them. */
function finish(parent: Command): void {
  refuseRepeats(parent);
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    finish(child);
  }
}

/** Of an option with a value that is given twice, Commander takes the last without a word. */
function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    if (!option.required || Array.isArray(option.defaultValue)) continue;
    let isGiven = false;
    command.on(`option:${option.name()}`, () => {
      if (isGiven)
        throw new VtlicError('usage', `${option.long ?? option.flags} is given twice`, {
          hint: 'give it once, with the value that is meant',
        });
      isGiven = true;
    });
  }
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exit: number = EXIT.done;
  let program: Command | undefined;
  try {
    program = await build(argv, io, (code) => {
      exit = code;
    });
    const words = helpWords(argv);
    const unknown = words === undefined ? undefined : unknownCommand(program, words);
    if (unknown !== undefined) throw unknown;
    // Commander's own help command goes one level deep.
    await program.parseAsync(words === undefined ? argv : [...words, '--help'], { from: 'user' });
    return exit;
  } catch (thrown) {
    const error =
      thrown instanceof CommanderError && program !== undefined
        ? usageError(thrown, program, argv)
        : asVtlicError(thrown);
    if (error === undefined) return EXIT.done;
    return reportError(error, argv, io);
  }
}

/** Runs the command line of this process. */
export function runProcess(argv: readonly string[]): Promise<number> {
  return runCli(argv, processIo());
}

/** The command after `help`; undefined for everything else. */
function helpWords(argv: readonly string[]): readonly string[] | undefined {
  return argv[0] === 'help' && argv.length > 1 ? argv.slice(1).filter((word) => !word.startsWith('-')) : undefined;
}

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

/** For `help`: a word that names no command, although its command has commands of its own. */
function unknownCommand(program: Command, words: readonly string[]): VtlicError | undefined {
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
function usageError(error: CommanderError, program: Command, argv: readonly string[]): VtlicError | undefined {
  if (error.exitCode === 0) return undefined;
  const unknown = error.code === 'commander.unknownCommand' ? unknownCommand(program, argv) : undefined;
  if (unknown !== undefined) return unknown;
  const known = commandsOf(program, argv);
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const names = known.at(-1)?.commands.map((command) => command.name()) ?? [];
  return new VtlicError(
    'usage',
    error.code === 'commander.help' ? `which command? There are: ${names.join(', ')}` : message,
    { hint: `see: ${helpOf(known)}` },
  );
}
