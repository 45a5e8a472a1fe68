/** Histories: what a product with state does over several steps. */
import { active } from '../examples/example-trust.ts';
import type { CaseFolder, HistoryCase } from './case.ts';
import { trustValues } from './case-parts.ts';
import { FILES, chain1 } from './history-steps.ts';
import { ENVIRONMENT_ROWS, type Setting } from './history-environment-rows.ts';
import { ROWS, type Row } from './history-rows.ts';
import { TIME_ROWS } from './history-time-rows.ts';

const SECTION: readonly (readonly [id: RegExp, clause: string])[] = [
  [/^rotate|^stolen/, 'keysets.md#K5'],
  [/^clk|^floor-clk/, 'format.md#10.2'],
  [/^floor|^clock/, 'runtime.md#Time'],
  [/^environment/, 'keysets.md#K6'],
  [/^environment-policy/, 'keysets.md#K4'],
  [/^environment/, 'format.md#11.3'],
  [/^other-lineage/, 'format.md#10.1'],
];

export function historyCases(): readonly CaseFolder[] {
  const rows: readonly (readonly [...Row, setting?: Setting])[] = [...ROWS, ...TIME_ROWS, ...ENVIRONMENT_ROWS];
  return rows.map(([id, title, forgets, steps, more, setting]) => {
    const value: HistoryCase = {
      id: `history/${id}`,
      title: `history: ${title}`,
      clause: [
        ...SECTION.filter(([pattern]) => pattern.test(id)).map(([, clause]) => clause),
        'runtime.md#What-follows-from-a-verdict',
      ],
      profile: 'required',
      operation: 'history',
      production: more !== 'not-production',
      ...(more === 'keysets' ? { builtIn: chain1 } : { trust: trustValues({ keys: [active('ed25519')] }) }),
      ...setting,
      context: { issuer: 'example-vendor', product: 'vaultdesk', deployment: 'prod-eu', defaultGrace: 0 },
      steps,
      forgets,
    };
    const names = steps.flatMap((step) => ('license' in step ? [step.license] : 'keyset' in step ? [step.keyset] : []));
    const files = new Map(
      [...names, value.builtIn].flatMap((input) => {
        const bytes = FILES.get(input?.file ?? '');
        return bytes === undefined || input === null || input === undefined ? [] : [[input.file, bytes] as const];
      }),
    );
    return { value, files };
  });
}
