/** What is wrong with a batch's file is told by line, column and rule, all of it, before anything is planned. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { VtlicError } from '../../../../formats/error.ts';
import { digestOfFile, planBatch } from '../../../../signer/batch/plan-batch.ts';
import { formatOf, type TableDialect } from '../../../../signer/batch/read-rows.ts';
import { errorLines } from '../../../../signer/cli/output.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { readCatalog } from '../../../../signer/site/catalog.ts';
import { licenseKey, openSite } from '../../../../signer/site/site.ts';
import { csv, day, HEADER, row, writeBatch } from '../../../support/batch-file.ts';
import { makeSite, requestDocument, testRuntime, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterAll(() => {
  fixture.remove();
});

/** All faults as the command line shows them. */
async function plan(
  text: string | Uint8Array,
  name = 'batch.csv',
  newCustomers = true,
  dialect: TableDialect = {},
): Promise<string> {
  const site = openSite(fixture.site);
  const ledger = openLedgerForReading(site.paths.ledger);
  const file = writeBatch(fixture, text, name);
  const input = digestOfFile(file);
  try {
    const planned = await planBatch({
      site,
      catalog: readCatalog(site.paths.catalog),
      ledger,
      key: licenseKey(site, undefined),
      runtime: testRuntime(),
      file,
      format: formatOf(file),
      dialect,
      name: input,
      input,
      newCustomers,
      resume: false,
    });
    return planned.kind === 'faults' ? planned.faults.flatMap((fault) => errorLines(fault)).join('\n') : planned.kind;
  } catch (error) {
    return errorLines(error as VtlicError).join('\n');
  } finally {
    ledger.close();
  }
}

/** Nothing is left of a refused plan. */
function nothingHappened(): void {
  const plans = join(fixture.site, 'plans');
  expect(existsSync(plans) ? readdirSync(plans) : []).toEqual([]);
}

const good = row('acme-gmbh');

/** As Excel saves the table where a semicolon separates lists: a value that contains one is quoted. */
function withSemicolons(text: string): string {
  return text
    .replaceAll(/"[^"]*"|[^,\n]+/g, (cell) => (cell.includes(';') ? `"${cell}"` : cell))
    .replaceAll(/,(?! )/g, ';');
}

describe('a table as a spreadsheet saves it', () => {
  afterEach(() => {
    rmSync(join(fixture.site, 'plans'), { recursive: true, force: true });
  });

  const sheet = csv([row('acme-gmbh', { name: '"Acme, GmbH"' }), row('other')]);

  it.each<[string, string]>([
    ['"CSV UTF-8" of Excel: a byte order mark, CRLF', `\ufeff${sheet.replaceAll('\n', '\r\n')}`],
    ['semicolons', withSemicolons(sheet)],
    ['semicolons behind a byte order mark and sep=;', `\ufeffsep=;\r\n${withSemicolons(sheet)}`],
    ['commas behind sep=,', `sep=,\n${sheet}`],
    ['tabs', sheet.replaceAll(/,(?! )/g, '\t')],
    ['rows of empty cells at the end', `${sheet},,,,,,,,,,,\n,,,,,,,,,,,\n\n`],
    ['rows of empty quoted cells at the end', `${sheet}"","",""\r\n`],
    ['empty columns to the right', sheet.replaceAll('\n', ',,\n')],
  ])('is read: %s', async (_, text) => {
    expect(await plan(text)).toBe('planned');
  });

  it('is read with the days of another language, if the person says in which order they are', async () => {
    const dayIn = (order: (day: readonly string[]) => string): string =>
      csv([row('acme-gmbh', { from: order(day(0).split('-')), until: order(day(364).split('-')) })]);
    const dmy = dayIn(([y = '', m = '', d = '']) => `${Number(d)}.${Number(m)}.${y}`);
    const mdy = dayIn(([y = '', m = '', d = '']) => `${m}/${d}/${y}`);
    const ymd = dayIn(([y = '', m = '', d = '']) => `${y}/${m}/${d}`);
    expect(await plan(dmy)).toContain('is not a date');
    for (const [text, dates] of [
      [dmy, 'dmy'],
      [mdy, 'mdy'],
      [ymd, 'ymd'],
      [csv([good]), 'dmy'],
    ] as const)
      expect(await plan(text, 'batch.csv', true, { dates })).toBe('planned');
    expect(await plan(csv([row('a', { until: '31.02.2027' })]), 'batch.csv', true, { dates: 'dmy' })).toContain(
      'there is no day 2027-02-31',
    );
    // Two digits of a year could mean a day as well.
    expect(await plan(csv([row('a', { until: '11/24/27' })]), 'batch.csv', true, { dates: 'mdy' })).toContain(
      'is not a date',
    );
  });

  it('is read with the delimiter that the person names, and refused with another one', async () => {
    expect(await plan(withSemicolons(sheet), 'batch.csv', true, { delimiter: ';' })).toBe('planned');
    expect(await plan(withSemicolons(sheet), 'batch.csv', true, { delimiter: ',' })).toContain(
      'no comma separates its names',
    );
  });
});

