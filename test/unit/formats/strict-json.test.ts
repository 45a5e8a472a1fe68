import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { parseStrictJson, type JsonNode } from '../../../formats/json/strict-json.ts';
import { thrown } from '../../support/thrown.ts';

const parse = (text: string): JsonNode => parseStrictJson(utf8(text));

describe('parseStrictJson', () => {
  it('keeps every value with its place', () => {
    const text = '{\n  "a": [1, -2.5e+3, true],\n  "é🚀": "x", "z": null\n}\n';
    expect(parse(text)).toEqual({
      kind: 'object',
      line: 1,
      column: 1,
      members: [
        {
          name: 'a',
          nameLine: 2,
          nameColumn: 3,
          value: {
            kind: 'array',
            line: 2,
            column: 8,
            items: [
              { kind: 'number', text: '1', line: 2, column: 9 },
              { kind: 'number', text: '-2.5e+3', line: 2, column: 12 },
              { kind: 'boolean', value: true, line: 2, column: 21 },
            ],
          },
        },
        { name: 'é🚀', nameLine: 3, nameColumn: 3, value: { kind: 'string', value: 'x', line: 3, column: 9 } },
        { name: 'z', nameLine: 3, nameColumn: 14, value: { kind: 'null', line: 3, column: 19 } },
      ],
    });
  });

  it('takes blanks, tabs and line ends of each kind between all parts', () => {
    const compact = '{"a":[1,2],"b":{},"c":[]}';
    const spaced = compact.replaceAll(/[{}[\]:,1-2]|"."/g, ' \t\r\n$& \t\r\n');
    const withoutPlaces = (text: string): unknown =>
      JSON.parse(JSON.stringify(parse(text)).replaceAll(/"(?:line|column|nameLine|nameColumn)":\d+/g, '"place":0'));
    expect(withoutPlaces(spaced)).toEqual(withoutPlaces(compact));
  });

  it('is frozen', () => {
    const node = parse('{"a":[{}]}');
    expect(Object.isFrozen(node)).toBe(true);
    if (node.kind !== 'object') throw new Error('no object');
    expect(Object.isFrozen(node.members)).toBe(true);
    expect(Object.isFrozen(node.members[0])).toBe(true);
    expect(Object.isFrozen(node.members[0]?.value)).toBe(true);
  });

  it.each([
    ['escapes', String.raw`"\"\\\/\b\f\n\r\t\u0041\u00e9"`, '"\\/\b\f\n\r\tAé'],
    ['a surrogate pair in escapes', String.raw`"\ud83d\ude80"`, '🚀'],
    ['a surrogate pair in upper case', String.raw`"\uD83D\uDE80"`, '🚀'],
    ['the first and the last pair', String.raw`"\ud800\udc00\udbff\udfff"`, '\u{10000}\u{10ffff}'],
    ['escapes beside the surrogates', String.raw`"\ud7ff\ue000"`, '\ud7ff\ue000'],
    ['an escaped NUL', String.raw`"\u0000"`, '\0'],
    ['delete, and separators that JavaScript once forbade', '"\u007f\u2028\u2029"', '\u007f\u2028\u2029'],
    ['an empty text', '""', ''],
  ])('reads %s', (_, text, value) => {
    expect(parse(text)).toMatchObject({ kind: 'string', value });
  });

  it('takes members with names that objects have by themselves', () => {
    expect(parse('{"__proto__":1,"constructor":2,"":3}')).toMatchObject({
      members: [{ name: '__proto__' }, { name: 'constructor' }, { name: '' }],
    });
  });

  it.each(['0', '-0', '1e3', '9007199254740993', '-1.50E-07'])('keeps the number %s as it is written', (text) => {
    expect(parse(text)).toEqual({ kind: 'number', text, line: 1, column: 1 });
  });

  it.each([
    ['nothing', '', 1, 1],
    ['blank space alone', ' \n ', 2, 2],
    ['a byte order mark', '\ufeff{}', 1, 1],
    ['text after the end', '{} {}', 1, 4],
    ['a comma at the end', '{}\n,', 2, 1],
    ['a comment', '{\n// no\n}', 2, 1],
    ['a comma before }', '{"a":1,}', 1, 8],
    ['a comma before ]', '[1,]', 1, 4],
    ['two commas', '[1,,2]', 1, 4],
    ['no comma', '[1 2]', 1, 4],
    ['no colon', '{"a" 1}', 1, 6],
    ['a name without quotes', '{a:1}', 1, 2],
    ['single quotes', "{'a':1}", 1, 2],
    ['a number as name', '{1:1}', 1, 2],
    ['an object not closed', '{"a":1', 1, 7],
    ['an array not closed', '[1', 1, 3],
    ['a text not closed', '["a', 1, 2],
    ['a line end in a text', '["a\nb"]', 1, 2],
    ['a tab in a text', '["a\tb"]', 1, 4],
    ['an escape character in a text', '["\u001b[2J"]', 1, 3],
    ['an unknown escape', String.raw`"\x41"`, 1, 2],
    ['a short escape', String.raw`"\u004"`, 1, 2],
    ['a backslash at the end', '"\\', 1, 2],
    ['half a surrogate pair', String.raw`"a\ud800"`, 1, 3],
    ['the other half', String.raw`"\udc00"`, 1, 2],
    ['a high half before another escape', String.raw`"\ud800\u0041"`, 1, 2],
    ['two other halves', String.raw`"\udc00\udc00"`, 1, 2],
    ['the last half alone', String.raw`"\udfff"`, 1, 2],
    ['two high halves', String.raw`"\ud800\ud800"`, 1, 2],
    ['True', 'True', 1, 1],
    ['NaN', '[NaN]', 1, 2],
    ['Infinity', '-Infinity', 1, 1],
    ['undefined', 'undefined', 1, 1],
    ['a leading zero', '01', 1, 1],
    ['a plus', '+1', 1, 1],
    ['a point without digits', '1.', 1, 1],
    ['a point without a number', '.5', 1, 1],
    ['an exponent without digits', '1e', 1, 1],
    ['hex', '0x10', 1, 1],
    ['a big integer', '1n', 1, 1],
    ['underscores', '1_000', 1, 1],
    ['a minus alone', '-', 1, 1],
    ['a no-break space', '\u00a0{}', 1, 1],
    ['a form feed', '\f{}', 1, 1],
  ])('refuses %s', (_, text, line, column) => {
    expect(thrown(() => parse(text))).toMatchObject({ code: 'json_malformed', place: { line, column } });
  });

  it('names both places of a repeated member', () => {
    const fault = thrown(() => parse('{"seats": 1,\n "tier": "x",\n  "seats": 2}'));
    expect(fault).toMatchObject({ code: 'json_malformed', place: { line: 3, column: 3, field: 'seats' } });
    expect(fault.message).toBe('the member "seats" is repeated: the first is at line 1, column 2');
    expect(thrown(() => parse(String.raw`{"seats": 1, "\u0073eats": 2}`)).message).toContain('repeated');
    expect(parse('{"a":{"b":1},"b":{"b":1}}').kind).toBe('object');
  });

  it.each([
    ['a byte that begins nothing', [0x22, 0xff, 0x22], 1, 2, 1],
    ['a continuation byte alone', [0x22, 0x0a, 0x22, 0xc3, 0xa9, 0x80], 2, 3, 5],
    ['an overlong form', [0x22, 0xc0, 0x80, 0x22], 1, 2, 1],
    ['an overlong form of three', [0x22, 0xe0, 0x80, 0x80, 0x22], 1, 2, 1],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 1, 2, 1],
    ['a value beyond U+10FFFF', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1, 2, 1],
    [
      'a character whose third byte is wrong, behind one that is beyond the BMP',
      [0x22, 0xf0, 0x9f, 0x9a, 0x80, 0xe2, 0x82, 0x22],
      1,
      3,
      5,
    ],
    ['a cut character', [0x22, 0xe2, 0x82], 1, 2, 1],
    ['a text in UTF-16', [0xff, 0xfe, 0x7b, 0x00], 1, 1, 0],
  ])('refuses what is not UTF-8: %s', (_, bytes, line, column, offset) => {
    expect(thrown(() => parseStrictJson(Uint8Array.from(bytes)))).toMatchObject({
      code: 'json_malformed',
      place: { line, column, offset },
    });
  });

  it('is 64 deep and no deeper', () => {
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(parse(deep(64)).kind).toBe('array');
    expect(thrown(() => parse(deep(65)))).toMatchObject({ code: 'json_malformed', place: { column: 65 } });
    expect(thrown(() => parse('{"a":'.repeat(10_000)))).toMatchObject({ place: { column: 5 * 64 + 1 } });
    expect(thrown(() => parseStrictJson(utf8('[[1]]'), { depth: 1 })).place.column).toBe(2);
  });

  it('has a size limit', () => {
    expect(parseStrictJson(utf8('[1]'), { bytes: 3 }).kind).toBe('array');
    expect(thrown(() => parseStrictJson(utf8('[1] '), { bytes: 3 })).code).toBe('json_malformed');
    expect(thrown(() => parseStrictJson(new Uint8Array(1_048_577))).message).toContain('1048576');
  });

  // Columns counted from the line's start for each value would take minutes.
  it('reads a long line of many values', () => {
    const text = `[${Array.from({ length: 60_000 }, (_, i) => `{"é${i}":"🚀"}`).join(',')}]`;
    const node = parseStrictJson(utf8(text), { bytes: 4_000_000 });
    if (node.kind !== 'array') throw new Error('no array');
    expect(node.items.at(-1)?.column).toBe(Array.from(text).lastIndexOf('{') + 1);
  });

  it.each([
    ['\ufeff{}', 'the JSON begins with a byte order mark (U+FEFF), which should not be there'],
    ['{} x', 'the JSON should end here, but "x" follows'],
    ['', 'expected a value, found the end of the file'],
    ['{1:2}', 'expected a member\'s name in double quotes, found "1"'],
    ['{"a";2}', 'a colon should follow the member\'s name, but ";" does'],
    ['{"a":2 "b":3}', 'expected a comma or "}", found """'],
    ['{"a":2,}', 'a member should follow the comma, but the object ends'],
    ['[1,]', 'an item should follow the comma, but the array ends'],
    ['[1;2]', 'expected a comma or "]", found ";"'],
    ['01', '"01" is not a number in JSON'],
    ['[.5]', '".5" is not a number in JSON'],
    ['+1', '"+1" is not a number in JSON'],
    ['nul', 'expected a value, found "nul"'],
    ['"a', 'the text that begins here has no closing quote'],
    ['"a\n"', 'the text that begins here has no closing quote on its line'],
    ['"a\r"', 'the text that begins here has no closing quote on its line'],
    ['"a\tb"', 'a control character (\\u{0009}) should be escaped in a text'],
    [String.raw`"\a"`, String.raw`a backslash should begin one of \" \\ \/ \b \f \n \r \t \uXXXX`],
    [String.raw`"\u12"`, String.raw`\u should be followed by four hex digits`],
    ...[
      String.raw`"\udc00"`,
      String.raw`"a\ud800"`,
      String.raw`"\ud800abcd1234"`,
      String.raw`"\ud800\udbff"`,
      String.raw`"\ud800\ue000"`,
    ].map((text): [string, string] => [
      text,
      'the escape is only half of a character (a surrogate), and the other half is missing',
    ]),
    [String.raw`"\ud800\u00"`, String.raw`\u should be followed by four hex digits`],
    ['"\\', String.raw`a backslash should begin one of \" \\ \/ \b \f \n \r \t \uXXXX`],
    ['a1', 'expected a value, found "a1"'],
    ['-x', 'expected a value, found "-x"'],
    ['-1x', '"-1x" is not a number in JSON'],
    ['{😀:1}', 'expected a member\'s name in double quotes, found "😀"'],
    ['\u0001', 'expected a value, found "\\u{0001}"'],
  ])('says what is wrong with %j in words', (text, words) => {
    expect(thrown(() => parse(text)).message).toBe(words);
  });

  it('shows what it found, made fit for a terminal', () => {
    expect(thrown(() => parse('[\u001b[2J]')).message).toBe('expected a value, found "\\u{001B}"');
    expect(thrown(() => parse('[1 true]')).message).toBe('expected a comma or "]", found "true"');
    expect(thrown(() => parse(`[${'9'.repeat(5000)}x]`)).message).toBe(`"${'9'.repeat(40)}…" is not a number in JSON`);
    expect(thrown(() => parse(`[1 ${'x'.repeat(41)}]`)).message).toBe(
      `expected a comma or "]", found "${'x'.repeat(40)}…"`,
    );
    expect(thrown(() => parse(`[1 ${'x'.repeat(40)}]`)).message).toBe(
      `expected a comma or "]", found "${'x'.repeat(40)}"`,
    );
  });
});
