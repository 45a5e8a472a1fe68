/** Changes of the context (sections 9 and 10 of docs/format.md), and of the claims that are compared with it. */
import { fromHex } from '../../../formats/bytes.ts';
import type { ModelContext } from '../../model/expected.ts';
import type { PlainContext } from '../../examples/plain-values.ts';
import { DAY, LINEAGE, NOW, type Draft } from '../draft.ts';
import { each, type Changes } from './change.ts';

const SURROUNDINGS = { of: 'surroundings' } as const;
const HOSTS = ['11'.repeat(32), '22'.repeat(32)];
const OTHER_DIGEST = 'ab'.repeat(32);

/** Claims that bind; the context then has what fits, something else, or nothing. */
const BINDINGS: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['dep, and this deployment', (draft) => ((draft.context.deployment = 'prod-eu'), draft.claims.set('dep', 'prod-eu'))],
  ['dep, and another one', (draft) => ((draft.context.deployment = 'prod-us'), draft.claims.set('dep', 'prod-eu'))],
  [
    'dep, and one that begins like it',
    (draft) => ((draft.context.deployment = 'prod-eu-2'), draft.claims.set('dep', 'prod-eu')),
  ],
  [
    'dep, and one with which it begins',
    (draft) => ((draft.context.deployment = 'prod'), draft.claims.set('dep', 'prod-eu')),
  ],
  [
    'dep, and one in another case',
    (draft) => ((draft.context.deployment = 'Prod-EU'), draft.claims.set('dep', 'prod-eu')),
  ],
  [
    'dep, and a lowest counter of the lineage without it',
    (draft) => (
      (draft.context.deployment = 'prod-eu'),
      draft.claims.set('dep', 'prod-eu'),
      draft.trust.lowestCounters.set(LINEAGE, 9)
    ),
  ],
  ['dep, and no deployment', (draft) => draft.claims.set('dep', 'prod-eu')],
  ['hosts, and this host', (draft) => ((draft.context.hosts = HOSTS.slice(1)), bindHosts(draft))],
  [
    'hosts, and a second fingerprint that fits',
    (draft) => ((draft.context.hosts = ['33'.repeat(32), HOSTS[0] ?? '']), bindHosts(draft)),
  ],
  ['hosts, and another host', (draft) => ((draft.context.hosts = ['33'.repeat(32)]), bindHosts(draft))],
  ['hosts, and an empty list', (draft) => ((draft.context.hosts = []), bindHosts(draft))],
  ['hosts, and no fingerprint', (draft) => bindHosts(draft)],
  ['upd, and a build a second before', (draft) => ((draft.context.buildDate = NOW - 1), draft.claims.set('upd', NOW))],
  ['upd, and a build date of 0', (draft) => ((draft.context.buildDate = 0), draft.claims.set('upd', NOW))],
  ['upd, and a build of that second', (draft) => ((draft.context.buildDate = NOW), draft.claims.set('upd', NOW))],
  ['upd, and a later build', (draft) => ((draft.context.buildDate = NOW + DAY), draft.claims.set('upd', NOW))],
  ['upd, and no build date', (draft) => draft.claims.set('upd', NOW + DAY)],
];

function bindHosts(draft: Draft): void {
  draft.claims.set(
    'hosts',
    HOSTS.map((host) => fromHex(host) ?? new Uint8Array()),
  );
}

const LAST_TIME = 253_402_300_799;
const clampTime = (time: number): number => Math.min(Math.max(time, 0), LAST_TIME);
const number = (draft: Draft, claim: 4 | 5 | 6 | 'ctr'): number => {
  const value = draft.claims.get(claim);
  return typeof value === 'number' && value >= 0 ? value : 0;
};
const at = (draft: Draft, now: number): void => {
  draft.context.now = clampTime(now);
};
const graceOf = (draft: Draft): number => {
  const grace = draft.claims.get('grace');
  return typeof grace === 'number' && grace >= 0 ? grace : draft.context.defaultGrace;
};

