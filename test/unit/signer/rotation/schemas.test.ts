/** The JSON Schemas of the files of a rotation accept what the readers accept, and refuse what they refuse. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { issuingKey, keysetOf, testKey } from '../../../../conformance/examples/keysets.ts';
import { encodeDraft, makeDraft, parseDraft } from '../../../../signer/keyset/draft.ts';
import { encodePartialSignature, readPartialSignature } from '../../../../signer/keyset/partial-signature.ts';
import { parseRotationPlan } from '../../../../signer/rotation/plan.ts';
import { parseReleases } from '../../../../signer/rotation/releases.ts';
import { readSignedLicenses } from '../../../../signer/rotation/signed-licenses.ts';
import { schemaFaults } from '../../../support/json-schema.ts';
import { ROOT } from '../../../support/run-cli.ts';

type Json = Readonly<Record<string, unknown>>;

const folder = mkdtempSync(join(tmpdir(), 'vtlic-schemas-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const KID = 'ab'.repeat(32);
const MAX = Number.MAX_SAFE_INTEGER;
const LONG = 'a'.repeat(500);
const RELEASE = { name: 'five', product: 'vaultdesk', keyset: 2, from: '2027-01-15' };
const OF_KEY = { on: '2027-01-10', step: 'activate', key: 'license-2' };
const OF_POLICY = { on: '2027-02-10', step: 'policy', ed25519Until: '2028-07-01' };
const EARLY = { step: 'retire', kid: KID, releases: ['five'], reason: 'its customers know' };
const EARLY_POLICY = { step: 'policy', releases: [], reason: 'nobody can say' };
const keyset = keysetOf({ version: 3, roots: ['root a'], threshold: 1, keys: [issuingKey('issuing 1')] });
const draft = makeDraft(keyset, {
  base: { version: 2, payloadDigest: KID },
  early: [EARLY, EARLY_POLICY] as Parameters<typeof makeDraft>[1]['early'],
  emergency: 'the token is dead',
});
const revoked = testKey('issuing 1').publicKey;
const decoded = (bytes: Uint8Array): Json => JSON.parse(Buffer.from(bytes).toString('utf8')) as Json;

const EXAMPLES = {
  releases: { schema: 'vtlic-releases/1', releases: [RELEASE] },
  'rotation-plan': { schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps: [OF_KEY, OF_POLICY] },
  'keyset-draft': decoded(encodeDraft(draft)),
  'keyset-signature': decoded(
    encodePartialSignature({ version: 3, payloadDigest: KID, alg: 'ed25519', kid: KID, signature: new Uint8Array(64) }),
  ),
  // With its licenses, which only a log can prove: test/cli/rotation-elsewhere.test.ts.
  'signed-licenses': { schema: 'vtlic-signed-licenses/1', kid: revoked.kid, licenses: [] },
} satisfies Readonly<Record<string, Json>>;
type Kind = keyof typeof EXAMPLES;

const READERS: Readonly<Record<Kind, (bytes: Uint8Array) => unknown>> = {
  releases: (bytes) => parseReleases(bytes, 'file.json'),
  'rotation-plan': (bytes) =>
    parseRotationPlan(bytes, 'file.json', {
      issuer: 'example-vendor',
      releases: parseReleases(utf8(JSON.stringify(EXAMPLES.releases)), 'releases.json'),
      kidOfName: () => KID,
    }),
  'keyset-draft': (bytes) => parseDraft(bytes, 'file.json'),
  'keyset-signature': (bytes) => readPartialSignature(written(bytes)),
  'signed-licenses': (bytes) =>
    readSignedLicenses(written(bytes), {
      issuer: 'example-vendor',
      keys: [{ alg: revoked.alg, publicBytes: revoked.bytes }],
      logKeys: [],
    }),
};

function written(bytes: Uint8Array): string {
  const file = join(folder, 'file.json');
  writeFileSync(file, bytes);
  return file;
}

const schemaOf = (kind: Kind): Json =>
  JSON.parse(readFileSync(join(ROOT, `docs/schemas/${kind}.schema.json`), 'utf8')) as Json;

function isRead(kind: Kind, document: Json): boolean {
  try {
    READERS[kind](utf8(JSON.stringify(document)));
    return true;
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

describe('the schema and the reader of a file of a rotation', () => {
  it.each(Object.keys(EXAMPLES) as Kind[])('accept %s as vtlic writes it', (kind) => {
    expect([schemaFaults(schemaOf(kind), EXAMPLES[kind]), isRead(kind, EXAMPLES[kind])]).toEqual([[], true]);
  });

  const releases = (changes: Json): unknown => [{ ...RELEASE, ...changes }];
  const steps = (changes: Json, step: Json = OF_KEY): unknown => [{ ...step, ...changes }];
  const proved = (changes: Json): unknown => [{ license: 'AAAA', proof: 'c2sp.org/tlog-proof@v1\n', ...changes }];
  const early = (changes: Json, step: Json = EARLY): unknown => [{ ...step, ...changes }];
  it.each<[Kind, string, readonly unknown[], readonly unknown[]]>([
    ['releases', 'schema', [], ['vtlic-releases/2', undefined]],
    ['releases', 'comment', ['a', undefined], [1]],
    ['releases', 'other', [], [1]],
    ['releases', 'releases', [[], releases({ until: '2027-06-30' })], [{}, undefined, releases({ from: 'soon' })]],
    [
      'releases',
      'releases',
      [releases({ override: [KID] })],
      [releases({ override: ['abc'] }), releases({ name: ' ' })],
    ],
    [
      'releases',
      'releases',
      [releases({ takesKeysets: true })],
      [releases({ takesKeysets: 1 }), releases({ keyset: 0 })],
    ],
    ['releases', 'releases', [releases({ keyset: undefined, keys: [KID] })], [releases({ keyset: undefined })]],
    ['rotation-plan', 'schema', [], ['vtlic-rotation-plan/2', undefined]],
    ['rotation-plan', 'comment', ['a', undefined], [['a']]],
    ['rotation-plan', 'issuer', [], [undefined, 7]],
    ['rotation-plan', 'other', [], [1]],
    ['rotation-plan', 'steps', [[]], [undefined, {}, [OF_KEY, 'retire']]],
    ['rotation-plan', 'steps', [steps({ step: 'revoke' })], [steps({ step: 'delete' }), steps({ step: undefined })]],
    ['rotation-plan', 'steps', [steps({ comment: 'a' })], [steps({ on: undefined }), steps({ key: undefined })]],
    [
      'rotation-plan',
      'steps',
      [steps({ on: '2027-01-10T09:00:00Z' })],
      [steps({ on: '10.1.2027' }), steps({ by: 'me' })],
    ],
    ['rotation-plan', 'steps', [steps({ requireComposite: true }, OF_POLICY)], [steps({ key: 'a' }, OF_POLICY)]],
    [
      'rotation-plan',
      'steps',
      [steps({ ed25519Until: undefined, requireComposite: true }, OF_POLICY)],
      [
        steps({ ed25519Until: undefined }, OF_POLICY),
        steps({ ed25519Until: undefined, requireComposite: false }, OF_POLICY),
        steps({ ed25519Until: '2028-07-01' }),
      ],
    ],
    [
      'rotation-plan',
      'steps',
      [
        steps({ early: { releases: ['five'], reason: LONG } }),
        steps({ early: { releases: [], reason: 'a', customers: 3 } }),
      ],
      [
        steps({ early: { releases: ['five'], reason: `${LONG}a` } }),
        steps({ early: { releases: ['five'], reason: ' ' } }),
        steps({ early: { releases: 'five', reason: 'a' } }),
        steps({ early: { reason: 'a' } }),
        steps({ early: { releases: [], reason: 'a', who: 'b' } }),
        steps({ early: { releases: [], reason: 'a', customers: 0 } }),
        steps({ early: { releases: [], reason: 'a', customers: '3' } }),
      ],
    ],
    ['keyset-draft', 'schema', [], ['vtlic-keyset-draft/2', undefined]],
    ['keyset-draft', 'other', [], [1]],
    ['keyset-draft', 'payload', [], [undefined, '', '*', 'QUI', 7]],
    ['keyset-draft', 'base', [undefined, { version: MAX, payloadSha256: KID }], [{ version: 0, payloadSha256: KID }]],
    ['keyset-draft', 'base', [], [{ version: 1 }, { version: 1, payloadSha256: 'AB' }, 1, { payloadSha256: KID }]],
    ['keyset-draft', 'emergency', [undefined, LONG], ['', ' ', `${LONG}a`, 1]],
    ['keyset-draft', 'early', [undefined, [], early({})], [{}, early({ step: 'delete' }), early({ kid: undefined })]],
    ['keyset-draft', 'early', [early({}, EARLY_POLICY)], [early({ kid: KID }, EARLY_POLICY), early({ who: 'me' })]],
    [
      'keyset-draft',
      'early',
      [early({ customers: 3 }, EARLY_POLICY)],
      [early({ customers: 0 }), early({ customers: -1 })],
    ],
    ['keyset-draft', 'early', [early({ releases: [] })], [early({ releases: [''] }), early({ releases: undefined })]],
    ['keyset-draft', 'early', [], [early({ releases: ['a'.repeat(129)] }), early({ reason: '' }), early({ kid: 'x' })]],
    ['keyset-draft', 'early', [], [Array.from({ length: 257 }, () => EARLY)]],
    ['keyset-signature', 'schema', [], ['vtlic-keyset-signature/2', undefined]],
    ['keyset-signature', 'version', [1, MAX], [0, MAX + 1, 1.5, '1', undefined]],
    ['keyset-signature', 'payloadSha256', ['00'.repeat(32)], ['AB'.repeat(32), 'ab', undefined]],
    ['keyset-signature', 'algorithm', ['ed25519+ml-dsa-65'], ['rsa', undefined, 1]],
    ['keyset-signature', 'kid', ['00'.repeat(32)], ['AB'.repeat(32), undefined]],
    ['keyset-signature', 'signature', ['', 'AAAA', 'AA==', 'AAA='], ['AAA', 'A===', '*', undefined, 1]],
    ['keyset-signature', 'other', [], [1]],
    ['signed-licenses', 'schema', [], ['vtlic-signed-licenses/2', undefined]],
    ['signed-licenses', 'kid', [], ['AB', undefined, 1]],
    ['signed-licenses', 'licenses', [[]], [undefined, {}, [1], proved({ license: undefined })]],
    ['signed-licenses', 'licenses', [], [proved({ license: '*' }), proved({ license: '' }), proved({ license: 1 })]],
    ['signed-licenses', 'licenses', [], [proved({ proof: undefined }), proved({ proof: 'a' }), proved({ proof: 1 })]],
    ['signed-licenses', 'licenses', [], [proved({ by: 'me' })]],
    ['signed-licenses', 'other', [], [1]],
  ])('agree on %s, %s', (kind, member, good, bad) => {
    const schema = schemaOf(kind);
    const judged = (value: unknown): readonly boolean[] => {
      const { [member]: _old, ...rest } = EXAMPLES[kind] as Json;
      const document = decoded(utf8(JSON.stringify({ ...rest, [member]: value })));
      return [schemaFaults(schema, document).length === 0, isRead(kind, document)];
    };
    for (const value of good) expect([value, judged(value)]).toEqual([value, [true, true]]);
    for (const value of bad) expect([value, judged(value)]).toEqual([value, [false, false]]);
  });
});
