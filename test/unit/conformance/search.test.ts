import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answering, readTrust, REFERENCE } from '../../../conformance/harness/reference/answer.ts';
import { STATEFUL_MUTANTS } from '../../../conformance/properties/stateful-mutants.ts';
import { everyChange } from '../../../conformance/properties/licenses.ts';
import {
  searchHistories,
  searchLicenses,
  type Ask,
  type SearchOptions,
} from '../../../conformance/properties/search.ts';
import type { Answer, Request } from '../../../conformance/protocol/protocol.ts';
import { schemaFaults } from '../../support/json-schema.ts';
import { ROOT } from '../../support/run-cli.ts';

const OPTIONS: SearchOptions = {
  seed: 1,
  milliseconds: 60_000,
  maxRuns: 3000,
  maxFindings: 1,
  hasFloor: true,
  progress: () => undefined,
  expectable: (expected) => expected,
};

const asking =
  (answer: (request: Request) => Answer): Ask =>
  (request) =>
    Promise.resolve({ ok: true, value: answer(request) });

describe('a search by generated cases', () => {
  it('finds nothing in the reference verifier, which the model agrees with in each named change', async () => {
    const changes = everyChange(1).length;
    expect(changes).toBeGreaterThan(600);
    const licenses = await searchLicenses(asking(answering()), { ...OPTIONS, maxRuns: changes + 50 });
    expect(licenses.findings).toEqual([]);
    expect(licenses.runs).toBeGreaterThanOrEqual(changes);
    const histories = await searchHistories(asking(answering()), { ...OPTIONS, maxRuns: 200 });
    expect(histories.findings).toEqual([]);
    expect(histories.runs).toBeGreaterThanOrEqual(200);
  });

  it.each(Object.entries(STATEFUL_MUTANTS).map(([name, [does, make]]) => ({ name, does, make })))(
    'finds $name, which $does, in at most 5 steps',
    async ({ make }) => {
      const judge = {
        ...REFERENCE,
        installation: ({ trust, context, clock }: Extract<Request, { op: 'reset' }>) =>
          new make(readTrust(trust), context, clock),
      };
      const { findings } = await searchHistories(asking(answering(judge)), OPTIONS);
      expect(findings).toHaveLength(1);
      // The first one is the new installation.
      expect((findings[0]?.steps.length ?? Infinity) - 1).toBeLessThanOrEqual(5);
    },
  );

  it('finds a verifier that lacks one check of a license, and names the change', async () => {
    const judge = {
      ...REFERENCE,
      verify: (...[license, trust, context]: Parameters<typeof REFERENCE.verify>) =>
        REFERENCE.verify(license, trust, { ...context, product: context.product.replace('-2', '') }),
    };
    const { findings } = await searchLicenses(asking(answering(judge)), OPTIONS);
    expect(findings[0]?.headline).toBe(
      'accepts what should be refused (binding, product_mismatch) — judged by a context with: another product',
    );
  });

  it('asks and is answered as the JSON Schema of the protocol says', async () => {
    const schema = JSON.parse(readFileSync(`${ROOT}/docs/schemas/conformance-protocol.schema.json`, 'utf8')) as Record<
      string,
      unknown
    >;
    const faults: string[] = [];
    let asked = 0;
    const answer = answering();
    const ask: Ask = (request) => {
      const value = answer(request);
      for (const line of [
        { id: ++asked, ...request },
        { id: asked, ...value },
      ])
        if (schemaFaults(schema, JSON.parse(JSON.stringify(line))).length > 0) faults.push(JSON.stringify(line));
      return Promise.resolve({ ok: true, value });
    };
    await searchHistories(ask, { ...OPTIONS, maxRuns: 30 });
    await searchLicenses(ask, { ...OPTIONS, maxRuns: 100 });
    expect(faults).toEqual([]);
    expect(asked).toBeGreaterThan(130);
  });
});
