import { expect, it } from 'vitest';
import { jsonLine } from '../../../formats/json/json-line.ts';

it('escapes whatever moves a cursor, turns a line or is invisible, and changes no value', () => {
  const hostile = ['\u001b[2J', '\u009b2J', '\u202e', '\u200b', '\u00ad', '\ufeff', '\u2028', '\u007f', 'Zoë 東京'];
  const line = jsonLine({ name: hostile });
  expect(line).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2028\u202e\ufeff]*\n$/);
  expect(line).toContain('Zoë 東京');
  expect(JSON.parse(line)).toEqual({ name: hostile });
});

it.each([
  ['a tag, which is invisible', '\u{e0041}', '\\udb40\\udc41'],
  ['a filler, which is shown as nothing', '\u3164', '\\u3164'],
  ['a variation selector', '\ufe0f', '\\ufe0f'],
  ['a lone surrogate', '\ud800', '\\ud800'],
  ['a soft hyphen', '\u00ad', '\\u00ad'],
])('escapes %s', (_, text, escaped) => {
  const line = jsonLine([text]);
  expect(line).toBe(`["${escaped}"]\n`);
  expect(JSON.parse(line)).toEqual([text]);
});
