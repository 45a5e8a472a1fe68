/** A changed ledger: `ledger verify` notices it, or it is harmless. Many more changes: `npm run test:crash`. */
import { expect, it } from 'vitest';
import { judgeMutations } from './ledger-mutations/judge-mutations.ts';

const CHANGES = 400;

it(`${CHANGES} changes of rows, indexes, schema and pages are noticed by the check, or daily work reads the same`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const totals = await judgeMutations({ changes: CHANGES, seed });
  expect(totals.problems, `seed ${seed}`).toEqual([]);
  expect(totals.noticed).toBeGreaterThan(CHANGES / 2);
  // Only bytes of a page that nothing reads (free space, the file's change counter) may be changed without notice.
  expect(totals.harmless.filter((what) => !/byte|page/.test(what))).toEqual([]);
}, 300_000);
