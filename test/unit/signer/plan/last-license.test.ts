/** What a plan starts from is verified by its own signature: a ledger that was changed leads to no new license. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, TYP } from '../../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../../formats/license/decode-license.ts';
import { makeUuidV7, uuidToBytes } from '../../../../formats/license/id.ts';
import type { License } from '../../../../formats/license/license.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import { makeBody } from '../../../../signer/ledger/entries/entry-body.ts';
import type { IntentBody } from '../../../../signer/ledger/entries/entry.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { Tables } from '../../../../signer/ledger/store/tables.ts';
import { csv, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let site: SiteFixture;
beforeEach(async () => {
  site = await makeSite({ algorithm: 'ed25519' });
  const digest = (await vtlic('issue', writeRequest(site), '--dry-run')).stdout.trim();
  expect((await vtlic('issue', '--confirm', digest, ...site.secret)).code).toBe(0);
});
afterEach(() => {
  site.remove();
});

function vtlic(...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', site.site]);
}

const INTENT = 2;
const ISSUE = 3;

function ledgerFile(): string {
  return join(site.site, 'ledger.sqlite');
}

function intentBody(): IntentBody {
  const view = openLedgerForReading(ledgerFile());
  try {
    const entry = view.entry(INTENT);
    if (entry?.kind !== 'intent') throw new Error('entry 2 is not an intent');
    return entry.body;
  } finally {
    view.close();
  }
}

function issueBody(): { readonly cose: Uint8Array; readonly salt: Uint8Array } {
  const view = openLedgerForReading(ledgerFile());
  try {
    const entry = view.entry(ISSUE);
    if (entry?.kind !== 'issue') throw new Error('entry 3 is no issue');
    return entry.body;
  } finally {
    view.close();
  }
}

function withTables(use: (tables: Tables, db: DatabaseSync) => void): void {
  const db = new DatabaseSync(ledgerFile());
  use(new Tables(db), db);
  db.close();
}

/** The claims with 5000 seats under the signature that was made for others. */
function withMoreSeats(
  cose: Uint8Array,
  changes: Partial<License> = {},
): { readonly cose: Uint8Array; readonly payload: Uint8Array } {
  const { alg, kid, payload, signature } = decodeCoseSign1(cose, TYP.license);
  const forged = encodeLicense({ ...decodeLicense(payload), seats: 5000, ...changes });
  return { cose: encodeCoseSign1(encodeProtected(alg, kid, TYP.license), forged, signature), payload: forged };
}

function changeBody(seq: number, body: Uint8Array): void {
  withTables((_, db) => {
    db.prepare('UPDATE entry SET body = ? WHERE seq = ?').run(body, seq);
  });
}

const WAYS: readonly (readonly [string, () => void, string])[] = [
  [
    'intent and license say 5000 seats, under the old signature',
    () => {
      const issue = issueBody();
      const { cose, payload } = withMoreSeats(issue.cose);
      changeBody(INTENT, makeBody('intent', { ...intentBody(), payload }).bytes);
      changeBody(ISSUE, makeBody('issue', { intent: INTENT, cose, salt: issue.salt, leafIndex: 0 }).bytes);
    },
    'does not have a valid signature',
  ],
  [
    'only the intent says 5000 seats',
    () => {
      const { payload } = withMoreSeats(issueBody().cose);
      changeBody(INTENT, makeBody('intent', { ...intentBody(), payload }).bytes);
    },
    'is not the one that was signed',
  ],
  [
    'a license of 5000 seats was put in, as if a restore had entered it again',
    () => {
      const cti = makeUuidV7(Date.now(), new Uint8Array(10));
      const licenseId = uuidToBytes(cti) ?? new Uint8Array(0);
      const { cose, payload } = withMoreSeats(issueBody().cose, { cti, ctr: 9 });
      const { aud, sub, dep, kid } = intentBody();
      const license = { aud, sub, ...(dep === undefined ? {} : { dep }), ctr: 9, licenseId, kid, payload };
      const { bytes } = makeBody('adopt', { act: 'license', cose, license, salt: new Uint8Array(32), leafIndex: 1 });
      withTables((tables) => {
        tables.insertEntry({ seq: -7, kind: 'adopt', at: 1, body: bytes, chain: new Uint8Array(32) });
        tables.insertCounter(-7, license, 0, licenseId);
      });
    },
    'does not have a valid signature',
  ],
];

describe('a ledger that was changed so that the last license looks different', () => {
  it.each(WAYS)('gives no base to renew, issue or batch: %s', async (_name, change, words) => {
    change();
    const rows = writeBatch(site, csv([row('acme-gmbh')]));
    for (const command of [
      ['renew', 'acme-gmbh', '--dry-run'],
      ['renew', 'acme-gmbh', '--seats', '5000', '--dry-run'],
      ['issue', writeRequest(site), '--dry-run'],
      ['batch', rows, '--dry-run'],
    ]) {
      const done = await vtlic(...command);
      expect([command[0], done.code, done.stderr]).toEqual([
        command[0],
        4,
        expect.stringMatching(new RegExp(`${words}; nothing was planned`)),
      ]);
    }
    expect(readdirSync(join(site.site, 'plans'))).toHaveLength(1);
  });
});

describe('a ledger as it was made', () => {
  it('gives the base of a renewal', async () => {
    expect((await vtlic('renew', 'acme-gmbh', '--dry-run')).code).toBe(0);
  });
});
