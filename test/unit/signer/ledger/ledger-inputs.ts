/** Licenses to record, and the runtime of a writer. Signatures are zeros: the ledger does not judge them. */
import { createHash, randomBytes } from 'node:crypto';
import { encodeCoseSign1, encodeProtected, TYP } from '../../../../formats/cose-sign1.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import { makeUuidV7, uuidToBytes } from '../../../../formats/license/id.ts';
import type { IntentInput, Ledger } from '../../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../../signer/ledger/entries/lineage.ts';
import type { WriterOptions } from '../../../../signer/ledger/open.ts';

export const ISS = 'example-vendor';
export const KID: string = 'ab'.repeat(32);
export const ACME: Lineage = { aud: 'vaultdesk', sub: 'acme-gmbh' };
export const START = 1_800_000_000;

export function writerOptions(now: () => number = () => START): WriterOptions {
  return { now, random: (bytes) => new Uint8Array(randomBytes(bytes)), holder: { command: 'a test' } };
}

export function digest(bytes: Uint8Array | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

export function intentFor(lineage: Lineage, ctr: number, changes: Partial<IntentInput> = {}): IntentInput {
  const cti = makeUuidV7(START * 1000, new Uint8Array(randomBytes(10)));
  const licenseId = uuidToBytes(cti);
  if (licenseId === undefined) throw new Error('no UUID');
  const payload = encodeLicense({
    iss: ISS,
    ...lineage,
    cti,
    ctr,
    iat: START,
    nbf: START,
    exp: START + 86_400,
    tier: 'team',
    seats: 5,
    features: [],
    limits: {},
  });
  return {
    ...lineage,
    ctr,
    licenseId,
    kid: KID,
    payload,
    custody: 'software',
    operator: 'tester',
    planDigest: digest('plan'),
    catalogDigest: digest('catalog'),
    siteDigest: digest('site'),
    path: `out/${lineage.aud}/${lineage.sub}/${ctr}-${cti.slice(-8)}.vtlic`,
    ...changes,
  };
}

export function coseFor(intent: { readonly kid: string; readonly payload: Uint8Array }): Uint8Array {
  return encodeCoseSign1(encodeProtected('ed25519', intent.kid, TYP.license), intent.payload, new Uint8Array(64));
}

/** Intent and issue of the next counter; returns the intent's seq. */
export function issueNext(ledger: Ledger, lineage: Lineage = ACME): number {
  const input = intentFor(lineage, (ledger.lastOfLineage(lineage)?.ctr ?? 0) + 1);
  const { seq } = ledger.intend(input);
  ledger.issue(seq, coseFor(input));
  return seq;
}

export function releaseNow(ledger: Ledger, seq: number): void {
  const record = ledger.findByIntent(seq);
  if (record === undefined) throw new Error('no such intent');
  ledger.release(seq, { path: record.intent.body.path, digest: digest('file') });
}
