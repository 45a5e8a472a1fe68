/** A command in this process, off a terminal: for tests that set the clock or act between two steps. */
import { processIo } from '../../signer/cli/io.ts';
import { runCli } from '../../signer/cli/run.ts';
import type { World } from '../../signer/runtime.ts';

export interface RanHere {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const io = processIo();

export async function runHere(args: readonly string[], world: Partial<World> = {}): Promise<RanHere> {
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
    openTerminal: () => undefined,
    world: { ...io.world, tell: err, ...world },
  });
  return { code, stdout, stderr };
}
