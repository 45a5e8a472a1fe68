/**
 * The examples in the help of the commands, run to success as an officer types them: in one site, one after the other,
 * in a pseudo-terminal. What cannot be run here is in `NOT_RUN`, with the reason.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { yearWith } from '../support/officers-year.ts';
import { runHere } from '../support/run-here.ts';
import { walkDocument } from '../support/walk-document.ts';

const TOKEN = 'needs a token: docs/hsm.md, test/pkcs11';
const HANDOVER = 'needs a second site, or a disk that died: docs/officers-year.md runs it';
const KEYSETS = 'needs keysets: test/cli/keyset.test.ts';
const ROTATION = 'needs published keysets: test/cli/rotation.test.ts';
/** Commands whose examples are not run, by their beginning. */
const NOT_RUN: ReadonlyMap<string, string> = new Map([
  ['vtlic hsm ', TOKEN],
  ['vtlic key adopt ', TOKEN],
  ['vtlic ledger anchor --to token:', TOKEN],
  ['vtlic counters ', HANDOVER],
  ['vtlic ledger restore ', HANDOVER],
  ['vtlic keyset ', KEYSETS],
  ['vtlic rotation ', ROTATION],
  ['vtlic batch reissue.csv ', ROTATION],
  ['vtlic revoke ', ROTATION],
  ['vtlic supersede ', ROTATION],
]);
const isRun = (example: string): boolean => ![...NOT_RUN.keys()].some((begin) => example.startsWith(begin));

const ID = '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112';
const CATALOG = JSON.stringify({
  schema: 'vtlic-catalog/1',
  products: {
    vaultdesk: { maxTermDays: 800, maxGraceDays: 30, maxEmergencyDays: 30, tiers: { enterprise: { maxSeats: 5000 } } },
  },
});
const REQUEST = JSON.stringify({
  schema: 'vtlic-request/1',
  customer: 'beta-inc',
  name: 'Beta Inc',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  tier: 'enterprise',
  seats: 20,
  from: '2026-11-30',
  until: '2026-12-20',
});
const ARMORED = 'my-site/out/vaultdesk/acme-gmbh/1-*.vtlic';

/**
 * What is done before some examples, each by its beginning. Examples run in the order of this list; those that it does
 * not name run after all others.
 */
const BEFORE: readonly (readonly [string, string])[] = [
  ['vtlic init ', 'mkdir -p usb/first home/.zfunc home/.local/share/bash-completion/completions'],
  ['vtlic key generate --name license-1', 'mkdir -p home/.config/fish/completions'],
  ['vtlic key generate --name ledger-1', 'true'],
  ['vtlic catalog check new-catalog.json', 'cp my-site/catalog.json new-catalog.json'],
  ['vtlic issue request.json', 'true'],
  ['vtlic issue --customer', 'true'],
  ['vtlic key export license-1 --out', 'true'],
  ['vtlic verify acme', `cp ${ARMORED} acme.vtlic`],
  ['vtlic inspect acme', 'true'],
  ['vtlic inspect mail', 'mv acme.vtlic mail.eml'],
  ['vtlic verify -', 'cp my-site/out/vaultdesk/beta-inc/1-*.vtlic acme.vtlic'],
  ['vtlic ledger due --within 60d --csv', 'true'],
  ['vtlic batch season', 'true'],
  ['vtlic renew acme-gmbh --years', 'true'],
  ['vtlic ledger backup', 'true'],
  ['vtlic ledger verify /media', 'cp usb/ledger-2027-01-15.sqlite usb/ledger.sqlite'],
  [`vtlic release ${ID}`, 'true'],
  [`vtlic ledger prove ${ID}`, 'true'],
  ['vtlic ledger check', `cp ${ARMORED}.tlog-proof acme.vtlic.tlog-proof; cp ${ARMORED} acme.vtlic`],
  ['vtlic key default license-2', 'VTLIC_SITE=my-site vtlic key generate --name license-2'],
  ['vtlic key retire license-1', 'true'],
  [
    'vtlic key remove license-2',
    'VTLIC_SITE=my-site vtlic key retire --undo license-1 && VTLIC_SITE=my-site vtlic key default license-1',
  ],
];
const placeOf = (example: string): number => {
  const place = BEFORE.findIndex(([begin]) => example.startsWith(begin));
  return place < 0 ? BEFORE.length : place;
};

/** An example with the folders and the license id of this walk. */
function here(example: string): string {
  const first = example.startsWith('vtlic init') ? 'usb/first' : 'usb';
  return `VTLIC_SITE=my-site ${example}`
    .replaceAll('/media/usb', first)
    .replaceAll('~/', 'home/')
    .replaceAll(ID, `$(vtlic ledger show acme-gmbh --site my-site | grep -o -m1 '[0-9a-f-]\\{36\\}')`);
}

async function examples(): Promise<readonly string[]> {
  const words = (await runHere(['completion', 'bash'])).stdout.matchAll(/^ {4}'([a-z -]+)'\) words='/gm);
  const found = new Set<string>();
  for (const [, name = ''] of words) {
    const { stdout } = await runHere(['help', ...name.split(' ')]);
    const [, after = ''] = stdout.split(/^Examples?:$/m);
    for (const [, example = ''] of after.matchAll(/^ {2}(vtlic (?:[^\n]*\\\n)*[^\n]*)$/gm)) found.add(example);
  }
  return [...found];
}

const folder = mkdtempSync(join(tmpdir(), 'vtlic-examples-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the examples of the help', () => {
  it('succeed as they are written, one after the other in one site', async () => {
    const all = await examples();
    const run = all.filter(isRun).toSorted((a, b) => placeOf(a) - placeOf(b));
    for (const [begin] of BEFORE)
      expect([begin, run.some((example) => example.startsWith(begin))]).toEqual([begin, true]);
    for (const begin of NOT_RUN.keys())
      expect([begin, all.some((one) => one.startsWith(begin))]).toEqual([begin, true]);
    expect(run.length).toBeGreaterThan(35);
    const document = run.map((example) => {
      const first = BEFORE[placeOf(example)]?.[1] ?? 'true';
      const block = `\`\`\`console\n$ ${first}\n$ ${here(example)}\n\`\`\`\n`;
      return example.startsWith('vtlic init') ? `${block}${fileOf('my-site/catalog.json', CATALOG)}` : block;
    });
    const start = `<!-- on: 2026-11-30 -->\n${fileOf('request.json', REQUEST)}`;
    const { steps } = await walkDocument(start + document.join('\n'), yearWith(0, folder));
    const failed = steps.filter(({ code }) => code !== 0).map(({ code, shown }) => `exit ${code}: ${shown}`);
    expect(failed).toEqual([]);
    expect(steps).toHaveLength(run.length * 2);
  }, 600_000);
});

function fileOf(name: string, text: string): string {
  return `<!-- file: ${name} -->\n\n\`\`\`json\n${text}\n\`\`\`\n`;
}
