/** What the command line takes from the process, as a parameter. */
import type { World } from '../runtime.ts';
import type { Terminal } from './terminal.ts';

export interface Io {
  /** The result alone. */
  readonly out: (result: string | Uint8Array) => void;
  /** The narrative: one line, already cleaned. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Opens the controlling terminal; undefined where there is none. */
  readonly openTerminal: () => Terminal | undefined;
  readonly world: World;
}

/** How a command whose result is a verdict leaves its exit code. */
export type SetExit = (code: number) => void;
