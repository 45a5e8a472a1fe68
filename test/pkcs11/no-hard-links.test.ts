/**
 * A site on a disk without hard links (FAT, exFAT, some network shares): `link` fails with EPERM in the real command.
 * It is among the tests of tokens because it needs a C compiler, as they do.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { HEADER, row } from '../support/batch-file.ts';
import { writeRequest } from '../support/site-fixture.ts';
import { NO_KILL } from '../crash/campaign/kill-point.ts';
import { look, Memory } from '../crash/campaign/look.ts';
import { makePlace, type Place } from '../crash/campaign/place.ts';
import { runToDeath, type Ended } from '../crash/campaign/process-that-dies.ts';
import { diskFaultEnv } from '../crash/disk-faults/build-disk-faults.ts';

let place: Place;
beforeAll(async () => {
  place = await makePlace('software');
});
afterAll(() => {
  place.remove();
});

function run(...args: readonly string[]): Promise<Ended> {
  return runToDeath([...args, '--site', place.site], NO_KILL, {
    ...place,
    env: { ...place.env, ...diskFaultEnv(place.folder, { at: 1, how: 'no-links' }) },
  });
}

/** Names below a folder that a writer left behind. */
function leftovers(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:tmp|new)$/.test(name));
}

it('issues, plans and backs up where there are no hard links, and leaves nothing half-written', async () => {
  const request = writeRequest({ ...place, anchor: '', passphraseFile: '' });
  const issued = await run('issue', request, ...place.secret);
  expect([issued.code, issued.stderr]).toEqual([0, expect.stringContaining('signed and released')]);
  const planned = await run('issue', request, '--dry-run');
  expect([planned.code, existsSync(join(place.site, 'plans', planned.stdout.trim()))]).toEqual([0, true]);
  const rows = join(place.folder, 'batch.csv');
  writeFileSync(rows, [HEADER, row('acme'), row('bolt'), row('cafe'), ''].join('\n'));
  const signed = await run('batch', rows, '--new-customers', ...place.secret);
  expect([signed.code, signed.stderr]).toEqual([0, expect.stringContaining('signed and released: 3')]);
  const backup = join(place.folder, 'backup.sqlite');
  const backedUp = await run('ledger', 'backup', backup);
  expect([backedUp.code, backedUp.stderr]).toEqual([0, expect.anything()]);
  const again = await run('ledger', 'backup', backup);
  expect([again.code, again.stderr]).toEqual([11, expect.stringContaining('never replaced')]);
  const view = openLedgerForReading(backup);
  try {
    expect((await view.verify()).head.entries).toBeGreaterThan(1);
  } finally {
    view.close();
  }
  expect((await look(place, new Memory())).problems).toEqual([]);
  expect(leftovers(place.folder)).toEqual([]);
}, 120_000);
