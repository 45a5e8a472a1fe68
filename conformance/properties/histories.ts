/** Generated histories of one installation, each step with the answer that the model expects. */
import fc from 'fast-check';
import type { Expected, ModelContext } from '../model/expected.ts';
import type { Answer, Request } from '../protocol/protocol.ts';
import { base64, DAY, NOW, wantedOf, wireTrust } from './draft.ts';
import {
  draftTrust,
  HONORED,
  PLAIN,
  simplerLicenses,
  simplerTrusts,
  TRUST,
  wordsOf,
  wordsOfTrust,
  writtenOf,
  type HistoryLicense,
  type HistoryTrust,
} from './history-parts.ts';
import { ModelInstallation } from './installation.ts';

export type HistoryStep =
  | { readonly do: 'install'; readonly license: HistoryLicense }
  /** A day may be a second off. */
  | { readonly do: 'set-time'; readonly day: number; readonly seconds?: number; readonly ranDays?: number }
  | { readonly do: 'restart'; readonly license?: HistoryLicense; readonly day?: number; readonly loseState: boolean }
  | { readonly do: 'rotate'; readonly trust: HistoryTrust };

const CONTEXT: Omit<ModelContext, 'now' | 'clock' | 'seen'> = {
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  defaultGrace: 14 * DAY,
};

const anyLicense: fc.Arbitrary<HistoryLicense> = fc.record({
  signer: fc.oneof(
    { weight: 12, arbitrary: fc.constant<'first'>('first') },
    { weight: 6, arbitrary: fc.constant<'second'>('second') },
    { weight: 1, arbitrary: fc.constant<'composite'>('composite') },
  ),
  counter: fc.integer({ min: 1, max: 5 }),
  lineage: fc.oneof(
    { weight: 6, arbitrary: fc.constant<'own'>('own') },
    { weight: 2, arbitrary: fc.constant<'deployment'>('deployment') },
    { weight: 1, arbitrary: fc.constant<'customer'>('customer') },
  ),
  issuedDay: fc.constantFrom(-40, -20, -10, 0, 4),
  window: fc.oneof(
    { weight: 8, arbitrary: fc.constant<'long'>('long') },
    { weight: 2, arbitrary: fc.constant<'short'>('short') },
    { weight: 1, arbitrary: fc.constant<'later'>('later') },
    { weight: 1, arbitrary: fc.constant<'past'>('past') },
  ),
  clk: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  seats: fc.oneof({ weight: 4, arbitrary: fc.constant(250) }, { weight: 1, arbitrary: fc.constant(9999) }),
});

const license: fc.Arbitrary<HistoryLicense> = fc.oneof(
  { weight: 6, arbitrary: anyLicense },
  // Seldom met by chance: what a trust may honor.
  {
    weight: 1,
    arbitrary: fc.constantFrom<'first' | 'second'>('first', 'second').map((signer) => ({ ...HONORED, signer })),
  },
);

const status = fc.oneof(
  { weight: 3, arbitrary: fc.constant('active') },
  { weight: 1, arbitrary: fc.constant('retired') },
  { weight: 2, arbitrary: fc.constant('revoked') },
  { weight: 1, arbitrary: fc.constant('absent') },
);

const anyTrust: fc.Arbitrary<HistoryTrust> = fc.record({
  statuses: fc.record({ first: status, second: status }),
  honors: fc.boolean(),
  revokesLicense: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  lowest: fc.constantFrom(0, 0, 0, 3),
  requireComposite: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const trust: fc.Arbitrary<HistoryTrust> = fc.oneof(
  { weight: 4, arbitrary: anyTrust },
  // What a vendor does after a theft.
  {
    weight: 1,
    arbitrary: fc.constant({ ...TRUST, statuses: { first: 'revoked', second: 'active' }, honors: true }),
  },
);

const day = fc.constantFrom(0, 1, -100, 4, 10, 20, 400, 4000);

function step(hasFloor: boolean): fc.Arbitrary<HistoryStep> {
  const ran = hasFloor ? { ranDays: fc.constantFrom(0, 1, 2, 4) } : {};
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record<HistoryStep & { do: 'install' }>({ do: fc.constant<'install'>('install'), license }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant<'set-time'>('set-time'), day, ...ran }) as fc.Arbitrary<HistoryStep>,
    },
    {
      weight: 4,
      arbitrary: fc.record(
        {
          do: fc.constant<'restart'>('restart'),
          license,
          day,
          loseState: fc.oneof(
            { weight: 6, arbitrary: fc.constant(false) },
            { weight: 1, arbitrary: fc.constant(true) },
          ),
        },
        { requiredKeys: ['do', 'loseState'] },
      ) as fc.Arbitrary<HistoryStep>,
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant<'rotate'>('rotate'), trust }) },
  );
}

