/** A command in this process: for those that touch no token and no signal. */
import { processIo } from '../../../signer/cli/process-io.ts';
import { runCli } from '../../../signer/cli/run.ts';

export async function runHere(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(args, {
    ...io,
    out: (result) => {
      stdout += typeof result === 'string' ? result : Buffer.from(result).toString('utf8');
    },
    err: (line) => {
      stderr += `${line}\n`;
    },
    openTerminal: () => undefined,
  });
  return { code, stdout, stderr };
}

const io = processIo({ tell: () => undefined });
