/** The licenses and the trusts of generated histories. Their numbers are few and small, so that they meet again. */
import { fromHex } from '../../formats/bytes.ts';
import type { Item } from '../model/walk.ts';
import { DAY, NOW, validDraft, write, type Draft, type DraftTrust, type Written } from './draft.ts';
import { COMPOSITE, ED25519, SECOND, type SigningKey } from './keys.ts';

/** A license of a history. */
export interface HistoryLicense {
  readonly signer: keyof typeof SIGNERS;
  readonly counter: number;
  readonly lineage: keyof typeof LINEAGES;
  /** Days from the beginning of the history. */
  readonly issuedDay: number;
  readonly window: keyof typeof WINDOWS;
  readonly clk: boolean;
  /** Another payload with the same counter. */
  readonly seats: number;
}

export interface HistoryTrust {
  /** `absent`: the trust does not have the key. */
  readonly statuses: Readonly<Record<'first' | 'second', string>>;
  /** Of a revoked key: whether the license with counter 2 of its kind is honored. */
  readonly honors: boolean;
  readonly revokesLicense: boolean;
  readonly lowest: number;
  readonly requireComposite: boolean;
}

const SIGNERS: Readonly<Record<'first' | 'second' | 'composite', SigningKey>> = {
  first: ED25519,
  second: SECOND,
  composite: COMPOSITE,
};

/** Of the keys whose status changes. */
const NAMES = ['first', 'second'] as const;

const LINEAGES: Readonly<Record<'own' | 'deployment' | 'customer', readonly (readonly [Item, Item])[]>> = {
  own: [],
  deployment: [['dep', 'prod-eu']],
  customer: [[2, 'another-gmbh']],
};

/** nbf and exp, in days; grace is that of the product, 14 days. */
const WINDOWS: Readonly<Record<'long' | 'short' | 'later' | 'past', readonly [number, number]>> = {
  long: [-60, 300],
  short: [-60, 3],
  later: [5, 300],
  past: [-60, -30],
};

export const PLAIN: Omit<HistoryLicense, 'counter'> = {
  signer: 'first',
  lineage: 'own',
  issuedDay: 0,
  window: 'long',
  clk: false,
  seats: 250,
};

/** Of the beginning. */
export const TRUST: HistoryTrust = {
  statuses: { first: 'active', second: 'active' },
  honors: false,
  revokesLicense: false,
  lowest: 0,
  requireComposite: false,
};

/** The same license with one thing less that is special. */
export function simplerLicenses(license: HistoryLicense): readonly HistoryLicense[] {
  return Object.entries(PLAIN)
    .filter(([name, value]) => license[name as keyof HistoryLicense] !== value)
    .map(([name, value]) => ({ ...license, [name]: value }));
}

/** The same trust with one thing less that is special. */
export function simplerTrusts(trust: HistoryTrust): readonly HistoryTrust[] {
  const { statuses, honors, revokesLicense, lowest, requireComposite } = TRUST;
  return [
    { ...trust, statuses: { ...trust.statuses, first: statuses.first } },
    { ...trust, statuses: { ...trust.statuses, second: statuses.second } },
    { ...trust, honors },
    { ...trust, revokesLicense },
    { ...trust, lowest },
    { ...trust, requireComposite },
  ].filter((simpler) => JSON.stringify(simpler) !== JSON.stringify(trust));
}

function draftOf({ signer, counter, lineage, issuedDay, window, clk, seats }: HistoryLicense): Draft {
  const draft = validDraft(SIGNERS[signer]);
  const [from, until] = WINDOWS[window];
  const exp = NOW + until * DAY;
  const claims: readonly (readonly [Item, Item])[] = [
    ['ctr', counter],
    [5, NOW + from * DAY],
    [4, exp],
    [6, Math.min(NOW + issuedDay * DAY, exp - 1)],
    [7, licenseId(counter, seats)],
    ['seats', seats],
    ...LINEAGES[lineage],
    ...(clk ? ([['clk', true]] as const) : []),
  ];
  for (const [name, value] of claims) draft.claims.set(name, value);
  return draft;
}

function licenseId(counter: number, seats: number): Uint8Array {
  return fromHex(idText(counter, seats).replaceAll('-', '')) ?? new Uint8Array();
}

function idText(counter: number, seats: number): string {
  return `0193817a-6c00-7000-8000-0000${String(seats).padStart(4, '0')}000${counter}`;
}

const written = new Map<string, Written>();

/** A search writes the same licenses again and again. */
export function writtenOf(one: HistoryLicense): Written {
  const text = JSON.stringify(one);
  const known = written.get(text);
  if (known !== undefined) return known;
  if (written.size > 5000) written.clear();
  const made = write(draftOf(one));
  written.set(text, made);
  return made;
}

/** Whose payload a trust honors. */
export const HONORED: Omit<HistoryLicense, 'signer'> = {
  counter: 2,
  lineage: 'own',
  issuedDay: 0,
  window: 'long',
  clk: false,
  seats: 250,
};

export function draftTrust({ statuses, honors, revokesLicense, lowest, requireComposite }: HistoryTrust): DraftTrust {
  return {
    keys: [
      ...NAMES.filter((name) => statuses[name] !== 'absent').map((name) => ({
        key: SIGNERS[name].publicKey,
        purpose: 'license',
        status: statuses[name],
        ...(honors && statuses[name] === 'revoked'
          ? { honored: [writtenOf({ ...HONORED, signer: name }).record.payloadDigest] }
          : {}),
      })),
      { key: COMPOSITE.publicKey, purpose: 'license', status: 'active' },
    ],
    revokedLicenses: revokesLicense ? [idText(3, 250)] : [],
    lowestCounters:
      lowest === 0 ? new Map<string, number>() : new Map([['example-vendor/vaultdesk/acme-gmbh', lowest]]),
    ...(requireComposite ? { requireComposite } : {}),
  };
}

export function wordsOf({ signer, counter, lineage, issuedDay, window, clk, seats }: HistoryLicense): string {
  return [
    `counter ${counter}`,
    ...(lineage === 'own' ? [] : [lineage === 'deployment' ? 'of another deployment' : 'of another customer']),
    ...(seats === 250 ? [] : ['with another payload']),
    `by the ${signer} key`,
    `issued on day ${issuedDay}`,
    ...(window === 'long' ? [] : [`in force from day ${WINDOWS[window][0]} to ${WINDOWS[window][1]}`]),
    ...(clk ? ['with clk'] : []),
  ].join(', ');
}

export function wordsOfTrust({ statuses, honors, revokesLicense, lowest, requireComposite }: HistoryTrust): string {
  return [
    ...NAMES.map((name) => `the ${name} key ${statuses[name]}`),
    ...(honors ? ['counter 2 honored'] : []),
    ...(revokesLicense ? ['the license with counter 3 revoked'] : []),
    ...(lowest === 0 ? [] : [`lowest counter ${lowest}`]),
    ...(requireComposite ? ['composite required'] : []),
  ].join(', ');
}
