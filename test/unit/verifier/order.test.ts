import { describe, expect, it } from 'vitest';
import { armor } from '../../../formats/armor.ts';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { encodeCbor, encodeTagged } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { encodeProtected, TYP } from '../../../formats/cose-sign1.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { REASONS, type Reason } from '../../../verifier/reasons.ts';
import { verify } from '../../../verifier/verify.ts';
import {
  compositeKey,
  context,
  coseOf,
  ed25519Key,
  EXP,
  fileOf,
  componentKey,
  HOST,
  license,
  licenseFile,
  NBF,
  OTHER_HOST,
  rawPayload,
  strangeKey,
  trust,
  trusted,
} from './sample.ts';
import { makeTrust } from '../../../verifier/trust.ts';

const payload = encodeLicense(license);

function reasonOf(file: Uint8Array, trustValue = trust(), where = context): Reason | undefined {
  const verdict = verify(file, trustValue, where);
  expect(Object.isFrozen(verdict)).toBe(true);
  if (verdict.ok) return undefined;
  expect(verdict.layer).toBe(REASONS[verdict.reason].layer);
  expect(verdict.detail).not.toBe('');
  return verdict.reason;
}

describe('each reason', () => {
  it('is given for a file of 0 bytes and for each size over its limit by one', async () => {
    expect(reasonOf(new Uint8Array())).toBe('armor_malformed');
    const file = await licenseFile();
    const blanks = (length: number): Uint8Array => concatBytes(file, new Uint8Array(length - file.length).fill(0x20));
    expect(reasonOf(blanks(98_304))).toBeUndefined();
    expect(reasonOf(blanks(98_305))).toBe('too_large');
    expect(reasonOf(armor('VTLIC', new Uint8Array(49_153)))).toBe('too_large');
    expect(reasonOf(armor('VTLIC', new Uint8Array(49_152)))).toBe('cbor_malformed');
  });

  it.each([
    ['text around it', (text: string) => `hello\n${text}`],
    ['text after it', (text: string) => `${text}hello`],
    ['two in one file', (text: string) => text + text],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
    ['another label', (text: string) => text.replaceAll('VTLIC', 'VTLIC KEYSET')],
  ])('armor_malformed: %s', async (_, bend) =>
    expect(reasonOf(utf8(bend(new TextDecoder().decode(await licenseFile()))))).toBe('armor_malformed'),
  );

  it('gives cbor_malformed, cbor_not_deterministic and cose_malformed', async () => {
    const cose = await coseOf(payload);
    const file = (bytes: Uint8Array): Uint8Array => armor('VTLIC', bytes);
    expect(reasonOf(file(cose.slice(0, -1)))).toBe('cbor_malformed');
    expect(reasonOf(file(Uint8Array.of(...cose, 0)))).toBe('cbor_malformed');
    expect(reasonOf(file(Uint8Array.of(0xd8, 0x12, ...cose.slice(1))))).toBe('cbor_not_deterministic');
    expect(reasonOf(file(cose.slice(1)))).toBe('cose_malformed');
    expect(reasonOf(file(new Uint8Array(49_152).fill(0x81)))).toBe('cbor_malformed');
    const parts = (...items: readonly CborValue[]): Uint8Array => file(encodeTagged(18, items));
    const header = encodeProtected('ed25519', ed25519Key.publicKey.kid, TYP.license);
    expect(reasonOf(parts(header, new Map([[1, -19]]), payload, new Uint8Array(64)))).toBe('cose_malformed');
    expect(reasonOf(parts(header, new Map(), payload))).toBe('cose_malformed');
  });

  it('typ_wrong: what another kind of thing signed is not a license', async () => {
    for (const typ of Object.values(TYP))
      expect(reasonOf(await licenseFile({}, ed25519Key, { typ }))).toBe(typ === TYP.license ? undefined : 'typ_wrong');
  });

  it('gives alg_unknown, also for the old EdDSA and the numbers asked for at the IETF', async () => {
    for (const alg of [-8, -49, -50, -55, -58, 'EdDSA', 'ML-DSA-65-Ed25519', 'ed25519+ml-dsa-65 ']) {
      const protectedBytes = encodeCbor(
        new Map<CborValue, CborValue>([
          [1, alg],
          [4, Buffer.from(ed25519Key.publicKey.kid, 'hex')],
          [16, TYP.license],
        ]),
      );
      expect(reasonOf(await licenseFile({}, ed25519Key, { protectedBytes }))).toBe('alg_unknown');
    }
  });

  it('gives key_unknown, key_composite_only, key_algorithm_mismatch', async () => {
    expect(reasonOf(await licenseFile({}, strangeKey))).toBe('key_unknown');
    expect(reasonOf(await licenseFile({}, componentKey))).toBe('key_composite_only');
    expect(reasonOf(await licenseFile({}, componentKey, { alg: 'ed25519+ml-dsa-65' }))).toBe('key_composite_only');
    expect(reasonOf(await licenseFile({}, componentKey, { kid: compositeKey.publicKey.kid }))).toBe(
      'key_algorithm_mismatch',
    );
    expect(reasonOf(await licenseFile({}, compositeKey, { alg: 'ed25519' }))).toBe('key_algorithm_mismatch');
    expect(reasonOf(await licenseFile({}, compositeKey, { kid: ed25519Key.publicKey.kid }))).toBe(
      'key_algorithm_mismatch',
    );
  });

  it('gives signature_invalid, for a wrong length too', async () => {
    for (const key of [ed25519Key, compositeKey]) {
      expect(reasonOf(await licenseFile({}, key))).toBeUndefined();
      expect(
        reasonOf(
          await licenseFile({}, key, { signature: (bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }),
        ),
      ).toBe('signature_invalid');
      expect(reasonOf(await licenseFile({}, key, { signature: (bytes) => bytes.slice(1) }))).toBe('signature_invalid');
      expect(reasonOf(await licenseFile({}, key, { signature: () => new Uint8Array() }))).toBe('signature_invalid');
    }
    expect(reasonOf(await licenseFile({}, compositeKey, { signature: (bytes) => bytes.slice(-64) }))).toBe(
      'signature_invalid',
    );
    expect(reasonOf(await licenseFile({}, strangeKey, { kid: ed25519Key.publicKey.kid }))).toBe('signature_invalid');
  });

  it('gives claims_malformed and claims_unknown, of genuine payloads', async () => {
    expect(reasonOf(await fileOf(new Uint8Array()))).toBe('claims_malformed');
    expect(reasonOf(await fileOf(encodeCbor('text')))).toBe('claims_malformed');
    expect(reasonOf(await fileOf(rawPayload([[1, 'example-vendor']])))).toBe('claims_malformed');
    expect(
      reasonOf(
        await fileOf(
          rawPayload([
            [1, 'example-vendor'],
            ['unknown', 1],
          ]),
        ),
      ),
    ).toBe('claims_unknown');
    expect(reasonOf(await fileOf(Uint8Array.of(...payload, 0)))).toBe('claims_malformed');
  });

  it('claims are not read before the signature is valid', async () => {
    const bent = { signature: (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
    for (const bytes of [new Uint8Array(), encodeCbor('text'), rawPayload([['unknown', 1]])])
      expect(reasonOf(await fileOf(bytes, ed25519Key, bent))).toBe('signature_invalid');
  });
});

describe('the order', () => {
  /** Everything wrong at once, from the policy on: mended one by one, each next reason must come to light. */
  it('the order of policy, binding, lineage, counter and time is the one of docs/format.md', async () => {
    const file = await licenseFile({
      iss: 'other-vendor',
      aud: 'other-product',
      dep: 'prod-eu',
      hosts: [HOST],
      upd: NBF,
      ctr: 2,
      exp: EXP,
    });
    let keys = [trusted(ed25519Key, { status: 'revoked', purpose: 'root' })];
    let policy = {
      requireComposite: true,
      revokedLicenses: [license.cti],
      lowestCounters: [['other-vendor/other-product/acme-gmbh/prod-eu', 3]] as [string, number][],
    };
    const lineage = 'other-vendor/other-product/acme-gmbh/prod-eu';
    let where = {
      ...context,
      now: EXP * 2,
      hosts: [OTHER_HOST],
      seen: {
        current: 'x/y/z',
        highestIat: license.iat,
        lineages: new Map([
          ['x/y/z', { counter: 1, payloadDigest: '00'.repeat(32) }],
          [lineage, { counter: 3, payloadDigest: '00'.repeat(32) }],
        ]),
      },
    };
    const next = (): string | undefined => {
      const verdict = verify(file, makeTrust({ keys, ...policy }), where);
      return verdict.ok ? verdict.state : verdict.reason;
    };
    const found: (string | undefined)[] = [next()];
    const mend = (act: () => void): void => {
      act();
      found.push(next());
    };
    mend(() => (keys = [trusted(ed25519Key, { purpose: 'root' })]));
    mend(() => (keys = [trusted(ed25519Key)]));
    mend(() => (policy = { ...policy, requireComposite: false }));
    mend(() => (policy = { ...policy, revokedLicenses: [] }));
    mend(() => (policy = { ...policy, lowestCounters: [] }));
    mend(() => (where = { ...where, issuer: 'other-vendor' }));
    mend(() => (where = { ...where, product: 'other-product' }));
    mend(() => (where = { ...where, deployment: 'prod-eu' } as typeof where));
    mend(() => (where = { ...where, hosts: [OTHER_HOST, HOST] }));
    mend(() => (where = { ...where, buildDate: NBF - 1 } as typeof where));
    mend(() => (where = { ...where, seen: { ...where.seen, highestIat: license.iat - 1 } }));
    mend(
      () =>
        (where = {
          ...where,
          seen: {
            ...where.seen,
            lineages: new Map([...where.seen.lineages, [lineage, { counter: 2, payloadDigest: '00'.repeat(32) }]]),
          },
        }),
    );
    mend(
      () =>
        (where = {
          ...where,
          seen: {
            ...where.seen,
            lineages: new Map([...where.seen.lineages, [lineage, { counter: 1, payloadDigest: '00'.repeat(32) }]]),
          },
        }),
    );
    expect(found).toEqual([
      'key_revoked',
      'key_wrong_purpose',
      'algorithm_not_allowed',
      'license_revoked',
      'superseded',
      'issuer_mismatch',
      'product_mismatch',
      'deployment_mismatch',
      'host_mismatch',
      'build_not_covered',
      'lineage_not_newer',
      'counter_rolled_back',
      'counter_conflict',
      'lapsed',
    ]);
  });

  it("says nothing about a key's status unless the license is genuine", async () => {
    const revoked = makeTrust({
      keys: [trusted(ed25519Key, { status: 'revoked', purpose: 'root' }), trusted(compositeKey)],
      requireComposite: true,
    });
    expect(
      reasonOf(
        await licenseFile({}, ed25519Key, {
          signature: (bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
        }),
        revoked,
      ),
    ).toBe('signature_invalid');
    expect(reasonOf(await fileOf(encodeCbor('text')), revoked)).toBe('claims_malformed');
    expect(reasonOf(await licenseFile(), revoked)).toBe('key_revoked');
  });
});

describe('the reasons', () => {
  it('have each one sentence and one remedy', () => {
    for (const { sentence, remedy } of Object.values(REASONS)) {
      expect(sentence).toMatch(/^[A-Z][^.]*\.$/);
      expect(remedy).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('are those of docs/format.md, in its order', () => {
    expect(Object.keys(REASONS)).toEqual(
      'too_large armor_malformed cbor_malformed cbor_not_deterministic cose_malformed typ_wrong alg_unknown key_composite_only key_unknown key_algorithm_mismatch signature_invalid claims_malformed claims_unknown key_revoked key_wrong_purpose algorithm_not_allowed license_revoked superseded issuer_mismatch product_mismatch deployment_mismatch host_mismatch build_not_covered lineage_not_newer counter_rolled_back counter_conflict'.split(
        ' ',
      ),
    );
  });
});
