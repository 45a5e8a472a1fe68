/** A calendar as a file (RFC 5545): whole days with a text, which any calendar program imports. */
import { utf8 } from './bytes.ts';
import { cleanText } from './clean-text.ts';

export interface CalendarEvent {
  /** The same for the same event in a later file, so that a program replaces it. ASCII, without blanks. */
  readonly uid: string;
  /** Any second of the day in UTC, since 1970. */
  readonly day: number;
  /** One line. */
  readonly summary: string;
  /** Lines. */
  readonly description: readonly string[];
  /** A reminder so many days before. */
  readonly remindDays?: number;
}

/** RFC 5545 §3.1: a line has at most 75 bytes before its CRLF, and a longer one goes on after CRLF and a blank. */
const LINE_BYTES = 75;
const MAX_TEXT = 8192;

/**
 * @param events their order is kept
 * @param made seconds since 1970, the DTSTAMP of every event
 */
export function encodeCalendar(name: string, events: readonly CalendarEvent[], made: number): Uint8Array {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//vtlic//vtlic calendar//EN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${escaped(name)}`,
    ...events.flatMap((event) => eventLines(event, made)),
    'END:VCALENDAR',
  ];
  return utf8(lines.map((line) => `${folded(line)}\r\n`).join(''));
}

function eventLines({ uid, day, summary, description, remindDays }: CalendarEvent, made: number): readonly string[] {
  const text = escaped(summary);
  return [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${basic(made)}Z`,
    `DTSTART;VALUE=DATE:${basic(day).slice(0, 8)}`,
    `SUMMARY:${text}`,
    ...(description.length === 0 ? [] : [`DESCRIPTION:${description.map(escaped).join('\\n')}`]),
    'TRANSP:TRANSPARENT',
    ...(remindDays === undefined
      ? []
      : ['BEGIN:VALARM', 'ACTION:DISPLAY', `TRIGGER:-P${remindDays}D`, `DESCRIPTION:${text}`, 'END:VALARM']),
    'END:VEVENT',
  ];
}

/** `20271130T120000`, in UTC. */
function basic(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
}

/** RFC 5545 §3.3.11. */
function escaped(text: string): string {
  return cleanText(text, MAX_TEXT).replaceAll(/[\\;,]/g, '\\$&');
}

/** Breaks between characters, never within the bytes of one. */
function folded(line: string): string {
  let out = '';
  let bytes = 0;
  for (const character of line) {
    const length = utf8(character).length;
    if (bytes + length > LINE_BYTES) {
      out += '\r\n ';
      bytes = 1;
    }
    out += character;
    bytes += length;
  }
  return out;
}
