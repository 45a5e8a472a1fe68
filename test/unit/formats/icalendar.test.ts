/** What we write is read back by another library. */
import fc from 'fast-check';
import ICAL from 'ical.js';
import { describe, expect, it } from 'vitest';
import { encodeCalendar, type CalendarEvent } from '../../../formats/icalendar.ts';

const MADE = Date.UTC(2026, 10, 29, 12, 30, 5) / 1000;
const DAY = Date.UTC(2027, 1, 28) / 1000;

function read(bytes: Uint8Array): readonly ICAL.Event[] {
  const parsed: unknown = ICAL.parse(new TextDecoder().decode(bytes));
  return new ICAL.Component(parsed as unknown[]).getAllSubcomponents('vevent').map((each) => new ICAL.Event(each));
}

describe('a calendar file', () => {
  it('has a whole day, texts and a reminder for each event', () => {
    const event = { uid: 'a@b', day: DAY + 86_399, summary: 'Two; or, 3', description: ['x\\y', 'z'], remindDays: 30 };
    const [found] = read(encodeCalendar('name', [event], MADE));
    expect(found?.startDate.toString()).toBe('2027-02-28');
    expect(found?.startDate.isDate).toBe(true);
    expect([found?.uid, found?.summary, found?.description]).toEqual(['a@b', 'Two; or, 3', 'x\\y\nz']);
    const alarm = found?.component.getFirstSubcomponent('valarm');
    expect(alarm?.getFirstPropertyValue('trigger')?.toString()).toBe('-P30D');
    expect(found?.component.getFirstPropertyValue('dtstamp')?.toString()).toBe('2026-11-29T12:30:05Z');
  });

  it('has these lines, and no others', () => {
    const events: readonly CalendarEvent[] = [
      { uid: 'a', day: DAY, summary: 'x', description: [] },
      { uid: 'b', day: DAY, summary: 'y', description: ['one, two'], remindDays: 1 },
    ];
    const lines = new TextDecoder().decode(encodeCalendar('a;b', events, MADE)).split('\r\n');
    expect(lines).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//vtlic//vtlic calendar//EN',
      'METHOD:PUBLISH',
      'X-WR-CALNAME:a\\;b',
      'BEGIN:VEVENT',
      'UID:a',
      'DTSTAMP:20261129T123005Z',
      'DTSTART;VALUE=DATE:20270228',
      'SUMMARY:x',
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'UID:b',
      'DTSTAMP:20261129T123005Z',
      'DTSTART;VALUE=DATE:20270228',
      'SUMMARY:y',
      'DESCRIPTION:one\\, two',
      'TRANSP:TRANSPARENT',
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      'TRIGGER:-P1D',
      'DESCRIPTION:y',
      'END:VALARM',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });

  it.each<[string, string, readonly string[]]>([
    ['of 75 bytes', 'x'.repeat(67), [`SUMMARY:${'x'.repeat(67)}`]],
    ['of 76 bytes', 'x'.repeat(68), [`SUMMARY:${'x'.repeat(67)}`, ' x']],
    ['of 150 bytes', 'x'.repeat(142), [`SUMMARY:${'x'.repeat(67)}`, ` ${'x'.repeat(74)}`, ' x']],
    ['whose character would go over the end', `${'x'.repeat(66)}é`, [`SUMMARY:${'x'.repeat(66)}`, ' é']],
  ])('folds a line %s only where it has to', (_, summary, folded) => {
    const text = new TextDecoder().decode(
      encodeCalendar('n', [{ uid: 'a', day: DAY, summary, description: [] }], MADE),
    );
    const lines = text.split('\r\n');
    const first = lines.findIndex((line) => line.startsWith('SUMMARY'));
    expect(lines.slice(first, lines.indexOf('TRANSP:TRANSPARENT'))).toEqual(folded);
  });

  it('shows the first 8192 characters of a text', () => {
    const summaryOf = (length: number): string =>
      read(encodeCalendar('n', [{ uid: 'a', day: DAY, summary: 'x'.repeat(length), description: [] }], MADE))[0]
        ?.summary ?? '';
    expect([8192, 8193].map(summaryOf)).toEqual(['x'.repeat(8192), `${'x'.repeat(8192)}…`]);
  });

  it('has at most 75 bytes a line, and breaks within no character', () => {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      encodeCalendar('ä'.repeat(200), [{ uid: 'a', day: DAY, summary: '𝄞€'.repeat(90), description: [] }], MADE),
    );
    for (const line of text.split('\r\n')) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
    expect(text.replaceAll('\r\n ', '')).toContain('𝄞€'.repeat(90));
  });

  it('begins no line of its own in a text that has line ends', () => {
    const event: CalendarEvent = { uid: 'a', day: DAY, summary: 'x\r\nEND:VEVENT', description: ['y\nBEGIN:VEVENT'] };
    expect(read(encodeCalendar('\nEND:VCALENDAR', [event], MADE))).toHaveLength(1);
  });

  it('is read back as it was written, for any text', () => {
    const printable = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', ' ', ';', ',', ':', '\\', '"', 'ä', '€', '漢', '𝄞'),
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(printable, fc.array(printable, { maxLength: 4 })), { maxLength: 5 }), (texts) => {
        const events = texts.map(([summary, description], i) => ({ uid: `${i}`, day: DAY, summary, description }));
        const found = read(encodeCalendar('name', events, MADE));
        expect(found.map((each) => [each.summary ?? '', each.description ?? ''])).toEqual(
          texts.map(([summary, description]) => [summary, description.join('\n')]),
        );
      }),
    );
  });
});