const install = (one: HistoryLicense): HistoryStep => ({ do: 'install', license: one });
const short: HistoryLicense = { ...PLAIN, counter: 1, window: 'short' };

/**
 * runtime.md, "Time": clocks that are about a day ahead of the floor, and runs of about three days, over restarts too.
 * Then the clock is set back, and the end of a license that is put in place shows the floor.
 */
const floors: fc.Arbitrary<readonly HistoryStep[]> = fc
  .array(
    fc.record({
      clock: fc.record<HistoryStep & { do: 'set-time' }>({
        do: fc.constant<'set-time'>('set-time'),
        day: fc.constantFrom(2, 3, 4, 20),
        seconds: fc.constantFrom(-1, 0, 0, 1),
        ranDays: fc.constantFrom(1, 2, 3),
      }),
      restarts: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((steps) => [
    { do: 'set-time', day: 1, ranDays: 4 },
    ...steps.flatMap(({ clock, restarts }): HistoryStep[] =>
      restarts ? [clock, { do: 'restart', loseState: false }] : [clock],
    ),
    { do: 'restart', license: short, day: -20, loseState: false },
  ]);

/** A clock that is far ahead becomes the floor, and a license with `clk` is the way out. */
const wayOut: fc.Arbitrary<readonly HistoryStep[]> = fc
  .record({ first: license, next: license, day })
  .map(({ first, next, day: to }) => [
    install({ ...first, counter: 1 }),
    { do: 'set-time', day: 4000, ranDays: 4 },
    { do: 'set-time', day: 0 },
    install({ ...next, lineage: first.lineage, counter: 2, clk: true }),
    { do: 'set-time', day: to },
  ]);

/** A thief sets the floor by `clk` to a time at which licenses have lapsed, until the key is revoked. */
const byThief: fc.Arbitrary<readonly HistoryStep[]> = fc
  .constantFrom<HistoryLicense['window']>('short', 'long')
  .map((window) => [
    install({ ...PLAIN, counter: 1 }),
    install({ ...PLAIN, counter: 2, issuedDay: 4, clk: true }),
    { do: 'rotate', trust: { ...TRUST, statuses: { first: 'revoked', second: 'active' } } },
    install({ ...PLAIN, signer: 'second', counter: 3, issuedDay: -10, window }),
  ]);

const statusesInTurn = fc.constantFrom<HistoryTrust['statuses']>(
  { first: 'active', second: 'active' },
  { first: 'active', second: 'revoked' },
  { first: 'revoked', second: 'active' },
);

/** Two licenses in turn, of one lineage or two, while the keys that signed them are revoked and come back. */
const inTurn: fc.Arbitrary<readonly HistoryStep[]> = fc
  .record({
    lineage: fc.constantFrom<HistoryLicense['lineage']>('own', 'deployment'),
    counter: fc.constantFrom(1, 1, 2),
    seats: fc.constantFrom(250, 9999),
    issuedDay: fc.constantFrom(-10, 0),
    statuses: fc.array(statusesInTurn, { minLength: 2, maxLength: 4 }),
  })
  .map(({ statuses, seats, ...rest }) => {
    const licenses: readonly HistoryLicense[] = [
      { ...PLAIN, counter: 1, seats },
      { ...PLAIN, ...rest, seats: seats === 250 ? 9999 : 250, signer: 'second' },
    ];
    return statuses.flatMap((one, i): HistoryStep[] => [
      install(licenses[i % 2] ?? { ...PLAIN, counter: 1 }),
      { do: 'rotate', trust: { ...TRUST, statuses: one } },
    ]);
  });

export function generatedHistory(hasFloor: boolean): fc.Arbitrary<readonly HistoryStep[]> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.array(step(hasFloor), { minLength: 1, maxLength: 14, size: 'max' }) },
    { weight: 2, arbitrary: inTurn },
    ...(hasFloor
      ? [
          { weight: 2, arbitrary: floors },
          { weight: 1, arbitrary: wayOut },
          { weight: 1, arbitrary: byThief },
        ]
      : []),
  );
}

