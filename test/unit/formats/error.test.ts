import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../formats/error.ts';

describe('an error', () => {
  it('has its code, its words, its place and its hint', () => {
    const error = new VtlicError('request_invalid', 'a date was expected', {
      field: 'until',
      line: 3,
      hint: 'give one',
    });
    expect(error).toMatchObject({ name: 'VtlicError', code: 'request_invalid', message: 'a date was expected' });
    expect([error.place, error.hint]).toEqual([{ field: 'until', line: 3 }, 'give one']);
    expect(Object.isFrozen(error.place)).toBe(true);
  });

  it('has a cause only where there is one', () => {
    const cause = new Error('because');
    expect(new VtlicError('internal', 'x', { cause }).cause).toBe(cause);
    expect(Object.hasOwn(new VtlicError('internal', 'x'), 'cause')).toBe(false);
  });

  it('gets more of its place, and keeps what it knew itself', () => {
    const cause = new Error('because');
    const inner = new VtlicError('json_malformed', 'x', { field: 'inner', offset: 7, hint: 'give one', cause });
    const outer = inner.at({ file: 'a.json', field: 'outer' });
    expect(outer).toMatchObject({ code: 'json_malformed', message: 'x', hint: 'give one', cause });
    expect(outer.place).toEqual({ file: 'a.json', field: 'inner', offset: 7 });
    expect(new VtlicError('internal', 'x').at({ line: 1 })).toMatchObject({ place: { line: 1 }, hint: undefined });
  });
});
