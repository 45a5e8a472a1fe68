import { describe, expect, it } from 'vitest';
import { armor, dearmor, LICENSE_LIMITS } from '../../../formats/armor.ts';
import { utf8 } from '../../../formats/bytes.ts';
import { armoredText } from '../../../conformance/examples/armored-text.ts';
import { thrown } from '../../support/thrown.ts';

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + 3) % 256);
const read = (text: string): Uint8Array => dearmor('VTLIC', utf8(text));

const BEGIN = '-----BEGIN VTLIC-----';
const END = '-----END VTLIC-----';
const ROW = 'A'.repeat(64);

describe('armor', () => {
  it('has 64 characters a line and a line end at the end', () => {
    expect(armoredText('VTLIC', new Uint8Array(50))).toBe(`${BEGIN}\n${ROW}\nAAA=\n${END}\n`);
    expect(armoredText('VTLIC', new Uint8Array(48))).toBe(`${BEGIN}\n${ROW}\n${END}\n`);
    expect(armoredText('VTLIC KEYSET', Uint8Array.of(0))).toBe(
      '-----BEGIN VTLIC KEYSET-----\nAA==\n-----END VTLIC KEYSET-----\n',
    );
    expect(thrown(() => armor('VTLIC', new Uint8Array())).code).toBe('internal');
  });

  it.each([1, 2, 3, 47, 48, 49, 50, 95, 96, 97, 500, 49_152])('goes there and back with %i bytes', (length) => {
    expect(read(armoredText('VTLIC', bytesOf(length)))).toEqual(bytesOf(length));
    expect(dearmor('VTLIC KEYSET', armor('VTLIC KEYSET', bytesOf(length)))).toEqual(bytesOf(length));
  });
});

