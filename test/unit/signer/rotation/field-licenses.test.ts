import { expect, it } from 'vitest';
import { fieldLicensesOf } from '../../../../signer/rotation/field-licenses.ts';
import { ACME, intentFor, issueNext, newWriter, START } from '../ledger/ledger-fixture.ts';

/** More than are read at once. */
const VOID_COUNTERS = 20;

it('finds the license of a customer below any number of void counters', async () => {
  const { ledger } = await newWriter();
  issueNext(ledger);
  issueNext(ledger);
  for (let ctr = 3; ctr < 3 + VOID_COUNTERS; ctr++)
    ledger.void_(ledger.intend(intentFor(ACME, ctr)).seq, 'self_check_failed');
  expect(fieldLicensesOf(ledger, ACME, START).map(({ license }) => license.ctr)).toEqual([1, 2]);
});
