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
