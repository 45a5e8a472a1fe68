/** A license as lines of a table, and what a license that would be installed changes in them. */
import { formatDay, formatLastDay, isPerpetual } from '../../formats/dates.ts';
import type { LicenseUse } from '../../formats/license/license.ts';
import type { InstallPreview, LicenseFacts, LicenseView } from '../runtime/index.ts';
import type { Texts, TextName } from './texts.ts';

export interface Line {
  /** What the line is about, whatever a translation calls it: two lines may have the same name. */
  readonly key: string;
  readonly name: string;
  readonly value: string;
}

export interface Difference {
  readonly name: string;
  readonly now: string;
  readonly after: string;
  readonly isChanged: boolean;
}

/** What a license grants, one line each. */
export function licenseLines(license: LicenseFacts, graceUntil: number | undefined, texts: Texts): readonly Line[] {
  const { name, customer, deployment, instances, updatesUntil } = license;
  const line = lineIn(texts);
  return [
    line('customer', name === undefined ? customer : `${name} (${customer})`),
    ...(deployment === undefined ? [] : [line('deployment', deployment)]),
    line('tier', license.tier),
    line('use', useText(license.use, texts)),
    line('seats', seatsText(license.seats, texts)),
    ...(instances === undefined ? [] : [line('instances', String(instances))]),
    line('features', featuresText(license.features, texts)),
    ...limitLines(license.limits, texts),
    line('from', formatDay(license.from)),
    line('until', endText(license.until, texts)),
    ...(graceUntil === undefined || graceUntil <= license.until || isPerpetual(license.until)
      ? []
      : [line('grace_until', endText(graceUntil, texts))]),
    line('updates_until', updatesUntil === undefined ? texts.of('updates_all') : endText(updatesUntil, texts)),
    line('counter', String(license.counter)),
    line('license_id', license.id),
  ];
}

export function seatsText(seats: number | 'unlimited', texts: Texts): string {
  return seats === 'unlimited' ? texts.of('seats_unlimited') : String(seats);
}

export function useText(use: LicenseUse | undefined, texts: Texts): string {
  if (use === undefined) return texts.of('use_production');
  return texts.of(use === 'non-production' ? 'use_non_production' : use === 'trial' ? 'use_trial' : 'use_emergency');
}

/** @param end exclusive */
export function endText(end: number, texts: Texts): string {
  return isPerpetual(end) ? texts.of('no_end') : formatLastDay(end, { day: texts.of('until_day'), moment: '' });
}

/** Every line of the two, in the order of the new one; what only the old one has comes last. */
export function differences(view: LicenseView, preview: InstallPreview & { ok: true }, texts: Texts): Difference[] {
  if (preview.license === undefined) {
    const [now, after] = [String(view.keysetVersion ?? ''), String(preview.keysetVersion ?? '')];
    return [{ name: texts.of('keyset_version'), now, after, isChanged: now !== after }];
  }
  const before =
    view.license === undefined ? freeTierLines(view, texts) : licenseLines(view.license, view.graceUntil, texts);
  const after = licenseLines(preview.license, preview.graceUntil, texts);
  const old = new Map(before.map(({ key, value }) => [key, value]));
  const dash = '\u2013';
  const lines = after.map(({ key, name, value }) => {
    const now = old.get(key) ?? dash;
    return { name, now, after: value, isChanged: now !== value };
  });
  const kept = new Set(after.map(({ key }) => key));
  const lost = before.filter(({ key }) => !kept.has(key));
  return [...lines, ...lost.map(({ name, value }) => ({ name, now: value, after: dash, isChanged: true }))];
}

/** What the product gives without a license. */
export function freeTierLines({ entitlements }: LicenseView, texts: Texts): readonly Line[] {
  if (entitlements === undefined) return [];
  const { tier, seats, instances, features, limits } = entitlements;
  const line = lineIn(texts);
  return [
    line('tier', tier),
    line('seats', seatsText(seats, texts)),
    ...(instances === undefined ? [] : [line('instances', String(instances))]),
    line('features', featuresText(features, texts)),
    ...limitLines(limits, texts),
  ];
}

const lineIn =
  (texts: Texts) =>
  (key: TextName, value: string): Line => ({ key, name: texts.of(key), value });

function featuresText(features: readonly string[], texts: Texts): string {
  return features.length === 0 ? texts.of('none') : features.join(', ');
}

function limitLines(limits: Readonly<Record<string, number>>, texts: Texts): readonly Line[] {
  return Object.entries(limits).map(([limit, value]) => ({
    key: `limit ${limit}`,
    name: texts.of('limit', { name: limit }),
    value: String(value),
  }));
}

/** What an operator should think about before the installation. */
export function cautions(
  view: LicenseView,
  { license: next }: InstallPreview & { ok: true },
  seatsUsed: number | 'unknown' | undefined,
  texts: Texts,
): readonly string[] {
  if (next === undefined) return [];
  const { license: now } = view;
  const all: string[] = [];
  if (next.use !== undefined) all.push(texts.of('caution_use', { use: useText(next.use, texts) }));
  if (typeof seatsUsed === 'number' && next.seats !== 'unlimited' && next.seats < seatsUsed)
    all.push(texts.of('caution_seats'));
  if (now === undefined) return all;
  if (next.customer !== now.customer) all.push(texts.of('caution_customer'));
  if (next.deployment !== now.deployment) all.push(texts.of('caution_deployment'));
  if (next.until < now.until) all.push(texts.of('caution_earlier_end'));
  const lost = now.features.filter((feature) => !next.features.includes(feature));
  if (lost.length > 0) all.push(texts.of('caution_features', { features: lost.join(', ') }));
  return all;
}
