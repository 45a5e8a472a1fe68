import { describe, expect, it } from 'vitest';
import { hasInvisible } from '../../../../signer/request/invisible-text.ts';

describe('a text for people', () => {
  it.each([
    ['a zero width space', 'Ac\u200bme'],
    ['a word joiner', 'Acme\u2060'],
    ['a soft hyphen', 'Ac\u00adme'],
    ['a byte order mark', '\ufeffAcme'],
    ['an invisible separator', 'Ac\u2063me'],
    ['a combining grapheme joiner', 'Ac\u034fme'],
    ['a Hangul filler', 'Acme\u3164'],
    ['a tag character', 'Acme\u{e0041}'],
    ['an annotation mark', 'Ac\ufff9me'],
    ['a variation selector', '\u845b\u{e0100}'],
    ['a variation selector behind an emoji', '\u2764\ufe0f'],
    ['a Mongolian variation selector', '\u1820\u180b'],
    ['a joiner between Latin letters', 'Ac\u200dme'],
    ['a non-joiner between Latin letters', 'Ac\u200cme'],
    ['a non-joiner at the end of a Persian word', '\u0645\u06cc\u200c'],
    ['two non-joiners in a Persian word', '\u0645\u06cc\u200c\u200c\u062e'],
    ['a joiner between a Persian and a Latin letter', '\u0645\u200da'],
    ['a joiner between emoji', '\u{1f468}\u200d\u{1f469}'],
    ['a joiner in its place and one that is not', '\u0915\u094d\u200d\u0937 Ac\u200dme'],
  ])('hides something with %s', (_, text) => {
    expect(hasInvisible(text)).toBe(true);
  });

  it.each([
    ['plain letters', 'Acme GmbH & Co. KG'],
    [
      'letters with marks, and several scripts',
      'Žluťoučký \u4e2d\u6587 \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac',
    ],
    ['a no-break space, which has a width', 'Acme\u00a0GmbH'],
    ['a Persian word with a non-joiner', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'],
    ['a Hindi word with a joiner', '\u0915\u094d\u200d\u0937'],
    ['a Sinhala word with a joiner', '\u0dc1\u0dca\u200d\u0dbb\u0dd3'],
    ['a Bengali word with a non-joiner', '\u0995\u09cd\u200c\u09b7'],
  ])('hides nothing with %s', (_, text) => {
    expect(hasInvisible(text)).toBe(false);
  });
});
