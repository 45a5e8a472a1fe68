/** What the runtime says of one case, beside the sentences of the document. */
import { describe, expect, it } from 'vitest';
import { notice, NOTICES, shownError, startRefused } from '../../../../verifier/runtime/notices.ts';

describe('a notice', () => {
  it('has the sentence and the remedy of its code, and a detail that is safe for a terminal', () => {
    const made = notice('file_missing', 'a\u001b[2J', { path: '/license' });
    expect(made).toStrictEqual({
      code: 'file_missing',
      ...NOTICES.file_missing,
      detail: 'a\\u{001B}[2J',
      values: { path: '/license' },
    });
    expect([Object.isFrozen(made), Object.isFrozen(made.values)]).toEqual([true, true]);
    expect(notice('lapsed', 'x'.repeat(5001)).detail).toBe(`${'x'.repeat(5000)}…`);
    expect(notice('lapsed', 'x'.repeat(5000)).detail).toBe('x'.repeat(5000));
  });

  it('with which a start is refused is the cause of the error, and its remedy is the hint', () => {
    const fault = notice('file_missing', 'gone');
    expect(startRefused(fault)).toMatchObject({
      code: 'license_refused',
      message: 'There is no license file, or it cannot be read. (file_missing: gone)',
      hint: NOTICES.file_missing.remedy,
      cause: fault,
    });
  });

  it('of an error has its message, safe for a terminal and bounded, or says that it is unknown', () => {
    expect(shownError(new Error('no\u001b[2J disk'))).toBe('no\\u{001B}[2J disk');
    expect(shownError('a text')).toBe('an unknown error');
    expect(shownError(new Error('x'.repeat(302)))).toBe(`${'x'.repeat(300)}…`);
    expect(shownError(new Error('x'.repeat(300)))).toBe('x'.repeat(300));
  });
});
