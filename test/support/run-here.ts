/** A command in this process, mostly off a terminal: for tests that set the clock or act between two steps. */
import { processIo } from '../../signer/cli/io.ts';
import { runCli } from '../../signer/cli/run.ts';
import type { Terminal } from '../../signer/cli/terminal.ts';
import type { Runtime } from '../../signer/runtime.ts';

export interface RanHere {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const io = processIo();

/** An officer who types every word that a command asks for; secrets come from files. */
export const CONSENTING: Terminal = Object.freeze<Terminal>({
  show: () => undefined,
  ask: (prompt) => Promise.resolve(/Type (.+?) to /.exec(prompt)?.[1] ?? ''),
  askSecret: () => Promise.reject(new Error('every secret comes from a file here')),
  close: () => undefined,
});

export async function runHere(
  args: readonly string[],
  runtime: Partial<Runtime> = {},
  terminal?: Terminal,
): Promise<RanHere> {
  let stdout = '';
  let stderr = '';
  const err = (line: string): void => {
    stderr += `${line}\n`;
  };
  const code = await runCli(args, {
    ...io,
    out: (result) => {
      stdout += typeof result === 'string' ? result : Buffer.from(result).toString('utf8');
    },
    err,
    openTerminal: () => terminal,
    runtime: { ...io.runtime, tell: err, ...runtime },
  });
  return { code, stdout, stderr };
}
