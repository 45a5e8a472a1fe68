/**
 * A ledger filled with licenses as a batch would leave it: each with intent, issue and release, and a valid signature.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { makeUuidV7, uuidToBytes } from '../../formats/license/id.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { createLedger } from '../../signer/ledger/create.ts';
import type { IntentInput, Ledger } from '../../signer/ledger/ledger.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../signer/ledger/open.ts';
import { benchRuntime } from './batch-site.ts';
import { EXAMPLE } from './example.ts';

const A_GROUP = 256;
const IN_FLIGHT = 4;

/** What node:crypto is given to check one of them. */
export interface Checkable {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

type Signer = Pick<SigningKey, 'publicKey' | 'sign'>;

/** A stand-in, for ledgers whose signatures nobody checks: random bytes of the right length. */
export function unsignedKey(publicKey: PublicKey): Signer {
  return { publicKey, sign: () => Promise.resolve(benchRuntime.random(ALGORITHMS[publicKey.alg].signatureBytes)) };
}

interface Made {
  readonly intent: IntentInput;
  readonly cose: Uint8Array;
}

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

async function make(key: Signer, number: number): Promise<Made> {
  const { alg, kid } = key.publicKey;
  const lineage = { sub: `customer-${number}`, aud: EXAMPLE.aud, dep: 'prod-eu' };
  const cti = makeUuidV7(EXAMPLE.nbf * 1000, benchRuntime.random(10));
  const licenseId = uuidToBytes(cti);
  if (licenseId === undefined) throw new Error('no UUID');
  const payload = encodeLicense({ ...EXAMPLE, ...lineage, name: `Customer ${number}, Inc.`, cti });
  const protectedBytes = encodeProtected(alg, kid, TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, payload));
  const intent: IntentInput = {
    ...lineage,
    ctr: EXAMPLE.ctr,
    licenseId,
    kid,
    payload,
    custody: 'software',
    operator: 'bench',
    planDigest: digest('plan'),
    catalogDigest: digest('catalog'),
    siteDigest: digest('site'),
    path: `out/${lineage.aud}/${lineage.sub}/1-${cti.slice(-8)}.vtlic`,
    batch: { name: 'bench', row: digest(lineage.sub) },
  };
  return { intent, cose: encodeCoseSign1(protectedBytes, payload, signature) };
}

/** @returns the ledger's path */
export async function licenseLedger(folder: string, key: Signer, licenses: number): Promise<string> {
  const path = join(folder, 'licenses.sqlite');
  await createLedger(path, {
    iss: EXAMPLE.iss,
    anchor: { kind: 'file', path: join(folder, 'licenses-anchor') },
    now: () => EXAMPLE.iat,
    random: benchRuntime.random,
  });
  const ledger = await openLedgerForWriting(path, {
    now: () => EXAMPLE.iat,
    random: benchRuntime.random,
    holder: { command: 'bench' },
  });
  try {
    await fillLedger(ledger, key, licenses);
  } finally {
    ledger.close();
  }
  return path;
}

/** Adds licenses of new customers: intent, issue and release of each, in groups. */
export async function fillLedger(ledger: Ledger, key: Signer, licenses: number): Promise<void> {
  for (let from = 0; from < licenses; from += A_GROUP) {
    const made: Made[] = [];
    const until = Math.min(from + A_GROUP, licenses);
    let next = from;
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        while (next < until) made.push(await make(key, next++));
      }),
    );
    const seqs = ledger.group(() => made.map(({ intent }) => ledger.intend(intent).seq));
    ledger.group(() => made.forEach(({ cose }, i) => void ledger.issue(seqs[i] ?? 0, cose)));
    await ledger.anchor();
    ledger.group(() =>
      made.forEach(
        ({ intent }, i) => void ledger.release(seqs[i] ?? 0, { path: intent.path, digest: digest(intent.path) }),
      ),
    );
  }
}

/** What a raw loop checks: every signature of a ledger. */
export function checkablesOf(path: string): readonly Checkable[] {
  const view = openLedgerForReading(path);
  try {
    const found: Checkable[] = [];
    for (const entry of view.entriesFrom(1)) {
      if (entry.kind !== 'issue') continue;
      const { protectedBytes, payload, signature } = decodeCoseSign1(entry.body.cose, TYP.license);
      found.push({ message: sigStructure(protectedBytes, payload), signature });
    }
    return found;
  } finally {
    view.close();
  }
}
