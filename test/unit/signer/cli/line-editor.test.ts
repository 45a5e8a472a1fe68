import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { LineEditor } from '../../../../signer/cli/line-editor.ts';

function lineOf(...chunks: readonly string[]): string {
  const editor = new LineEditor(false);
  for (const chunk of chunks) editor.take(utf8(chunk));
  return Buffer.from(editor.line()).toString('utf8');
}

/** What keys send besides characters. */
const SEQUENCES = [
  '\u001b[A',
  '\u001b[1;5D',
  '\u001b[3~',
  '\u001bOP',
  '\u001bb',
  '\u001b\u001b[C',
  '\u001b[200~',
  '\u001b[201~',
  '\u001b]0;title\u0007',
  '\u001bP1$r\u001b\\',
  '\u009b2J',
  '\u0085',
  '\u0001',
  '\u001a',
  '\t',
  '\u0000',
];

const text = fc.stringMatching(/^[^\u0000-\u001f\u007f-\u009f]{0,20}$/u);

describe('a line that is typed', () => {
  it.each(SEQUENCES)('has no part of the control sequence %j', (sequence) => {
    expect(lineOf(`left${sequence}right`)).toBe('leftright');
    expect(lineOf('left', sequence, 'right')).toBe('leftright');
  });

  it('has only the text, whatever control sequences come between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.constantFrom(...SEQUENCES))), (parts) => {
        expect(lineOf(parts.map(([typed, sequence]) => typed + sequence).join(''))).toBe(
          parts.map(([typed]) => typed).join(''),
        );
      }),
    );
  });

  it('is the same however its bytes are cut into chunks, except after an ESC', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.constantFrom(...SEQUENCES))), fc.array(fc.nat(200)), (parts, cuts) => {
        const bytes = utf8(parts.map(([typed, sequence]) => typed + sequence).join(''));
        const editor = new LineEditor(false);
        let from = 0;
        for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
          const to = Math.min(cut, bytes.length);
          if (bytes[to - 1] === 0x1b && to < bytes.length) continue;
          editor.take(bytes.subarray(from, to));
          from = to;
        }
        expect(Buffer.from(editor.line()).toString('utf8')).toBe(parts.map(([typed]) => typed).join(''));
      }),
    );
  });

  it('keeps the character after a key Esc that came by itself', () => {
    expect(lineOf('left', '\u001b', 'right')).toBe('leftright');
  });

  it('loses a whole character to a backspace, and all to Ctrl-U', () => {
    expect(lineOf('aé\u007f')).toBe('a');
    expect(lineOf('a\u00a3\u0008b')).toBe('ab');
    expect(lineOf('wrong\u0015right')).toBe('right');
  });

  it('ends at Enter, at Ctrl-C, and at Ctrl-D where it is empty', () => {
    const end = (keys: string): string | undefined => new LineEditor(false).take(utf8(keys)).end;
    expect(end('text\r')).toBe('line');
    expect(end('\n')).toBe('line');
    expect(end('text\u0003')).toBe('interrupted');
    expect(end('\u001b[\u0003')).toBe('interrupted');
    expect(end('\u0004')).toBe('closed');
    expect(end('text\u0004')).toBeUndefined();
  });

  it('echoes nothing of a secret, and every character of an answer', () => {
    expect(new LineEditor(false).take(utf8('secret\u007f')).echo).toEqual(new Uint8Array());
    expect(Buffer.from(new LineEditor(true).take(utf8('Y\u001b[Aes\u007f')).echo).toString()).toBe('Yes\b \b');
  });

  it('has at most 1024 bytes, and never half a character', () => {
    expect(lineOf('a'.repeat(2000))).toHaveLength(1024);
    expect(lineOf(`${'a'.repeat(1023)}\u00a3`)).toBe('a'.repeat(1023));
  });
});
