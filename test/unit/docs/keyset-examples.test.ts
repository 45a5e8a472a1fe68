/**
 * docs/keysets.md and the code agree: the tests make its examples again, judge them, and recompute them as the document
 * says.
 */
import { createHash, createPublicKey, verify as nodeVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decoder } from 'cbor-x/index-no-eval';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import * as bounds from '../../../formats/keyset/keyset.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { builtInChain, chooseKeyset, KEYSET_REASONS } from '../../../verifier/keyset/index.ts';
import { withBlocks } from '../../docs/document-blocks.ts';
import { keysetBlocks } from '../../docs/keyset-blocks.ts';
import { judgedKeysets } from '../../../conformance/examples/keyset-examples.ts';
import { DOCS } from '../../docs/make-examples.ts';

const document = readFileSync(join(DOCS, 'keysets.md'), 'utf8');
/** The examples of these would be large, or need a clock. */
const WITHOUT_EXAMPLE = ['keyset_too_large', 'keyset_expired'];

describe('docs/keysets.md', () => {
  it('has the blocks that are made', () => {
    expect(withBlocks(document, keysetBlocks()) === document, 'run: node test/docs/make-examples.ts').toBe(true);
  });

  it.each([
    bounds.MAX_KEYSET_BYTES,
    bounds.MAX_CHAIN_BYTES,
    bounds.MAX_CHAIN_BLOCKS,
    bounds.MAX_HONORED,
    bounds.MAX_REVOKED_LICENSES,
    bounds.MAX_LOWEST_COUNTERS,
  ])('names the bound %i of the code', (bound) => {
    expect(document).toContain(bound.toLocaleString('en-US'));
  });

  it('gives an example of every reason', () => {
    const shown = new Set(judgedKeysets.flatMap(({ expected }) => expected.notices.map(({ reason }) => reason)));
    expect([...shown, ...WITHOUT_EXAMPLE].sort()).toEqual(Object.keys(KEYSET_REASONS).sort());
  });

  it('names each reason in its rules', () => {
    const rules = document.slice(0, document.indexOf('## K7 '));
    const formatFaults = /^keyset_(armor|cbor|cose|typ|alg)_/;
    const named = Object.keys(KEYSET_REASONS).filter((reason) => !formatFaults.test(reason));
    expect(named.filter((reason) => !rules.includes(`\`${reason}\``))).toEqual(['keyset_older', 'keyset_expired']);
  });

  it.each([nodeProvider, nobleProvider])(
    'docs/keysets.md and the verifier ($name) agree on each judged example',
    (provider) => {
      const found = judgedKeysets.map(({ id, builtIn, requireComposite, state, file }) => {
        const { chain, source, notices } = chooseKeyset({
          builtIn: builtInChain(utf8(builtIn), {
            issuer: 'example-vendor',
            ...(requireComposite === undefined ? {} : { requireComposite }),
          }),
          ...(state === undefined ? {} : { state: state.map(utf8) }),
          ...(file === undefined ? {} : { file: utf8(file) }),
          provider,
        });
        return {
          id,
          version: chain.newest.version,
          source,
          notices: notices.map((notice) => ({ source: notice.source, reason: notice.reason })),
        };
      });
      expect(found).toEqual(judgedKeysets.map(({ id, expected }) => ({ id, ...expected })));
    },
  );
});

/** Uses none of the project's code: only the document, another CBOR decoder, and node:crypto. */
describe('the first worked keyset, by the book,', () => {
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });
  const file = readFileSync(join(DOCS, 'examples/chain.keyset'), 'utf8');
  const base64 = /^-----BEGIN VTLIC KEYSET-----\n([^-]*)-----END VTLIC KEYSET-----\n/.exec(file)?.[1] ?? '';
  const bytes = Buffer.from(base64, 'base64');

  it('is signed by two of the roots in it, over the structure that K1 names', () => {
    // d8 62 is tag 98.
    expect(bytes.subarray(0, 2).toString('hex')).toBe('d862');
    const [body, unprotected, payload, signatures] = decoder.decode(bytes.subarray(2)) as [
      Buffer,
      Map<unknown, unknown>,
      Buffer,
      [Buffer, Map<unknown, unknown>, Buffer][],
    ];
    expect(unprotected.size).toBe(0);
    expect(decoder.decode(body)).toEqual(new Map([[16, 'application/vnd.vtlic.keyset+cose']]));
    const keyset = decoder.decode(payload) as Map<string, unknown>;
    const roots = new Map(
      (keyset.get('roots') as Buffer[]).map((key) => [createHash('sha256').update(key).digest('hex'), key.subarray(8)]),
    );
    const head = (string: Buffer): Buffer =>
      string.length < 24
        ? Buffer.of(0x40 + string.length)
        : string.length < 256
          ? Buffer.of(0x58, string.length)
          : Buffer.of(0x59, string.length >> 8, string.length & 255);
    const valid = signatures.filter(([header, , signature]) => {
      const parts = [body, header, Buffer.alloc(0), payload].flatMap((part) => [head(part), part]);
      const message = Buffer.concat([Buffer.of(0x85, 0x69), Buffer.from('Signature'), ...parts]);
      const kid = (decoder.decode(header) as Map<number, Buffer>).get(4) ?? Buffer.alloc(0);
      const x = roots.get(kid.toString('hex')) ?? Buffer.alloc(0);
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }, format: 'jwk' });
      return nodeVerify(null, message, key, signature);
    });
    expect(valid).toHaveLength(2);
    expect(keyset.get('threshold')).toBe(2);
  });
});