const TIMES: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['a second before nbf', (draft) => at(draft, number(draft, 5) - 1)],
  ['at nbf', (draft) => at(draft, number(draft, 5))],
  ['a second before exp', (draft) => at(draft, number(draft, 4) - 1)],
  ['at exp', (draft) => at(draft, number(draft, 4))],
  ['a second before the end of grace', (draft) => at(draft, number(draft, 4) + graceOf(draft) - 1)],
  ['at the end of grace', (draft) => at(draft, number(draft, 4) + graceOf(draft))],
  ['long after', (draft) => at(draft, number(draft, 4) + 4000 * DAY)],
  ['at 0', (draft) => at(draft, 0)],
];

/** What was accepted before. */
const SEEN: readonly (readonly [string, (draft: Draft) => NonNullable<ModelContext['seen']>])[] = [
  ['a lower counter', (draft) => seen(draft, number(draft, 'ctr') - 1, OTHER_DIGEST)],
  ['a higher counter', (draft) => seen(draft, number(draft, 'ctr') + 1, OTHER_DIGEST)],
  ['this license', (draft) => seen(draft, number(draft, 'ctr'), draft.signed?.payloadDigest ?? OTHER_DIGEST)],
  ['another payload with this counter', (draft) => seen(draft, number(draft, 'ctr'), OTHER_DIGEST)],
  ['another lineage, longer ago', (draft) => other(draft, number(draft, 6) - 1, {})],
  ['another lineage, in the same second', (draft) => other(draft, number(draft, 6), {})],
  ['another lineage, later', (draft) => other(draft, number(draft, 6) + 1, {})],
  ['another lineage, and in this one a lower counter', (draft) => other(draft, number(draft, 6) - 1, { by: -1 })],
  ['another lineage, and in this one a higher counter', (draft) => other(draft, number(draft, 6) - 1, { by: 1 })],
  ['another lineage, and in this one another payload', (draft) => other(draft, number(draft, 6) - 1, { by: 0 })],
  [
    'another lineage that differs only in case',
    (draft) => other(draft, number(draft, 6), {}, lineageOf(draft).toUpperCase()),
  ],
  [
    'a later iat, in this lineage',
    (draft) => ({
      ...seen(draft, number(draft, 'ctr') - 1, OTHER_DIGEST),
      highestIat: clampTime(number(draft, 6) + DAY),
    }),
  ],
];

function seen(draft: Draft, counter: number, payloadDigest: string): NonNullable<ModelContext['seen']> {
  return {
    current: lineageOf(draft),
    highestIat: clampTime(number(draft, 6)),
    lineages: new Map([[lineageOf(draft), { counter: clampCounter(counter), payloadDigest }]]),
  };
}

function other(
  draft: Draft,
  highestIat: number,
  { by }: { by?: number },
  current = 'example-vendor/vaultdesk/another',
): NonNullable<ModelContext['seen']> {
  const lineages = new Map([[current, { counter: 900, payloadDigest: OTHER_DIGEST }]]);
  if (by !== undefined)
    lineages.set(lineageOf(draft), { counter: clampCounter(number(draft, 'ctr') + by), payloadDigest: OTHER_DIGEST });
  return { current, highestIat: clampTime(highestIat), lineages };
}

const clampCounter = (counter: number): number => Math.min(Math.max(counter, 1), Number.MAX_SAFE_INTEGER);

/** The lineage of the claims, where they have one. */
function lineageOf({ claims }: Draft): string {
  const dep = claims.get('dep');
  const parts = [claims.get(1), claims.get(3), claims.get(2), ...(dep === undefined ? [] : [dep])];
  return parts.every(
    (part) => typeof part === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(part) && !part.endsWith('\n'),
  )
    ? (parts as string[]).join('/')
    : LINEAGE;
}

