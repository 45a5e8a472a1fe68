import { VtlicError } from '../../formats/error.ts';
import type { Terminal } from './terminal.ts';

/**
 * Shows what will happen to a person at a terminal, and takes exactly one word for consent. No option stands in for it.
 *
 * @throws VtlicError `usage` where there is no terminal, `declined` for any other answer
 */
export async function confirmByWord(
  terminal: Terminal | undefined,
  view: readonly string[],
  word: string,
): Promise<void> {
  if (terminal === undefined)
    throw new VtlicError('usage', 'this is done at a terminal alone, by a person who reads what it means', {
      hint: 'run it there',
    });
  terminal.show(`${view.join('\n')}\n\n`);
  const answer = await terminal.ask(`Type ${word} to do this, anything else to decline: `);
  if (answer !== word) throw new VtlicError('declined', 'declined: nothing was changed');
}
