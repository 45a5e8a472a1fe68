/** The published chain at its real bound of 16 MiB: it lacks the oldest versions, and every product goes on with it. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeCoseSign } from '../../../../formats/cose-sign.ts';
import { TYP } from '../../../../formats/cose-sign1.ts';
import { encodeKeyset } from '../../../../formats/keyset/encode-keyset.ts';
import { MAX_CHAIN_BYTES, MAX_HONORED } from '../../../../formats/keyset/keyset.ts';
import {
  issuingKey,
  KEYSET_ISSUER,
  keysetOf,
  signKeyset,
  type KeysetValues,
} from '../../../../conformance/examples/keysets.ts';
import { publishedChainFile, publishedVersions } from '../../../../signer/keyset/published.ts';
import type { LedgerView } from '../../../../signer/ledger/index.ts';
import { builtInChain, chooseKeyset } from '../../../../verifier/keyset/index.ts';
import { armor } from '../../../../formats/armor.ts';

const ROOTS = ['root a', 'root b'];
/** Base64 of the largest lists: 33 of them are more than 16 MiB. */
const VERSIONS = 33;
const digest = (of: string | Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(of).digest());
const honored = Array.from({ length: MAX_HONORED }, (_, i) =>
  Buffer.from(digest(String(i))).toString('hex'),
).toSorted();

function documentOf(version: number): Uint8Array {
  const values: KeysetValues = {
    version,
    threshold: 2,
    // A root comes in version 4: such a version is never left out.
    roots: version < 4 ? ROOTS : [...ROOTS, 'root c'],
    keys: [
      issuingKey('issuing 1', version === 1 ? { status: 'retired' } : { status: 'revoked', honored }),
      issuingKey('issuing 2'),
    ],
  };
  return signKeyset(encodeKeyset(keysetOf(values)), ROOTS);
}

describe('a published chain that would be larger than a chain may be', () => {
  const documents = Array.from({ length: VERSIONS }, (_, i) => documentOf(i + 1));
  const blocks = documents.map((document) => armor('VTLIC KEYSET', document));
  const entries = documents.map((document, i) => ({
    kind: 'adopt',
    seq: i + 2,
    at: 0,
    body: {
      act: 'keyset',
      version: i + 1,
      payloadDigest: digest(decodeCoseSign(document, TYP.keyset).payload),
      document,
      reasons: [],
      operator: 'test',
    },
  }));
  const ledger = { adminEntries: () => entries } as unknown as Pick<LedgerView, 'adminEntries'>;
  let made: Uint8Array | undefined;
  /** Made in the first test, and not before any: a chain that cannot be made is a test that fails. */
  const chainFile = (): Uint8Array => {
    made ??= publishedChainFile(publishedVersions(ledger), KEYSET_ISSUER) ?? new Uint8Array();
    return made;
  };

  it('is cut down to 16 MiB without its oldest versions, and keeps those that changed the roots', () => {
    const file = chainFile();
    expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(MAX_CHAIN_BYTES);
    expect(file.length).toBeLessThanOrEqual(MAX_CHAIN_BYTES);
    expect(file.length).toBeGreaterThan(MAX_CHAIN_BYTES - 2 * (blocks[9]?.length ?? 0));
    const { versions } = builtInChain(file, { issuer: KEYSET_ISSUER });
    const left = versions.map(({ version }) => version);
    expect(left.slice(0, 2)).toEqual([1, 4]);
    expect(left.at(-1)).toBe(VERSIONS);
  }, 120_000);

  it.each([1, 3, 20])(
    'leads a product with version %i built in to the newest one',
    (version) => {
      const builtIn = builtInChain(blocks[version - 1] ?? new Uint8Array(), { issuer: KEYSET_ISSUER });
      const { chain, notices } = chooseKeyset({ builtIn, file: chainFile() });
      expect([chain.newest.version, notices]).toEqual([VERSIONS, []]);
    },
    120_000,
  );
});
