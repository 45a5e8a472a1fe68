/**
 * The officer's terminal: asks for a word with echo, and for a passphrase or PIN without echo. It is `/dev/tty`, never
 * stdin, so that no pipe can answer for a person.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { errorCodeOf } from '../../files/index.ts';
import { formatInstant } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import type { ClockJump } from '../ledger/index.ts';
import { LineEditor } from './line-editor.ts';

export interface Terminal {
  /** Shows lines (already cleaned) to the person. */
  readonly show: (text: string) => void;
  /** One line with echo; the answer without its line end. */
  readonly ask: (prompt: string) => Promise<string>;
  /**
   * One line without echo, as bytes: the caller wipes them.
   *
   * @param exactly asks again where a key sent anything but a character: a PIN that a person meant to correct with an
   *   arrow key would cost a try of its token
   */
  readonly askSecret: (prompt: string, exactly?: boolean) => Promise<Uint8Array>;
  readonly close: () => void;
}

/** The controlling terminal, or undefined where there is none. */
export function openTerminal(path = '/dev/tty'): Terminal | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch {
    return undefined;
  }
  const show = (text: string | Uint8Array): void => {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += writeSync(fd, bytes, offset);
      } catch (error) {
        // A tty fd shared with a stream may be non-blocking.
        if (errorCodeOf(error) === 'EAGAIN') continue;
        throw new VtlicError('interrupted', 'the terminal was closed', { cause: error });
      }
    }
  };
  return {
    show,
    ask: async (prompt) => {
      const line = await readLine(path, prompt, show, true);
      try {
        return Buffer.from(line).toString('utf8');
      } finally {
        line.fill(0);
      }
    },
    askSecret: (prompt, exactly = false) => readLine(path, prompt, show, false, exactly),
    close: () => {
      closeSync(fd);
    },
  };
}

function closedAtPrompt(): VtlicError {
  return new VtlicError('declined', 'the terminal was closed at the prompt');
}

function interruptedAtPrompt(): VtlicError {
  return new VtlicError('interrupted', 'interrupted at the prompt');
}

const TYPED_AHEAD_MS = 50;

/** Turns the marks off that a terminal may put around pasted text (xterm, "bracketed paste"). */
const PASTE_WITHOUT_MARKS = '\u001b[?2004l';
const DROPPED = 'an arrow key, a tabulator or the marks of a paste came with it: nothing was used; enter it again\r\n';

async function discardTyped(input: ReadStream): Promise<void> {
  const discard = (chunk: Buffer): void => {
    chunk.fill(0);
  };
  input.on('data', discard);
  await new Promise((resolve) => setTimeout(resolve, TYPED_AHEAD_MS));
  input.off('data', discard);
}

/**
 * Reads one line in raw mode; echo is ours, so that a secret is never shown, not even for the moment before raw mode is
 * set.
 *
 * A process that was stopped (`kill -TSTP`) finds the terminal with the modes of the shell, which echo: when it
 * continues, it sets raw mode again, drops what was typed until then, and asks again.
 */
async function readLine(
  path: string,
  prompt: string,
  show: (text: string | Uint8Array) => void,
  echo: boolean,
  exactly = false,
): Promise<Uint8Array> {
  // Loaded here, because it takes 3 ms, and most commands ask nothing.
  const tty = await import('node:tty');
  let input: ReadStream;
  try {
    input = new tty.ReadStream(openSync(path, 'r'));
  } catch {
    throw closedAtPrompt();
  }
  const editor = new LineEditor(echo);
  const handlers: [event: string, handler: () => void][] = [];
  try {
    input.setRawMode(true);
    // Text that was typed before the question was shown is not an answer to it.
    await discardTyped(input);
    return await new Promise<Uint8Array>((resolve, reject) => {
      // While undefined, what is typed is dropped.
      let typing: number | undefined = 0;
      let drops = 0;
      const showHere = (text: string | Uint8Array): void => {
        try {
          show(text);
        } catch (error) {
          reject(error instanceof VtlicError ? error : closedAtPrompt());
        }
      };
      const onData = (chunk: Buffer): void => {
        const result = typing === undefined ? undefined : editor.take(chunk);
        chunk.fill(0);
        if (result === undefined) return;
        showHere(result.echo);
        if (result.end === undefined) return;
        showHere('\r\n');
        if (result.end === 'line' && exactly && editor.droppedControl) {
          editor.clear();
          showHere(`${PASTE_WITHOUT_MARKS}${DROPPED}${prompt}`);
        } else if (result.end === 'line') resolve(editor.line());
        else reject(result.end === 'interrupted' ? interruptedAtPrompt() : closedAtPrompt());
      };
      const on = (event: string, handler: () => void): void => {
        handlers.push([event, handler]);
        process.on(event, handler);
      };
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
        on(signal, () => {
          reject(interruptedAtPrompt());
        });
      on('SIGTSTP', () => {
        editor.clear();
        // The shell gets the terminal as it was before the prompt.
        if (!input.destroyed) input.setRawMode(false);
        process.kill(process.pid, 'SIGSTOP');
      });
      on('SIGCONT', () => {
        editor.clear();
        if (input.destroyed) return;
        // Node.js believes that the mode is still set, and sets only a mode that differs.
        input.setRawMode(false);
        input.setRawMode(true);
        typing = undefined;
        const drop = ++drops;
        setTimeout(() => {
          if (drop !== drops) return;
          typing = drop;
          showHere(`\r\n${prompt}`);
        }, TYPED_AHEAD_MS);
      });
      input.on('data', onData);
      showHere(prompt);
      for (const event of ['end', 'error'])
        input.once(event, () => {
          reject(closedAtPrompt());
        });
    });
  } catch (error) {
    if (error instanceof VtlicError) throw error;
    // The terminal takes no mode any more: it is gone (EIO).
    throw closedAtPrompt();
  } finally {
    for (const [event, handler] of handlers) process.off(event, handler);
    editor.clear();
    try {
      if (!input.destroyed) input.setRawMode(false);
    } catch {
      // The terminal is gone, and its modes with it.
    }
    input.destroy();
  }
}

/** What a person types, and what the command then does, as it follows "Type WORD to ". */
export type WordAndEffect = readonly [word: string, effect: string];

/**
 * Shows a person at a terminal what will happen, and takes exactly one word for consent. No option replaces it.
 *
 * @throws VtlicError `usage` where there is no terminal, `declined` for any other answer
 */
export async function confirmByWord(
  terminal: Terminal | undefined,
  view: readonly string[],
  [word, effect]: WordAndEffect,
): Promise<void> {
  if (terminal === undefined)
    throw new VtlicError('usage', 'this command needs a terminal, where a person confirms it', {
      hint: 'run it at a terminal, without redirecting its input',
    });
  terminal.show(`${view.join('\n')}\n\n`);
  const answer = await terminal.ask(`Type ${word} to ${effect}. If you type anything else, nothing is changed: `);
  if (answer !== word) throw new VtlicError('declined', 'declined: nothing was changed');
}

/**
 * Accepts a clock that is far from the ledger's time only on a typed word, since all later entries follow that time.
 */
export function confirmClockJump(terminal: Terminal | undefined): (jump: ClockJump) => Promise<void> {
  return ({ from, to }) =>
    confirmByWord(
      terminal,
      [
        `THE CLOCK READS ${formatInstant(to)}, MORE THAN A YEAR FROM THE LEDGER'S LAST ENTRY, ${formatInstant(from)}.`,
        'New licenses get this time of issue. From then on nothing is signed while the clock reads an earlier time.',
      ],
      ['CLOCK IS RIGHT', 'confirm that this time is right, and to go on'],
    );
}
