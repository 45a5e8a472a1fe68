/** What a translation may replace, what is wrong with one, and how values are filled in. */
import { describe, expect, it } from 'vitest';
import { ADMIN_TEXTS, momentText, Texts, type Translation } from '../../../../verifier/admin/texts.ts';
import { NOTICES } from '../../../../verifier/runtime/index.ts';
import { inWords, thrown } from '../../../support/thrown.ts';
import { NBF } from '../sample.ts';
import { OLD, TEXTS } from './views.ts';

describe('a text of the page', () => {
  it('is the English one, or the one of the translation', () => {
    const texts = new Texts({ texts: { title: 'Lizenz' } });
    expect([texts.of('title'), texts.of('none')]).toEqual(['Lizenz', 'none']);
    expect(Object.isFrozen(ADMIN_TEXTS)).toBe(true);
  });

  it('has its values filled in, each once, and no others', () => {
    expect(TEXTS.of('seats_used', { sold: '{used}', used: 3 })).toBe('{used} sold, 3 used');
    expect(TEXTS.of('days_left')).toBe('Days until it expires: {days}');
    expect(new Texts({ texts: { title: '{toString} {a}' } }).of('title', { a: 1 })).toBe('{toString} 1');
  });

  it('shows a moment to the second, in UTC', () => {
    expect(momentText(NBF + 3661)).toBe('2027-01-01 01:01:01 UTC');
  });
});

describe('a translation', () => {
  it.each(['de', 'pt-BR', 'zh-Hant-TW', 'abcdefgh', 'de-1', 'de-12345678', 'DE'])(
    'may be in the language %s',
    (language) => {
      expect(new Texts({ texts: { language } }).of('language')).toBe(language);
    },
  );

  it.each(['d', 'abcdefghi', 'de-', 'de-123456789', '-de', 'de_DE', '1de', ' de', 'de--DE', 'de-DE '])(
    'may not be in the language %j',
    (language) => {
      const error = thrown(() => new Texts({ texts: { language } }));
      expect(inWords(error)).toBe('usage: texts.language should be a language tag, such as "de" or "pt-BR"');
      expect(error.place.field).toBe('texts.language');
    },
  );

  it.each(['ltr', 'rtl'])('may run in the direction %s', (direction) => {
    expect(new Texts({ texts: { direction } }).of('direction')).toBe(direction);
  });

  const words = { sentence: 'a', remedy: 'b' };
  it.each([
    ['texts.direction should be "ltr" or "rtl"', { texts: { direction: 'up' } }],
    ['texts.titel is not text of this page (ADMIN_TEXTS has all)', { texts: { titel: 'a' } }],
    ['texts.constructor is not text of this page (ADMIN_TEXTS has all)', { texts: { constructor: 'a' } }],
    ['texts.title should be a text', { texts: { title: 5 } }],
    ['texts.title should be a text', { texts: { title: '' } }],
    ['texts.title should be a text', { texts: { title: undefined } }],
    ['texts.signed_in_as should contain {operator}', { texts: { signed_in_as: 'Ola' } }],
    ['texts.seats_used should contain {sold} and {used}', { texts: { seats_used: 'sold and used' } }],
    ['texts.seats_used should contain {used}', { texts: { seats_used: '{sold}' } }],
    ['notices.expired is not a known code', { notices: { expired: words } }],
    ['notices.constructor is not a known code', { notices: { constructor: words } }],
    ['repairs.mojibake is not a known code', { repairs: { mojibake: 'a' } }],
  ])('is refused: %s', (fault, translation) => {
    const error = thrown(() => new Texts(translation as Translation));
    expect([inWords(error), error.place.field]).toEqual([`usage: ${fault}`, fault.split(' ')[0]]);
  });

  it('has the repairs that it does not translate in English', () => {
    const texts = new Texts({ repairs: { html: 'aus HTML' } });
    expect([texts.repair('html'), texts.repair('blanks')]).toEqual([
      'aus HTML',
      'blanks that a mail or a web page puts into text (indents, non-breaking blanks) were taken away',
    ]);
  });
});

describe('a notice', () => {
  const notice = { ...OLD, values: { counter: 6, accepted: 7, until: NBF } };

  it('is in English where it is not translated, with its detail', () => {
    const { sentence, remedy } = NOTICES.counter_rolled_back;
    const english = { sentence, remedy, detail: 'its counter is 6', isEnglish: true };
    expect(TEXTS.notice(notice)).toEqual(english);
    expect(new Texts({ notices: { lapsed: { sentence: 'a', remedy: 'b' } } }).notice(notice)).toEqual(english);
  });

  it('has its values in the translated sentences, with times as moments', () => {
    const notices = { counter_rolled_back: { sentence: '{counter} < {accepted}', remedy: '{until} {none}' } };
    expect(new Texts({ notices }).notice(notice)).toEqual({
      sentence: '6 < 7',
      remedy: '2027-01-01 00:00:00 UTC {none}',
      detail: 'its counter is 6',
      isEnglish: true,
    });
  });

  it('may have a detail of the translation, also an empty one', () => {
    for (const [detail, shown] of [
      ['bis {until}', 'bis 2027-01-01 00:00:00 UTC'],
      ['', ''],
    ] as const) {
      const notices = { counter_rolled_back: { sentence: 'a', remedy: 'b', detail } };
      expect(new Texts({ notices }).notice(notice)).toEqual({
        sentence: 'a',
        remedy: 'b',
        detail: shown,
        isEnglish: false,
      });
    }
  });

  it('may be translated by a function of its values, which gets times as numbers', () => {
    const texts = new Texts({
      notices: {
        counter_rolled_back: ({ until, counter }) => ({ sentence: `${until}`, remedy: `{counter} ${counter}` }),
      },
    });
    expect(texts.notice(notice)).toEqual({
      sentence: String(NBF),
      remedy: '6 6',
      detail: 'its counter is 6',
      isEnglish: true,
    });
  });

  it('does not change with the table that the translation came in', () => {
    const table = { counter_rolled_back: { sentence: 'a', remedy: 'b' } };
    const texts = new Texts({ notices: table });
    table.counter_rolled_back = { sentence: 'c', remedy: 'd' };
    expect(texts.notice(notice).sentence).toBe('a');
  });
});