/** A claim of time, and what shows whether it counts. */
const OWN_TIMES: readonly (readonly [string, claim: 4 | 6 | 'grace', value: number, (draft: Draft) => void])[] = [
  ['a longer grace than that of the product, at its last second', 'grace', 30 * DAY, (draft) => atGrace(draft, -1)],
  ['a shorter grace than that of the product, at its end', 'grace', 2 * DAY, (draft) => atGrace(draft, 0)],
  ['no grace of its own, at exp', 'grace', 0, (draft) => at(draft, number(draft, 4))],
  ['the last time as exp, a second before it', 4, LAST_TIME, (draft) => at(draft, LAST_TIME - 1)],
  ['the iat 0, and another lineage with it', 6, 0, (draft) => (draft.context.seen = other(draft, 0, {}))],
  ['the last time as exp, at this time', 4, LAST_TIME, (draft) => at(draft, LAST_TIME)],
];

function atGrace(draft: Draft, seconds: number): void {
  at(draft, number(draft, 4) + graceOf(draft) + seconds);
}

/** `clk` with a clock that the effective time is ahead of. */
const CLOCKS: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['and a newer license than was accepted', (draft) => clk(draft, true)],
  ['and nothing was accepted', (draft) => clk(draft, false)],
  [
    'and a clock before its iat',
    (draft) => (clk(draft, true), (draft.context.clock = clampTime(number(draft, 6) - DAY))),
  ],
  ['and a clock that shows 0', (draft) => (clk(draft, true), (draft.context.clock = 0))],
  [
    'and an effective time before its iat',
    (draft) => (clk(draft, true), at(draft, number(draft, 6) - DAY), (draft.context.clock = draft.context.now)),
  ],
  [
    'and another lineage before it',
    (draft) => (clk(draft, false), (draft.context.seen = other(draft, number(draft, 6) - 1, {}))),
  ],
  [
    'and another lineage before it, and in this one a lower counter',
    (draft) => (clk(draft, false), (draft.context.seen = other(draft, number(draft, 6) - 1, { by: -1 }))),
  ],
  ['and no clock', (draft) => (clk(draft, true), delete draft.context.clock)],
  [
    'and the same license again',
    (draft) => (
      clk(draft, true),
      (draft.context.seen = seen(draft, number(draft, 'ctr'), draft.signed?.payloadDigest ?? OTHER_DIGEST))
    ),
  ],
];

function clk(draft: Draft, isNewer: boolean): void {
  at(draft, number(draft, 4) + 4000 * DAY);
  draft.context.clock = NOW;
  if (isNewer) draft.context.seen = seen(draft, number(draft, 'ctr') - 1, OTHER_DIGEST);
}

/** Section 9: misuse, never a verdict. */
const MISUSE: readonly (readonly [string, (context: PlainContext) => PlainContext])[] = [
  ['an issuer that is no id', (context) => ({ ...context, issuer: 'example vendor' })],
  ['a product that is no id', (context) => ({ ...context, product: '' })],
  ['a deployment that is no id', (context) => ({ ...context, deployment: 'prod/eu' })],
  ['an issuer with a line feed at its end', (context) => ({ ...context, issuer: `${context.issuer}\n` })],
  ['a product with a line feed at its end', (context) => ({ ...context, product: `${context.product}\n` })],
  ['a deployment with a line feed at its end', (context) => ({ ...context, deployment: 'prod-eu\n' })],
  ['a fingerprint with a line feed at its end', (context) => ({ ...context, hosts: [`${'11'.repeat(32)}\n`] })],
  [
    'a lineage with a line feed at its end',
    (context) => withSeen(context, { [LINEAGE]: known, [`${LINEAGE}\n`]: known }, LINEAGE),
  ],
  ['a time in milliseconds', (context) => ({ ...context, now: context.now * 1000 })],
  ['a time before 1970', (context) => ({ ...context, now: -1 })],
  ['a build date in milliseconds', (context) => ({ ...context, buildDate: NOW * 1000 })],
  ['a clock in milliseconds', (context) => ({ ...context, clock: NOW * 1000 })],
  ['a default grace of 367 days', (context) => ({ ...context, defaultGrace: 367 * DAY })],
  ['a default grace below 0', (context) => ({ ...context, defaultGrace: -1 })],
  ['a fingerprint of 31 bytes', (context) => ({ ...context, hosts: ['11'.repeat(31)] })],
  ['a fingerprint in capitals', (context) => ({ ...context, hosts: ['AB'.repeat(32)] })],
  ['a current lineage that is not among the lineages', (context) => withSeen(context, {}, LINEAGE)],
  ['a lineage that is none', (context) => withSeen(context, { acme: known }, 'acme')],
  ['a counter of 0', (context) => withSeen(context, { [LINEAGE]: { ...known, counter: 0 } }, LINEAGE)],
  ['a counter of 2^53', (context) => withSeen(context, { [LINEAGE]: { ...known, counter: 2 ** 53 } }, LINEAGE)],
  ['a highest iat in milliseconds', (context) => withSeen(context, { [LINEAGE]: known }, LINEAGE, NOW * 1000)],
  ['a highest iat below 0', (context) => withSeen(context, { [LINEAGE]: known }, LINEAGE, -1)],
  ['a second fingerprint of 31 bytes', (context) => ({ ...context, hosts: [OTHER_DIGEST, '11'.repeat(31)] })],
  ['a digest that is none', (context) => withSeen(context, { [LINEAGE]: { ...known, payloadDigest: '' } }, LINEAGE)],
];