/** The same step with one thing less that is special. */
export function simplerSteps(one: HistoryStep): readonly HistoryStep[] {
  switch (one.do) {
    case 'install':
      return simplerLicenses(one.license).map((license) => ({ ...one, license }));
    case 'set-time':
      return [
        ...((one.seconds ?? 0) === 0 ? [] : [{ ...one, seconds: 0 }]),
        ...((one.ranDays ?? 0) === 0 ? [] : [{ ...one, ranDays: 0 }]),
      ];
    case 'restart': {
      const { license, day: to, loseState } = one;
      const rest = { ...(license === undefined ? {} : { license }), ...(to === undefined ? {} : { day: to }) };
      return [
        ...(license === undefined ? [] : [{ do: 'install', license } as const]),
        ...(to === undefined || license === undefined ? [] : [{ do: 'restart', license, loseState } as const]),
        ...(loseState ? [{ do: 'restart', ...rest, loseState: false } as const] : []),
        ...(license === undefined
          ? []
          : simplerLicenses(license).map((simpler) => ({ ...one, license: simpler }) as const)),
      ];
    }
    default:
      return simplerTrusts(one.trust).map((trust) => ({ do: 'rotate', trust }));
  }
}

export interface PreparedStep {
  readonly request: Request;
  readonly expected: Answer;
  readonly words: string;
}

/** The requests of a history with the answers of the model. The first one is `reset`. */
export function prepareHistory(steps: readonly HistoryStep[], hasFloor: boolean): readonly PreparedStep[] {
  const model = new ModelInstallation(draftTrust(TRUST), CONTEXT, NOW, hasFloor);
  const first: PreparedStep = {
    request: { op: 'reset', trust: wireTrust(draftTrust(TRUST)), context: CONTEXT, clock: NOW },
    expected: { verdict: 'none' },
    words: 'a new installation',
  };
  return [first, ...steps.map((one) => prepareStep(one, model))];
}

const OFF: Readonly<Record<string, string>> = { '-1': ', less a second', 1: ' and a second' };

function prepareStep(one: HistoryStep, model: ModelInstallation): PreparedStep {
  switch (one.do) {
    case 'install': {
      const written = writtenOf(one.license);
      return {
        request: { op: 'install', license: base64(written.file) },
        expected: wanted(model.install(written)),
        words: `install ${wordsOf(one.license)}`,
      };
    }
    case 'set-time': {
      const { day: to, seconds = 0, ranDays = 0 } = one;
      const [clock, ran] = [NOW + to * DAY + seconds, ranDays * DAY];
      return {
        request: { op: 'set-time', clock, ...(ran === 0 ? {} : { ran }) },
        expected: wanted(model.setTime(clock, ran)),
        words: `set the clock to day ${to}${OFF[seconds] ?? ''}${ran === 0 ? '' : `, after ${ranDays} days of running`}`,
      };
    }
    case 'restart': {
      const { license: dropped, day: to, loseState } = one;
      const written = dropped === undefined ? undefined : writtenOf(dropped);
      const clock = to === undefined ? {} : { clock: NOW + to * DAY };
      const lost = loseState ? { loseState } : {};
      return {
        request: {
          op: 'restart',
          ...(written === undefined ? {} : { license: base64(written.file) }),
          ...clock,
          ...lost,
        },
        expected: wanted(model.restart({ ...(written === undefined ? {} : { license: written }), ...clock, ...lost })),
        words: [
          'restart',
          ...(loseState ? [' without the state'] : []),
          ...(to === undefined ? [] : [` with the clock on day ${to}`]),
          ...(dropped === undefined ? [] : [` with ${wordsOf(dropped)} in place`]),
        ].join(''),
      };
    }
    default: {
      const next = draftTrust(one.trust);
      return {
        request: { op: 'rotate', trust: wireTrust(next) },
        expected: wanted(model.rotate(next)),
        words: `rotate to ${wordsOfTrust(one.trust)}`,
      };
    }
  }
}

function wanted(expected: Expected | undefined): Answer {
  return expected === undefined ? { verdict: 'none' } : wantedOf(expected);
}
