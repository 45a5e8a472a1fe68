/** The command line: one file a command, one exit code a fault. */
import { Command, CommanderError } from 'commander';
import { VtlicError } from '../../formats/error.ts';
import { asVtlicError, reportError } from './output.ts';
import { EXIT } from './exit-codes.ts';
import type { Io, SetExit } from './io.ts';

const VERSION = '0.1.0';

type AddCommand = (program: Command, io: Io, setExit: SetExit) => void;

/** In the order of the help. Each is loaded when it is named, so that no command waits for the code of another. */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['init', async (): Promise<AddCommand> => (await import('./commands/init.ts')).addInit],
  ['key', async (): Promise<AddCommand> => (await import('./commands/key.ts')).addKey],
  ['issue', async (): Promise<AddCommand> => (await import('./commands/issue.ts')).addIssue],
  ['renew', async (): Promise<AddCommand> => (await import('./commands/renew.ts')).addRenew],
  ['batch', async (): Promise<AddCommand> => (await import('./commands/batch.ts')).addBatch],
  ['release', async (): Promise<AddCommand> => (await import('./commands/release.ts')).addRelease],
  ['ledger', async (): Promise<AddCommand> => (await import('./commands/ledger.ts')).addLedger],
  ['counters', async (): Promise<AddCommand> => (await import('./commands/counters.ts')).addCounters],
  ['verify', async (): Promise<AddCommand> => (await import('./commands/verify.ts')).addVerify],
  ['inspect', async (): Promise<AddCommand> => (await import('./commands/inspect.ts')).addInspect],
  ['hsm', async (): Promise<AddCommand> => (await import('./commands/hsm.ts')).addHsm],
]);

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
  const named = COMMANDS.get(argv[0] ?? '');
  for (const load of named === undefined ? COMMANDS.values() : [named]) (await load())(program, io, setExit);
  inheritSettings(program);
  return program;
}

/** Commander hands settings down only to commands that were made after them. */
function inheritSettings(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inheritSettings(child);
  }
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exit: number = EXIT.done;
  try {
    const args = withNestedHelp(argv);
    const program = await build(args, io, (code) => {
      exit = code;
    });
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : asVtlicError(thrown);
    if (error === undefined) return EXIT.done;
    return reportError(error, argv, io);
  }
}

/** `help ledger restore`: Commander's own help command goes one level deep. */
function withNestedHelp(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' && argv.length > 2 ? [...argv.slice(1), '--help'] : argv;
}

/** A fault of the command line itself; undefined where the person asked for help or the version, and has got it. */
function usageError(error: CommanderError): VtlicError | undefined {
  if (error.exitCode === 0) return undefined;
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new VtlicError('usage', error.code === 'commander.help' ? 'which command?' : message, {
    hint: 'see: vtlic help',
  });
}
