/** The command line: one file a command, one exit code a fault. */
import { Command, CommanderError } from 'commander';
import { VtlicError } from '../../formats/error.ts';
import { errorDocument, errorLines, asVtlicError } from './error-text.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import type { Io, SetExit } from './io.ts';
import { addInit } from './commands/init.ts';
import { addInspect } from './commands/inspect.ts';
import { addIssue } from './commands/issue.ts';
import { addKey } from './commands/key.ts';
import { addRelease } from './commands/release.ts';
import { addVerify } from './commands/verify.ts';

const VERSION = '0.1.0';

function build(io: Io, setExit: SetExit): Command {
  const program = new Command('vtlic');
  program
    .description('Issues and verifies signed .vtlic license files, offline.')
    .version(VERSION)
    .helpCommand('help [command]', 'shows the help of a command')
    .showHelpAfterError(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: () => undefined, outputError: () => undefined });
  addInit(program, io);
  addKey(program, io);
  addIssue(program, io);
  addRelease(program, io);
  addVerify(program, io, setExit);
  addInspect(program, io);
  // Settings are inherited only by commands made after them with `.command()`.
  const inherit = (parent: Command): void => {
    for (const child of parent.commands) {
      child.copyInheritedSettings(parent);
      inherit(child);
    }
  };
  inherit(program);
  return program;
}

/** Runs one command line and returns its exit code. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exit: number = EXIT.done;
  try {
    await build(io, (code) => {
      exit = code;
    }).parseAsync(argv, { from: 'user' });
    return exit;
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : asVtlicError(thrown);
    if (error === undefined) return EXIT.done;
    for (const line of errorLines(error)) io.err(line);
    if (argv.includes('--json')) io.out(`${JSON.stringify(errorDocument(error))}\n`);
    return exitCodeOf(error.code);
  }
}

/** A fault of the command line itself; undefined where the person asked for help or the version, and has got it. */
function usageError(error: CommanderError): VtlicError | undefined {
  if (error.exitCode === 0) return undefined;
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new VtlicError('usage', error.code === 'commander.help' ? 'which command?' : message, { hint: 'see: vtlic help' });
}
