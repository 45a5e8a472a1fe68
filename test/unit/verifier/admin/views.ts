/** What a product may say of its license, as plain values, and the parts of a page for a comparison. */
import type { PageFacts } from '../../../../verifier/admin/page.ts';
import { Texts } from '../../../../verifier/admin/texts.ts';
import type { Entitlements, LicenseFacts, LicenseView, Notice } from '../../../../verifier/runtime/index.ts';
import { EXP, NBF } from '../sample.ts';

export const TEXTS: Texts = new Texts();

export const LICENSE: LicenseFacts = Object.freeze({
  id: '0193817a-8c00-7000-8000-000000000001',
  customer: 'acme-gmbh',
  tier: 'enterprise',
  seats: 250,
  features: ['audit-export', 'sso'],
  limits: { vaults: 20 },
  counter: 7,
  from: NBF,
  until: EXP,
});

export const FREE: Entitlements = Object.freeze({
  source: 'free_tier',
  tier: 'free',
  seats: 3,
  features: [],
  limits: { vaults: 1 },
});

export const OLD: Notice = Object.freeze({
  code: 'counter_rolled_back',
  sentence: 'The license is older.',
  remedy: 'Use the newest.',
  detail: 'its counter is 6',
  values: {},
});

const { id: _id, customer: _customer, counter: _counter, from: _from, until: _until, ...granted } = LICENSE;

/** A license in force, with more or other facts. */
export function viewOf(changes: Partial<LicenseView> = {}): LicenseView {
  return {
    state: 'active',
    entitlements: { source: 'license', ...granted },
    license: LICENSE,
    warnings: [],
    place: 'the file /etc/license',
    location: { kind: 'file', path: '/etc/license' },
    judgedAt: NBF,
    refusals: { count: 0 },
    ...changes,
  };
}

/** A product without a license. */
export function freeView(changes: Partial<LicenseView> = {}): LicenseView {
  const { license: _license, ...rest } = viewOf({ state: 'free_tier', entitlements: FREE });
  return { ...rest, ...changes };
}

export function factsOf(view: LicenseView, changes: Partial<PageFacts> = {}): PageFacts {
  return { texts: TEXTS, view, operator: 'Ola', seatsUsed: undefined, ...changes };
}

/** The markup without the style, and without blanks that a browser does not show. */
export function compact(page: string): string {
  return page
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('> <', '><')
    .replaceAll(/ (?=<\/?(?:p|h2|div|section|main|form|ul|dl|tr|table|button|textarea)\b)/g, '')
    .replaceAll(/(<(?:p|div|section|main|form|ul|dl|table)\b[^>]*>) /g, '$1')
    .trim();
}

/** The section with this label, or with this text as its label; undefined where the page has none. */
export function sectionOf(page: string, label: string): string | undefined {
  return compact(page)
    .split(/(?=<section)/)
    .find((part) => part.startsWith(`<section aria-labelledby="${label}"`))
    ?.replace(/<\/section>.*$/, '');
}

/** The pairs of its lists: `Seats: 250`. */
export function linesOf(section: string | undefined): readonly string[] {
  const pairs = (section ?? '').matchAll(/<dt>([^<]*)<\/dt><dd><bdi>([^<]*)<\/bdi><\/dd>/g);
  return [...pairs].map(([, name = '', value = '']) => `${name}: ${value}`);
}
