/**
 * The license as OpenMetrics text 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), for Prometheus and
 * whatever reads its format. Nothing of the customer is in it: no name, no id, no seats, no path.
 */
import { VtlicError } from '../../formats/error.ts';
import type { LicenseState, LicenseView, LiveLicense } from '../runtime/index.ts';

/** The text, as of now. */
export type Metrics = () => string;

export interface MetricsOptions {
  /** Before each name. Default `vtlic`. */
  readonly prefix?: string;
}

export const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const STATES: readonly LicenseState[] = ['active', 'grace', 'free_tier', 'not_applicable'];

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'stateset';
  readonly unit?: 'seconds';
  readonly help: string;
  /** What follows the name of each sample: labels, and the value. */
  readonly samples: readonly string[];
}

/** @throws VtlicError `usage` for a prefix that no metric can have */
export function licenseMetrics(license: LiveLicense, { prefix = 'vtlic' }: MetricsOptions = {}): Metrics {
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(prefix) || prefix.endsWith('_'))
    throw new VtlicError('usage', 'the option prefix should be lower-case letters, digits and _, from a letter on', {
      field: 'prefix',
    });
  return () => {
    const lines = familiesOf(license.view(), `${prefix}_license`).flatMap(({ name, type, unit, help, samples }) => [
      `# TYPE ${name} ${type}`,
      ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
      `# HELP ${name} ${help}`,
      ...samples.map((sample) => `${name}${sample}`),
    ]);
    return `${[...lines, '# EOF'].join('\n')}\n`;
  };
}

function familiesOf(view: LicenseView, base: string): readonly Family[] {
  const { state, license, waiting, graceUntil, judgedAt, keysetVersion, warnings, refusals } = view;
  const left = (end: number | undefined): string[] =>
    end === undefined || judgedAt === undefined ? [] : [` ${end - judgedAt}`];
  return [
    {
      name: `${base}_expires_in_seconds`,
      type: 'gauge',
      unit: 'seconds',
      help: 'Until the license expires; negative after that. Absent where there is no license.',
      samples: left(license?.until),
    },
    {
      name: `${base}_grace_left_seconds`,
      type: 'gauge',
      unit: 'seconds',
      help: 'Until the grace after the expiry ends; negative after that. Absent where there is no license.',
      samples: left(graceUntil),
    },
    {
      name: `${base}_state`,
      type: 'stateset',
      help: 'What the license gives now.',
      samples: STATES.map((one) => `{${base}_state="${one}"} ${one === state ? 1 : 0}`),
    },
    {
      name: `${base}_lineage_counter`,
      type: 'gauge',
      help: 'The counter of the license; each renewal has a higher one.',
      samples: license === undefined ? [] : [` ${license.counter}`],
    },
    {
      name: `${base}_renewal_waiting`,
      type: 'gauge',
      help: 'Whether a renewal is installed that comes into force by itself.',
      samples: [` ${waiting === undefined ? 0 : 1}`],
    },
    {
      name: `${base}_refused_renewals`,
      type: 'counter',
      help: 'Licenses that the product refused since it started.',
      samples: [`_total ${refusals.count}`],
    },
    {
      name: `${base}_keyset_version`,
      type: 'gauge',
      help: 'The version of the keyset that counts. Absent where the keys are built in.',
      samples: keysetVersion === undefined ? [] : [` ${keysetVersion}`],
    },
    {
      name: `${base}_warning`,
      type: 'gauge',
      help: 'What an operator should know now, by its code.',
      samples: [...new Set(warnings.map(({ code }) => code))].map((code) => `{code="${code}"} 1`),
    },
  ];
}
