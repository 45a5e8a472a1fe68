/** Batch files for tests. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SiteFixture } from './site-fixture.ts';

export const HEADER =
  'customer,name,product,deployment,tier,seats,from,until,graceDays,features,limits.vaults,reference';

export function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

/** A good row of `HEADER`, with changes by column. */
export function row(customer: string, changes: Readonly<Record<string, string>> = {}): string {
  const values: Record<string, string> = {
    customer,
    name: `"${customer}, Inc."`,
    product: 'vaultdesk',
    deployment: 'prod-eu',
    tier: 'enterprise',
    seats: '250',
    from: day(0),
    until: day(364),
    graceDays: '30',
    features: 'audit-export;sso',
    'limits.vaults': '50',
    reference: 'PO-1',
    ...changes,
  };
  return HEADER.split(',')
    .map((name) => values[name] ?? '')
    .join(',');
}

export function customers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `customer-${String(i).padStart(4, '0')}`);
}

export function csv(rows: readonly string[], header: string = HEADER): string {
  return `${[header, ...rows].join('\n')}\n`;
}

/** Writes a file into the fixture's folder and returns its path. */
export function writeBatch(fixture: SiteFixture, text: string | Uint8Array, name = 'batch.csv'): string {
  const path = join(fixture.folder, name);
  writeFileSync(path, text);
  return path;
}
