/** The text of the metrics, exactly as a monitoring system gets it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseMetrics } from '../../../../verifier/admin/metrics.ts';
import type { LicenseView, LiveLicense } from '../../../../verifier/runtime/index.ts';
import { inWords, thrown } from '../../../support/thrown.ts';
import { Product } from '../runtime/product.ts';
import { EXP, NBF } from '../sample.ts';
import { LICENSE, OLD, viewOf } from './views.ts';

let product: Product;
let license: LiveLicense;
beforeEach(async () => {
  product = new Product();
  product.keepStateInMemory();
  await product.dropLicense();
  license = await product.start();
});
afterEach(() => product.remove());

/** The metrics of the same license, were it in another state. */
const metricsOf = (view: LicenseView, prefix?: string): string =>
  licenseMetrics({ ...license, view: () => view }, prefix === undefined ? {} : { prefix })();

const samplesOf = (text: string): readonly string[] => text.split('\n').filter((line) => /^[a-z]/.test(line));

describe('the metrics of a license', () => {
  it('are families of OpenMetrics, each with its type, its unit, its help and its samples', () => {
    const view = viewOf({
      graceUntil: EXP + 5,
      judgedAt: NBF,
      keysetVersion: 3,
      waiting: LICENSE,
      warnings: [OLD, { ...OLD, code: 'lapsed' }, OLD],
      refusals: { count: 2 },
    });
    expect(metricsOf(view, 'a')).toBe(
      [
        '# TYPE a_license_expires_in_seconds gauge',
        '# UNIT a_license_expires_in_seconds seconds',
        '# HELP a_license_expires_in_seconds Until the license expires; negative after that. ' +
          'Absent where there is no license.',
        'a_license_expires_in_seconds 31536000',
        '# TYPE a_license_grace_left_seconds gauge',
        '# UNIT a_license_grace_left_seconds seconds',
        '# HELP a_license_grace_left_seconds Until the grace after the expiry ends; negative after that. ' +
          'Absent where there is no license.',
        'a_license_grace_left_seconds 31536005',
        '# TYPE a_license_state stateset',
        '# HELP a_license_state What the license gives now.',
        'a_license_state{a_license_state="active"} 1',
        'a_license_state{a_license_state="grace"} 0',
        'a_license_state{a_license_state="free_tier"} 0',
        'a_license_state{a_license_state="not_applicable"} 0',
        '# TYPE a_license_lineage_counter gauge',
        '# HELP a_license_lineage_counter The counter of the license; each renewal has a higher one.',
        'a_license_lineage_counter 7',
        '# TYPE a_license_renewal_waiting gauge',
        '# HELP a_license_renewal_waiting Whether a renewal is installed that comes into force by itself.',
        'a_license_renewal_waiting 1',
        '# TYPE a_license_refused_renewals counter',
        '# HELP a_license_refused_renewals Licenses that the product refused since it started.',
        'a_license_refused_renewals_total 2',
        '# TYPE a_license_keyset_version gauge',
        '# HELP a_license_keyset_version The version of the keyset that counts. Absent where the keys are built in.',
        'a_license_keyset_version 3',
        '# TYPE a_license_warning gauge',
        '# HELP a_license_warning What an operator should know now, by its code.',
        'a_license_warning{code="counter_rolled_back"} 1',
        'a_license_warning{code="lapsed"} 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['no license', { license: undefined, state: 'free_tier' }, ['state', 'renewal', 'refused']],
    ['no time', { judgedAt: undefined, graceUntil: EXP }, ['state', 'lineage', 'renewal', 'refused']],
    ['no grace', {}, ['expires', 'state', 'lineage', 'renewal', 'refused']],
  ] as const)('leave out the samples that there are not: %s', (_what, changes, families) => {
    const text = metricsOf({ ...viewOf(), ...changes } as LicenseView);
    const found = samplesOf(text).map((line) => line.replace(/^vtlic_license_([a-z]+).*/, '$1'));
    expect([...new Set(found)]).toEqual(families);
    expect(text.match(/^# TYPE/gm)).toHaveLength(8);
  });

  it('go below zero once the time is over, and say that nothing waits', () => {
    const text = metricsOf(viewOf({ judgedAt: EXP + 60, graceUntil: EXP + 40, state: 'grace' }));
    expect(samplesOf(text)).toEqual([
      'vtlic_license_expires_in_seconds -60',
      'vtlic_license_grace_left_seconds -20',
      'vtlic_license_state{vtlic_license_state="active"} 0',
      'vtlic_license_state{vtlic_license_state="grace"} 1',
      'vtlic_license_state{vtlic_license_state="free_tier"} 0',
      'vtlic_license_state{vtlic_license_state="not_applicable"} 0',
      'vtlic_license_lineage_counter 7',
      'vtlic_license_renewal_waiting 0',
      'vtlic_license_refused_renewals_total 0',
    ]);
  });
});

describe('the prefix of the metrics', () => {
  it.each(['a', 'vault_desk2', 'a'.repeat(51)])('may be %s', (prefix) => {
    expect(metricsOf(viewOf(), prefix)).toContain(`\n${prefix}_license_lineage_counter 7\n`);
  });

  it.each(['', 'Vaultdesk', '9lives', '_a', 'a-b', 'a b', 'vault_', 'a'.repeat(52)])('may not be %j', (prefix) => {
    const error = thrown(() => licenseMetrics(license, { prefix }));
    expect(inWords(error)).toBe(
      'usage: the option prefix should be lower-case letters, digits and _, from a letter on',
    );
    expect(error.place.field).toBe('prefix');
  });
});
