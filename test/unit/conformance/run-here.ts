/** `vtlic-conform` within this process, and what it said. */
import { runConform } from '../../../conformance/runner/conform.ts';
import { ROOT } from '../../support/run-cli.ts';

export async function runHere(
  argv: readonly string[],
  {
    vectors = `${ROOT}/vectors/v1`,
    isTerminal = false,
    now = () => 1_800_000_000,
  }: { readonly vectors?: string; readonly isTerminal?: boolean; readonly now?: () => number } = {},
): Promise<{ readonly exit: number; readonly text: string }> {
  let text = '';
  const say = (part: string): void => {
    text += part;
  };
  const exit = await runConform(argv, {
    out: say,
    report: say,
    isTerminal,
    vectors,
    version: '0',
    seed: 1_000,
    now,
  });
  return { exit, text };
}

/** The command of the reference verifier. */
export const REFERENCE: readonly string[] = [process.execPath, `${ROOT}/conformance/harness/reference/main.ts`];