const known = { counter: 1, payloadDigest: OTHER_DIGEST };

function withSeen(
  context: PlainContext,
  lineages: NonNullable<PlainContext['seen']>['lineages'],
  current: string,
  highestIat = 0,
): PlainContext {
  return { ...context, seen: { current, highestIat, lineages } };
}

const VARIANTS: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['another issuer', (draft) => (draft.context.issuer = 'other-vendor')],
  ['the issuer in another case', (draft) => (draft.context.issuer = 'Example-Vendor')],
  ['an issuer that begins like it', (draft) => (draft.context.issuer = 'example-vendor-2')],
  ['an issuer with which it begins', (draft) => (draft.context.issuer = 'example')],
  ['an issuer of the same length', (draft) => (draft.context.issuer = 'example-vendos')],
  ['the product in another case', (draft) => (draft.context.product = 'VaultDesk')],
  ['a product with which it begins', (draft) => (draft.context.product = 'vault')],
  ['another product', (draft) => (draft.context.product = 'vaultdesk-2')],
  ['a default grace of 0', (draft) => (draft.context.defaultGrace = 0)],
  ['a deployment', (draft) => (draft.context.deployment = 'prod-eu')],
  ['a host', (draft) => (draft.context.hosts = ['33'.repeat(32)])],
  ['a build date', (draft) => (draft.context.buildDate = NOW)],
  ['a clock', (draft) => (draft.context.clock = NOW - 365 * DAY)],
];

export const CONTEXT_CHANGES: readonly Changes[] = [
  each('the claim', BINDINGS, (draft, edit) => edit(draft)),
  each('judged', TIMES, (draft, edit) => edit(draft), SURROUNDINGS),
  each(
    'judged where before it was accepted',
    SEEN,
    (draft, edit) => {
      draft.context.seen = edit(draft);
    },
    SURROUNDINGS,
  ),
  each(
    'with clk',
    CLOCKS,
    (draft, edit) => {
      if (draft.signed === undefined) draft.claims.set('clk', true);
      else edit(draft);
    },
    { of: 'both' },
  ),
  each(
    'with',
    OWN_TIMES.map(([words, ...rest]) => [words, rest] as const),
    (draft, [claim, value, edit]) => {
      if (draft.signed === undefined) draft.claims.set(claim, value);
      else edit(draft);
    },
    { of: 'both' },
  ),
  each(
    'a context with',
    MISUSE,
    (draft, edit) => {
      draft.forced ??= { verdict: 'misuse', edit: (trust, context) => ({ trust, context: edit(context) }) };
    },
    SURROUNDINGS,
  ),
  each('judged by a context with', VARIANTS, (draft, edit) => edit(draft), SURROUNDINGS),
];