describe('a batch file at fault', () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      'a quote that is never closed',
      csv([good, row('other', { name: '"never' })]),
      'batch.csv:3:7: the quote that opens here is never closed',
    ],
    ['two byte order marks', `\ufeff\ufeff${csv([good])}`, 'batch.csv:1:1: the text begins with a byte order mark'],
    [
      'UTF-16',
      Buffer.from(`\ufeff${csv([good])}`, 'utf16le'),
      'batch.csv:1:1: the file should be UTF-8, but it is UTF-16',
    ],
    [
      'a header with a column twice',
      csv([`${good},7`], `${HEADER},seats`),
      'batch.csv:1:99: the column "seats" is in the header twice: first at column 39',
    ],
    ['the header a second time', csv([good, HEADER]), 'batch.csv:3:39: seats: "seats" should be a whole number'],
    ['an unknown column', csv([`${good},7`], `${HEADER},seat`), 'the column "seat" is not known'],
    ['no header', `${good}\n`, 'it should be a header, but it begins with "acme-gmbh"'],
    ['a missing column', csv(['a'], 'customer'), 'the header has no column "product"'],
    ['another separator', csv([good], HEADER.replaceAll(',', '|')), 'no comma separates its names'],
    [
      'a header of as many columns as are read',
      `${'x,'.repeat(999)}y\n`,
      'batch.csv:1:1: the first line names no column',
    ],
    [
      'a header of one column more',
      `${'x,'.repeat(1000)}y\n`,
      'batch.csv:1:1: the header has 1,001 columns, but at most 1,000 are read',
    ],
    ['limits without a name', csv([`${good},7`], `${HEADER},limits`), 'should name one of the limits'],
    ['a field too many', csv([`${good},x`]), 'batch.csv:2:1: this row has 13 fields, but the header has 12'],
    ['a field too few', csv(['acme-gmbh,Acme']), 'batch.csv:2:1: this row has 2 fields, but the header has 12'],
    ['an empty line', csv([good, '', row('other')]), 'batch.csv:3:1: this row is empty'],
    ['empty rows', csv([good, '', ',,,', '', row('other')]), 'batch.csv:3:1: this row and the next 2 are empty'],
    ['a day of a spreadsheet', csv([row('a', { until: '24.11.2027' })]), 'say how it writes days: --dates dmy'],
    [
      'a field of a million characters',
      csv([row('other', { name: 'x'.repeat(1_000_000) })]),
      'name: "name" should have at most 200 characters, but it has 1000000',
    ],
    [
      'a row of two million characters',
      csv([row('other', { name: `"${'x'.repeat(2_000_000)}"` })]),
      'batch.csv:2:7: the quote that opens here is not closed within 1048576 bytes',
    ],
    [
      'a product that is not sold',
      csv([good, row('other', { product: 'vaultpro' })]),
      'batch.csv:3:21: product: "product" vaultpro is not in the catalog (it has: vaultdesk)',
    ],
    ['a tier that is not sold', csv([row('a', { tier: 'gold' })]), '"tier" gold is not sold'],
    [
      'too many seats',
      csv([row('a', { seats: '5001' })]),
      '"seats" is 5001, but tier enterprise is sold with at most 5000',
    ],
    ['a limit too high', csv([row('a', { 'limits.vaults': '501' })]), '"limits.vaults" is 501'],
    ['a feature that is not sold', csv([row('a', { features: 'sso;teleport' })]), '"features" names teleport'],
    ['no seats', csv([row('a', { seats: '' })]), 'seats: "seats" is required, but it is missing'],
    ['seats in another way', csv([row('a', { seats: '1e3' })]), 'has an exponent'],
    ['a leading zero', csv([row('a', { seats: '007' })]), '"seats"'],
    ['an end in the past', csv([row('a', { from: day(-30), until: day(-2) })]), '"until" is in the past'],
    ['a day that does not exist', csv([row('a', { until: '2027-02-30' })]), 'there is no day 2027-02-30'],
    ['a customer that is a formula', csv([row('=cmd()')]), '"customer" should be an id'],
    ['a name that turns the reading direction', csv([row('a', { name: 'Acme \u202e hbmG' })]), 'direction-changing'],
    [
      'bytes that are no UTF-8',
      Buffer.concat([
        Buffer.from(csv([good])),
        Buffer.from(row('other').replace('other, Inc.', 'Caf\u00e9'), 'latin1'),
        Buffer.from('\n'),
      ]),
      'batch.csv:3:11: the file should be UTF-8',
    ],
    ['an empty file', '', 'the file is empty'],
    ['a header alone', csv([]), 'the file has no rows'],
  ])('names the fault: %s', async (_, text, words) => {
    expect(await plan(text)).toContain(words);
    nothingHappened();
  });

  it('names one fault where the header has one cause: a separator, a misspelled name, no header', async () => {
    for (const text of [
      csv([good], HEADER.replaceAll(',', '|')),
      csv([good], HEADER.replace('customer', 'Customer')),
      csv([good], HEADER.replace('seats', 'saets')),
      `${good}\n`,
    ])
      expect((await plan(text)).match(/^vtlic: /gm)).toHaveLength(1);
  });

  it('refuses two rows of one lineage and names both lines; another deployment is another lineage', async () => {
    const twice = await plan(csv([good, row('other'), row('acme-gmbh', { seats: '7' })]));
    expect(twice).toContain(
      'batch.csv:4:1: a second row of acme-gmbh / vaultdesk / prod-eu, which is already on line 2',
    );
    const lineages = await plan(
      csv([good, row('acme-gmbh', { deployment: 'prod-us' }), row('acme-gmbh', { deployment: '', seats: '-1' })]),
    );
    expect(lineages).not.toContain('second row');
    nothingHappened();
  });

  it('a customer without a license is refused unless new customers are taken', async () => {
    expect(await plan(csv([good]), 'batch.csv', false)).toContain(
      'batch.csv:2:1: customer: acme-gmbh has no license in this ledger',
    );
  });

  it.each<[string, string, string]>([
    ['no JSON', '{"customer": "a"', 'batch.jsonl:1:17: '],
    ['a member twice', '{"seats": 1, "seats": 2}', 'batch.jsonl:1:14: seats: the member "seats" is repeated'],
    ['an empty line', `\n${JSON.stringify(requestDocument())}\n`, 'batch.jsonl:1:1: this line is empty'],
    ['another schema', '{"schema": "vtlic-request/2"}', 'should be "vtlic-request/1"'],
    ['an unknown member', JSON.stringify(requestDocument({ seat: 1 })), 'batch.jsonl:1:'],
    [
      'a fault on the second line',
      `${JSON.stringify(requestDocument())}\n${JSON.stringify(requestDocument({ customer: 'b', seats: -1 }))}\n`,
      'batch.jsonl:2:',
    ],
    ['an array', '[]', 'should be an object'],
    ['a line of two million characters', `"${'x'.repeat(2_000_000)}"`, 'at most 1048576 are allowed'],
  ])('names the fault in JSON lines: %s', async (_, text, words) => {
    expect(await plan(text, 'batch.jsonl')).toContain(words);
    nothingHappened();
  });

  it('a good file is planned, as CSV and as JSON lines, with CRLF too', async () => {
    expect(await plan(csv([good]))).toBe('planned');
    expect(await plan(csv([good]).replaceAll('\n', '\r\n'))).toBe('planned');
    expect(
      await plan(
        `${JSON.stringify(requestDocument())}\n${JSON.stringify({ ...requestDocument({ customer: 'b', ext: { color: 'red' } }), schema: undefined })}`,
        'batch.jsonl',
      ),
    ).toBe('planned');
    expect(await plan(csv([`${good},true,red`], `${HEADER},resetClock,ext.color`))).toBe('planned');
  });
});
