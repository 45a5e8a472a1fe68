/** What an operator should know now, by where it comes from. */
import { describe, expect, it } from 'vitest';
import { notice, type Notice, type NoticeCode } from '../../../../verifier/runtime/notices.ts';
import { Warnings } from '../../../../verifier/runtime/warnings.ts';

const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const all = (warnings: Warnings): readonly string[] => warnings.all().map(said);
const FILE = [notice('key_unknown', 'a'), notice('lapsed', 'b'), notice('clock_ahead', 'c')];

describe('the warnings', () => {
  it('are those of the state, of the file and of the moment, in this order, each once', () => {
    const warnings = new Warnings();
    expect(warnings.all()).toEqual([]);
    warnings.setMoment([notice('in_grace', 'm'), notice('key_unknown', 'm')], [notice('keyset_expired', 'k')]);
    warnings.setFile([notice('key_unknown', 'f'), notice('key_unknown', 'f')], false);
    warnings.setState([notice('state_created', 's')]);
    warnings.addState([notice('state_locked', 't'), notice('state_created', 's')]);
    expect(all(warnings)).toEqual([
      'state_created: s',
      'state_locked: t',
      'key_unknown: f',
      'in_grace: m',
      'keyset_expired: k',
    ]);
    warnings.setState([]);
    warnings.setMoment([], []);
    expect(all(warnings)).toEqual(['key_unknown: f']);
  });

  it('about a file have none of the moment, unless the file is of no use, and never one about the clock', () => {
    const warnings = new Warnings();
    warnings.setFile(FILE, false);
    expect(all(warnings)).toEqual(['key_unknown: a']);
    warnings.setFile(FILE, true);
    expect(all(warnings)).toEqual(['key_unknown: a', 'lapsed: b']);
  });

  it.each<NoticeCode>(['in_grace', 'lapsed', 'not_yet_valid', 'renewal_waits', 'kept_license_unusable', 'clock_ahead'])(
    'have %s for the moment only, also where the file was judged with it',
    (code) => {
      const warnings = new Warnings();
      warnings.setFile([notice(code, 'x')], false);
      expect(warnings.all()).toEqual([]);
      warnings.setMoment([notice(code, 'x')], []);
      expect(all(warnings)).toEqual([`${code}: x`]);
      warnings.setMoment([], []);
      expect(warnings.all()).toEqual([]);
    },
  );

  it('since an earlier time are those that were not there', () => {
    const warnings = new Warnings();
    warnings.setState([notice('state_created', 's')]);
    const before = warnings.all();
    expect(warnings.since(before)).toEqual([]);
    warnings.addState([notice('state_created', 't'), notice('state_locked', 's')]);
    expect(warnings.since(before).map(said)).toEqual(['state_created: t', 'state_locked: s']);
  });
});
