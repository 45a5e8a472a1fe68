/** The command line: one file a command, one exit code a fault. */
import { Command, CommanderError } from 'commander';
import { VtlicError } from '../../formats/error.ts';
import { VERSION } from '../../formats/version.ts';
import { asVtlicError, reportError } from './output.ts';
import { EXIT } from './exit-codes.ts';
import { unknownCommand, usageError } from './usage-error.ts';
import { processIo, type Io, type SetExit } from './io.ts';

const HELP_COLUMNS = 80;

/**
 * Gives a command its options and its action.
 *
 * @param whole makes the tree of all commands, with the options of each
 */
type Define = (command: Command, io: Io, setExit: SetExit, whole: () => Promise<Command>) => void;

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
      description: 'issues a license: shows what it will sign, and signs after you type Yes',
      load: async () => (await import('./commands/issue.ts')).defineIssue,
    },
  ],
  [
    'renew',
    {
      args: '[target]',
      description: 'renews a license: shows what changes, and signs after you type Yes',
      load: async () => (await import('./commands/renew.ts')).defineRenew,
    },
  ],
  [
    'batch',
    {
      args: '[file]',
      description: 'issues and renews many licenses from one table, with one review and one Yes',
      load: async () => (await import('./commands/batch.ts')).defineBatch,
    },
  ],
  [
    'release',
    {
      args: '<id>',
      description: 'writes the file of an issued license again, from the ledger',
      load: async () => (await import('./commands/release.ts')).defineRelease,
    },
  ],
  [
    'ledger',
    {
      description: 'checks, lists, backs up and restores the record of all that was signed',
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
    'calendar',
    {
      description: 'writes what ends when, as a file for a calendar program',
      load: async () => (await import('./commands/calendar.ts')).defineCalendar,
    },
  ],
  [
    'counters',
    {
      description: 'moves the right to issue for customers to the ledger of another site',
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
      description: 'verifies a license file as a product does; exit code 0, 20 or 21',
      load: async () => (await import('./commands/verify.ts')).defineVerify,
    },
  ],
  [
    'inspect',
    {
      args: '<file>',
      description: 'shows what a license file says, without verifying it',
      load: async () => (await import('./commands/inspect.ts')).defineInspect,
    },
  ],
  [
    'keyset',
    {
      description: 'makes, publishes, shows and verifies keysets (the keys that products trust)',
      load: async () => (await import('./commands/keyset.ts')).defineKeyset,
    },
  ],
  [
    'rotation',
    {
      description: 'replaces a key by the next one, also when it is lost or stolen',
      load: async () => (await import('./commands/rotation.ts')).defineRotation,
    },
  ],
  [
    'revoke',
    {
      args: '<licenses...>',
      description: 'drafts a keyset that makes products refuse the licenses that you name',
      load: async () => (await import('./commands/revoke.ts')).defineRevoke,
    },
  ],
  [
    'supersede',
    {
      args: '<licenses...>',
      description: 'drafts a keyset that makes products refuse the licenses that these replaced',
      load: async () => (await import('./commands/revoke.ts')).defineSupersede,
    },
  ],
  [
    'hsm',
    {
      description: 'lists tokens (HSMs), and checks whether one is fit to sign',
      load: async () => (await import('./commands/hsm.ts')).defineHsm,
    },
  ],
  [
    'manual',
    {
      description: 'writes the manual page for the command man',
      load: async () => {
        const { defineManual } = await import('./commands/manual.ts');
        return (command, io, _setExit, whole) => {
          defineManual(command, io, whole);
        };
      },
    },
  ],
  [
    'completion',
    {
      description: 'writes a file with which bash, zsh or fish complete commands and options',
      load: async () => {
        const { defineCompletion } = await import('./commands/manual.ts');
        return (command, io, _setExit, whole) => {
          defineCompletion(command, io, whole);
        };
      },
    },
  ],
]);

/** A command whose own commands are defined one after another, in the order of the help. */
function groupOf(parts: readonly Define[]): Define {
  return (command, io, setExit, whole) => {
    for (const define of parts) define(command, io, setExit, whole);
  };
}

const AFTER_LIST = `
Environment:
  VTLIC_SITE       the site, where --site is not given

Exit codes: 0 done; 2 usage or configuration; 3 request refused; 4 ledger
refused; 5 token or key not found; 6 PIN or passphrase refused; 11 output not
written; 20 not valid; 21 not in force. README.md has all of them.`;

/** @param isNamed the commands whose modules are loaded */
async function build(isNamed: (name: string) => boolean, io: Io, setExit: SetExit): Promise<Command> {
  const program = new Command('vtlic');
  program
    .description('Issues and verifies signed .vtlic license files, without a network.')
    .version(VERSION)
    .helpCommand('help [command]', 'shows the help of a command')
    .helpOption('-h, --help', 'shows this help')
    .showHelpAfterError(false)
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', AFTER_LIST)
    .configureOutput({
      writeOut: io.out,
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHelpWidth: () => HELP_COLUMNS,
    });
  const whole = (): Promise<Command> => buildWhole(io, setExit);
  for (const [name, { args, description, load }] of COMMANDS) {
    const command = program.command(args === undefined ? name : `${name} ${args}`).description(description);
    if (isNamed(name)) (await load())(command, io, setExit, whole);
  }
  finish(program);
  return program;
}

async function buildWhole(io: Io, setExit: SetExit): Promise<Command> {
  const program = await build(() => true, io, setExit);
  await addHelp(program);
  return program;
}

/** What only a help text needs is loaded only for one. */
async function addHelp(program: Command): Promise<void> {
  (await import('./help.ts')).completeHelp(program);
}

/** Commander passes settings on only to commands that were made after them. */
function finish(parent: Command): void {
  refuseRepeats(parent);
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    finish(child);
  }
}

/** Refuses an option with a value that is given twice: Commander would take the last one without a warning. */
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
    // The program itself has no option with a value, so the first such word is the command, also after `help` and `--`.
    const named = argv.find((word) => COMMANDS.has(word));
    const words = helpWords(argv);
    program = await build(
      (name) => name === named,
      io,
      (code) => {
        exit = code;
      },
    );
    if (words !== undefined || argv.includes('--help') || argv.includes('-h')) await addHelp(program);
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