describe('dearmor', () => {
  const good = armoredText('VTLIC', bytesOf(100));
  const lines = good.trimEnd().split('\n');

  it.each([
    ['CRLF line ends', lines.join('\r\n')],
    ['mixed line ends', `${lines[0]}\r\n${lines[1]}\n${lines[2]}\r\n${lines[3]}\n${lines[4]}\r\n`],
    ['no line end at the end', good.trimEnd()],
    ['blank space before it', `\n \t\r\n\r${good}`],
    ['blank space after it', `${good}\n \t\r\r\n`],
    ['blank space right behind it', `${good.trimEnd()} \t`],
    ['a carriage return right behind it', `${good.trimEnd()}\r`],
  ])('takes %s', (_, text) => {
    expect(read(text)).toEqual(bytesOf(100));
  });

  it.each([
    ['nothing', '', 1],
    ['blank space alone', ' \n\n', 3],
    ['a text before it', `Dear customer,\n${good}`, 1],
    ['a text after it', `${good}Regards`, 6],
    ['two blocks', `${good}${good}`, 6],
    ['a byte order mark', `\ufeff${good}`, 1],
    ['another label', armoredText('VTLIC KEYSET', bytesOf(100)), 1],
    ['another END label', good.replace('END VTLIC', 'END VTLIC KEYSET'), 5],
    ['a private label', good.replaceAll('VTLIC', 'PRIVATE KEY'), 1],
    ['lower case', good.replace('BEGIN', 'begin'), 1],
    ['four dashes', good.slice(1), 1],
    ['six dashes', `-${good}`, 1],
    ['another first character', `+${good.slice(1)}`, 1],
    ['a lone carriage return after BEGIN', good.replace('\n', '\rx'), 1],
    ['a blank after BEGIN', good.replace('VTLIC-----\n', 'VTLIC----- \n'), 1],
    ['BEGIN and nothing more', BEGIN, 1],
    ['BEGIN and a line end', `${BEGIN}\n`, 2],
    ['no END', `${lines.slice(0, 4).join('\n')}\n`, 5],
    ['a cut END', good.slice(0, -3), 5],
    ['a cut line', good.slice(0, 60), 2],
    ['no body', `${BEGIN}\n${END}\n`, 2],
    ['an empty line first', `${BEGIN}\n\n${ROW}\n${END}\n`, 2],
    ['an empty line within', `${BEGIN}\n${ROW}\n\nAAAA\n${END}\n`, 3],
    ['an empty line last', `${BEGIN}\n${ROW}\n\n${END}\n`, 3],
    ['a header', `${BEGIN}\nVersion: 1\n\n${ROW}\n${END}\n`, 2],
    ['a short line that is not the last', `${BEGIN}\nAAAA\nAAAA\n${END}\n`, 3],
    ['a padded line that is not the last', `${BEGIN}\n${ROW.slice(0, 63)}=\nAAAA\n${END}\n`, 3],
    ['a line of 68', `${BEGIN}\n${ROW}AAAA\n${END}\n`, 2],
    ['all in one line', `${BEGIN}\n${ROW}${ROW}\n${END}\n`, 2],
    ['a line of 63', `${BEGIN}\n${ROW.slice(1)}\n${END}\n`, 2],
    ['a blank at the end of a line', `${BEGIN}\n${ROW} \n${END}\n`, 2],
    ['a blank within a line', `${BEGIN}\nAA AA\n${END}\n`, 2],
    ['a tab before a line', `${BEGIN}\n\tAAAA\n${END}\n`, 2],
    ['a blank before END', `${BEGIN}\nAAAA\n ${END}\n`, 3],
    ['END on the line of the data', `${BEGIN}\nAAAA${END}\n`, 2],
    ['a lone carriage return', `${BEGIN}\n${ROW}\rAAAA\n${END}\n`, 2],
    ['two carriage returns', `${BEGIN}\nAAAA\r\r\n${END}\n`, 2],
    ['unused bits that are not zero', `${BEGIN}\nAB==\n${END}\n`, 2],
    ['too much padding', `${BEGIN}\nA===\n${END}\n`, 2],
    ['missing padding', `${BEGIN}\nAAA\n${END}\n`, 2],
    ['base64url', `${BEGIN}\nAA-_\n${END}\n`, 2],
    ['a character beyond ASCII', `${BEGIN}\nAAAé\n${END}\n`, 2],
    ['NUL bytes after it', `${good}\0`, 6],
    ['a form feed after it', `${good}\f`, 6],
    ['a no-break space before it', `\u00a0${good}`, 1],
  ])('refuses %s', (_, text, line) => {
    expect(thrown(() => read(text))).toMatchObject({ code: 'armor_malformed', place: { line } });
  });

  it.each([
    ['', 'but the file is empty', 1],
    ['\n ', 'but the file is blank', 2],
    [`\ufeff${good}`, 'a byte order mark', 1],
    // Bytes that only look like a mark: EF BB 80, EF 80 BF, E0 BB BF and 61 C3 BF.
    [`\ufec0${good}`, 'found "\ufec0-----BEGIN VTLIC-----"', 1],
    [`\uf03f${good}`, 'found "\\u{F03F}-----BEGIN VTLIC-----"', 1],
    [`\u0eff${good}`, 'found "\\u{0EFF}-----BEGIN VTLIC-----"', 1],
    [`a\u00ff${good}`, 'found "a\u00ff-----BEGIN VTLIC-----"', 1],
    [`Dear\n${good}`, 'with nothing else on it, found "Dear"', 1],
    [BEGIN, 'with nothing else on it, found "-----BEGIN VTLIC-----"', 1],
    [`${BEGIN} \n${ROW}\n${END}`, 'with nothing else on it, found "-----BEGIN VTLIC----- "', 1],
    [`${BEGIN}\nAAAA\n`, `it ends before the line "${END}"`, 3],
    [`${BEGIN}\n\nAAAA\n`, 'but the line is empty', 2],
    [`${BEGIN}\nAAAA`, 'it ends within a line of base64', 2],
    [`${BEGIN}\nAA A\n${END}`, 'within the block there is a blank', 2],
    [`${BEGIN}\nAA\tA\n${END}`, 'within the block there is a blank', 2],
    [`${BEGIN}\nAAAA\rAAAA\n${END}`, 'there is a carriage return without a line feed', 2],
    [`${BEGIN}\nAA!A\n${END}`, 'a character that is not base64', 2],
    [
      `${BEGIN}\nAAAA\nAAAA\n${END}`,
      'every line of base64 but the last should have exactly 64 characters, but the line before has fewer',
      3,
    ],
    [`${BEGIN}\n${ROW}A\n${END}`, 'a line of base64 should have at most 64 characters, but this one has 65', 2],
    [`${BEGIN}\n${ROW}AAAA\n${END}`, 'but this one has 68', 2],
    [`${BEGIN}\nAB==\n${END}`, 'is not canonical', 2],
    [`${BEGIN}\n=${ROW.slice(1)}\n${END}`, 'is not canonical', 2],
    [`${BEGIN}\n${END}`, 'at least one line of base64', 2],
    [`${BEGIN}\nAAAA\n-----END`, `the line "${END}" should end the block`, 3],
    [`${good}${good}`, 'only blank space may follow the block', 6],
  ])('says what is wrong with %j in words', (text, words, line) => {
    const fault = thrown(() => read(text));
    expect(fault.message).toContain(words);
    expect(fault.place.line).toBe(line);
  });

  it('says what to do about a block that was copied in part', () => {
    expect(thrown(() => read(good.slice(0, 60))).hint).toContain('Copy the whole block again');
  });

  it('knows every character of base64 when it says what is wrong', () => {
    const isTaken = (character: string): boolean =>
      !thrown(() => read(`${BEGIN}\n${character}\n${END}`)).message.includes('that is not base64');
    const ascii = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i));
    const expected = ascii.filter((character) => /[A-Za-z0-9+/=]/.test(character));
    expect(ascii.filter((character) => character !== '-' && isTaken(character))).toEqual(expected);
  });

  it('names what is found where the block should begin, escaped for a terminal', () => {
    expect(thrown(() => read('\u001b[2Jhello')).message).toContain('"\\u{001B}[2Jhello"');
    expect(thrown(() => read(`x${'y'.repeat(90_000)}`)).message.length).toBeLessThan(250);
    // Characters of four bytes, of which 64 are shown.
    for (const count of [64, 65, 100])
      expect(thrown(() => read('\u{1f511}'.repeat(count))).message).toContain(
        `found "${'\u{1f511}'.repeat(64)}${count > 64 ? '…' : ''}"`,
      );
  });

  it('keeps to its limits to the byte', () => {
    const largest = armoredText('VTLIC', bytesOf(49_152));
    expect(read(largest)).toHaveLength(49_152);
    expect(thrown(() => read(armoredText('VTLIC', bytesOf(49_153)))).code).toBe('too_large');

    const padded = largest + ' '.repeat(LICENSE_LIMITS.fileBytes - largest.length);
    expect(read(padded)).toHaveLength(49_152);
    expect(thrown(() => read(`${padded} `)).code).toBe('too_large');
    expect(thrown(() => read('x'.repeat(98_305))).code).toBe('too_large');
    expect(thrown(() => read('x'.repeat(98_304))).code).toBe('armor_malformed');
  });

  it('judges the armor before the size of its content', () => {
    expect(thrown(() => read(`${armoredText('VTLIC', bytesOf(49_153))}x`)).code).toBe('armor_malformed');
  });

  it('takes other limits', () => {
    const file = armor('VTLIC KEYSET', bytesOf(60_000));
    expect(dearmor('VTLIC KEYSET', file, { fileBytes: file.length, decodedBytes: 60_000 })).toHaveLength(60_000);
    expect(thrown(() => dearmor('VTLIC KEYSET', file, { fileBytes: file.length, decodedBytes: 59_999 })).code).toBe(
      'too_large',
    );
  });
});
