/** What a product gives to the page: each option at its limits, and the time that its functions may take. */
import { mock } from 'node:test';
import { afterEach, describe, expect, it } from 'vitest';
import { checkOptions, type AdminOptions, type CheckedOptions } from '../../../../verifier/admin/options.ts';
import { inWords, thrown } from '../../../support/thrown.ts';

const ORIGIN = 'https://vaultdesk.example:8443';
const OPERATOR = { name: 'Ola', session: 's' };

const given = (changes: Partial<Record<keyof AdminOptions, unknown>> = {}): AdminOptions =>
  ({
    origin: ORIGIN,
    authorize: () => OPERATOR,
    stepUp: () => 'digest',
    audit: () => undefined,
    ...changes,
  }) as AdminOptions;

describe('the options of the page', () => {
  it('are those that were given, with the defaults', () => {
    const { origins, stepUpField, bodySeconds, callSeconds, clock, seatsUsed, usedTokens, secret, words } =
      checkOptions(given());
    expect([...origins]).toEqual([ORIGIN]);
    expect({ stepUpField, bodySeconds, callSeconds, seatsUsed, usedTokens, secret }).toEqual({
      stepUpField: 'password',
      bodySeconds: 10,
      callSeconds: 30,
      seatsUsed: undefined,
      usedTokens: undefined,
      secret: undefined,
    });
    expect(words.of('title')).toBe('License');
    expect(Math.abs(clock() - Date.now() / 1000)).toBeLessThan(5);
  });

  it('may be set to other values, up to their limits', () => {
    const secret = new Uint8Array(32);
    const clock = (): number => 5;
    const origin = ['http://a.example', ORIGIN];
    const checked = checkOptions(
      given({ secret, clock, origin, stepUpField: 'code', bodySeconds: 3600, callSeconds: 0.01 }),
    );
    expect(checked).toMatchObject({ secret, clock, stepUpField: 'code', bodySeconds: 3600, callSeconds: 0.01 });
    expect([...checked.origins]).toEqual(origin);
    expect(checkOptions(given({ stepUpField: 'none' })).stepUpField).toBe('none');
    expect(checkOptions(given({ stepUpField: 'password' })).stepUpField).toBe('password');
  });

  const SECONDS = 'should be a number of seconds above 0, at most 3600';
  const ORIGINS = 'is required, and should be like "https://vaultdesk.example:8443", without a path';
  it.each([
    ['authorize', { authorize: undefined }, 'is required, and should be a function'],
    ['stepUp', { stepUp: 'yes' }, 'is required, and should be a function'],
    ['audit', { audit: {} }, 'is required, and should be a function'],
    ['seatsUsed', { seatsUsed: 5 }, 'should be a function'],
    ['clock', { clock: 5 }, 'should be a function'],
    ['stepUpField', { stepUpField: 'pin' }, 'should be "password", "code" or "none"'],
    ['bodySeconds', { bodySeconds: 0 }, SECONDS],
    ['bodySeconds', { bodySeconds: -1 }, SECONDS],
    ['bodySeconds', { bodySeconds: 3600.5 }, SECONDS],
    ['callSeconds', { callSeconds: Number.NaN }, SECONDS],
    ['callSeconds', { callSeconds: Infinity }, SECONDS],
    ['callSeconds', { callSeconds: '5' }, SECONDS],
    ['secret', { secret: new Uint8Array(31) }, 'should be at least 32 bytes'],
    ['secret', { secret: 'x'.repeat(32) }, 'should be at least 32 bytes'],
    ['usedTokens', { usedTokens: {}, secret: new Uint8Array(32) }, 'should have a function use(id, until)'],
    ['usedTokens', { usedTokens: { use: () => true } }, 'has a purpose only with the option secret'],
    ['origin', { origin: undefined }, ORIGINS],
    ['origin', { origin: [] }, ORIGINS],
    ['origin', { origin: [ORIGIN, 'null'] }, ORIGINS],
    ['origin', { origin: ['null', ORIGIN] }, ORIGINS],
    ['origin', { origin: `${ORIGIN}/` }, ORIGINS],
    ['origin', { origin: 'https://' }, ORIGINS],
    ['origin', { origin: 'ftp://a.example' }, ORIGINS],
    ['origin', { origin: 'ftp://https:22' }, ORIGINS],
    ['origin', { origin: Symbol('origin') }, ORIGINS],
  ])('are refused where %s is %j', (field, changes, fault) => {
    const error = thrown(() => checkOptions(given(changes)));
    expect(inWords(error)).toBe(`usage: the option ${field} ${fault}`);
    expect(error.place.field).toBe(field);
  });
});

describe('a function of the product', () => {
  const entry = {} as Parameters<CheckedOptions['audit']>[0];
  const asked = {} as Parameters<CheckedOptions['stepUp']>[0];
  const request = new Request(ORIGIN);
  /** Each function, called as the page calls it. */
  const CALLS: readonly (readonly [string, (options: CheckedOptions) => unknown])[] = [
    ['authorize', ({ authorize }) => authorize(request)],
    ['stepUp', ({ stepUp }) => stepUp(asked)],
    ['audit', ({ audit }) => audit(entry)],
    ['seatsUsed', ({ seatsUsed }) => seatsUsed?.()],
    ['usedTokens', ({ usedTokens }) => usedTokens?.use('id', 5)],
  ];
  const withFunction = (name: string, act: (...args: readonly unknown[]) => unknown): CheckedOptions =>
    checkOptions(
      given({ callSeconds: 2, secret: new Uint8Array(32), [name]: name === 'usedTokens' ? { use: act } : act }),
    );
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  afterEach(() => {
    mock.timers.reset();
  });

  it.each(CALLS)('%s is called with what it needs, and its answer counts', async (name, call) => {
    const got: unknown[] = [];
    const options = withFunction(name, (...args) => {
      got.push(...args);
      return 'answer';
    });
    await turn();
    const before = timers();
    expect(await call(options)).toBe('answer');
    const wanted = { authorize: [request], stepUp: [asked], audit: [entry], seatsUsed: [], usedTokens: ['id', 5] };
    expect(got).toEqual(wanted[name as keyof typeof wanted]);
    expect(timers()).toBe(before);
  });

  it.each(CALLS)('%s that throws, now or later, has failed', async (name, call) => {
    const now = withFunction(name, () => {
      throw new Error('away');
    });
    await expect(call(now)).rejects.toThrow('away');
    await expect(call(withFunction(name, () => Promise.reject(new Error('away'))))).rejects.toThrow('away');
  });

  it.each(CALLS)('%s that does not answer has failed after its seconds, not before', async (name, call) => {
    const options = withFunction(name, () => new Promise(() => undefined));
    mock.timers.enable({ apis: ['setTimeout'] });
    let fault = '';
    const calling = (call(options) as Promise<unknown>).catch((error: unknown) => (fault = String(error)));
    mock.timers.tick(1999);
    await turn();
    expect(fault).toBe('');
    mock.timers.tick(1);
    await calling;
    expect(fault).toBe('Error: no answer within 2 seconds');
  });
});
