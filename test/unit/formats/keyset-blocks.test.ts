/** The blocks of a text, as a chain of keysets has them (docs/keysets.md K2). */
import { describe, expect, it } from 'vitest';
import { armor } from '../../../formats/armor.ts';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { armoredBlocks, openKeysetBlock, type ArmoredBlock } from '../../../formats/keyset/blocks.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const payload = Uint8Array.from({ length: 500 }, (_, i) => i);

describe('a text of several blocks', () => {
  it('is divided at its END lines, whatever the labels', () => {
    const text = concatBytes(armor('VTLIC', payload), armor('VTLIC KEYSET', payload), armor('VTLIC', payload));
    const found = [...armoredBlocks(text)].map(({ label, line }) => [label, line]);
    expect(found.map(([label]) => label)).toEqual(['VTLIC', 'VTLIC KEYSET', 'VTLIC']);
    expect(found[0]?.[1]).toBe(1);
  });

  it('gives each block its place', () => {
    const block = armor('VTLIC KEYSET', payload);
    const lines = new TextDecoder().decode(block).split('\n').length - 1;
    const ended = block.subarray(0, block.length - 1);
    const text = concatBytes(utf8('\r\n\t '), block, ended, utf8(' '), block, utf8('\n\nx'));
    const found = [...armoredBlocks(text)].map(({ line, offset, onNewLine }) => [line, offset, onNewLine]);
    // A block begins behind the END line of the one before, and a line end is part of the next block.
    const behind = (count: number): number => 4 + count * block.length - 1;
    expect(found).toEqual([
      [1, 0, true],
      [1 + lines, behind(1), true],
      [1 + 2 * lines, behind(2), false],
      [3 * lines, behind(3), true],
    ]);
  });

  it.each(['', ' \r\n\t\n'])('is one block, which is refused, where it is blank (%j)', (text) => {
    const [first, ...others] = [...armoredBlocks(utf8(text))];
    if (first === undefined) throw new Error('there is no block');
    expect(others).toEqual([]);
    expect(thrown(() => openKeysetBlock(first))).toMatchObject({ code: 'armor_malformed' });
  });

  it('ends a block at its END line, also behind other dashes', () => {
    const block = utf8('-----BEGIN VTLIC KEYSET-----\n-x-\n------END VTLIC KEYSET-----\n');
    const found = [...armoredBlocks(concatBytes(block, block))];
    expect(found.map(({ offset, line }) => [offset, line])).toEqual([
      [0, 1],
      [block.length - 1, 3],
    ]);
  });

  it.each(['+----BEGIN VTLIC-----', '----BEGIN VTLIC-----', '-----BEGIN VTLIC', '-----BEGIN OTHER-----', 'x'])(
    'treats %j as the begin of a keyset, which is refused',
    (line) => {
      const [first, ...others] = [...armoredBlocks(utf8(`${line}\nAAAA\n-----END VTLIC KEYSET-----\n`))];
      expect([first?.label, others]).toEqual(['VTLIC KEYSET', []]);
    },
  );

  it('may have 16 MiB, and is too large with a byte more', () => {
    const file = new Uint8Array(16_777_217).fill(0x78);
    const [block] = armoredBlocks(file.subarray(1));
    expect(block?.text.length).toBe(16_777_216);
    expect(inWords(thrown(() => armoredBlocks(file).next()))).toBe(
      'too_large: the file has more than 16777216 bytes, the most that are allowed',
    );
  });

  it('is too large with more than 4,096 blocks', () => {
    const block = utf8('-----BEGIN VTLIC KEYSET----------END VTLIC KEYSET-----\n');
    const text = (count: number): Uint8Array => concatBytes(...Array.from({ length: count }, () => block));
    expect([...armoredBlocks(text(4096))]).toHaveLength(4096);
    expect(inWords(thrown(() => [...armoredBlocks(text(4097))]))).toBe(
      'too_large: the file has more than 4096 blocks, the most that are allowed',
    );
  });
});

describe('a block of a keyset', () => {
  const blockOf = (text: string | Uint8Array, change: Partial<ArmoredBlock> = {}): ArmoredBlock => ({
    label: 'VTLIC KEYSET',
    text: typeof text === 'string' ? utf8(text) : text,
    offset: 1000,
    line: 21,
    onNewLine: true,
    ...change,
  });

  it('contains at most 512 KiB', () => {
    const most = new Uint8Array(524_288);
    expect(openKeysetBlock(blockOf(armor('VTLIC KEYSET', most)))).toHaveLength(524_288);
    const { code, message, place, hint } = thrown(() =>
      openKeysetBlock(blockOf(armor('VTLIC KEYSET', new Uint8Array(524_289)))),
    );
    expect({ code, message, place, hint }).toEqual({
      code: 'too_large',
      message: 'the file contains 524289 bytes, but at most 524288 are allowed',
      place: {},
      hint: undefined,
    });
  });

  it('begins on a new line', () => {
    const { code, message, place } = thrown(() =>
      openKeysetBlock(blockOf(armor('VTLIC KEYSET', payload), { onNewLine: false })),
    );
    expect({ code, message, place }).toEqual({
      code: 'armor_malformed',
      message: 'each block should begin on a new line',
      place: { line: 21, offset: 1000 },
    });
  });

  it('has the place of a fault in the whole text, with the hint and the cause', () => {
    const { code, message, place, hint } = thrown(() =>
      openKeysetBlock(blockOf('\n-----BEGIN VTLIC KEYSET-----\nAAAA\nA A\n-----END VTLIC KEYSET-----\n')),
    );
    expect({ code, message, place, hint }).toEqual({
      code: 'armor_malformed',
      message: 'the file is not well armored: within the block there is a blank',
      place: { line: 24, offset: 1036 },
      hint: 'Copy the whole block again, from its BEGIN line to its END line, as plain text.',
    });
  });
});
