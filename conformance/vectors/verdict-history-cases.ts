/** Histories of the table "What follows from a verdict" of docs/runtime.md: a license that is refused, for most reasons. */
import { armor } from '../../formats/armor.ts';
import { toHex } from '../../formats/bytes.ts';
import type { CborValue } from '../../formats/cbor/index.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { ExampleKey } from '../examples/example-keys.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from '../examples/example-trust.ts';
import { testKey } from '../examples/keysets.ts';
import { minimalPayload, payloadOf } from '../examples/minimal-payload.ts';
import { hex } from '../examples/small-example.ts';
import { trustValues } from './case-parts.ts';
import type { CaseFolder, FileInput, HistoryCase } from './case.ts';
import { begin, put, refused, refusedStart, restart, start, tick, type Step } from './history-steps.ts';
import { headerOf, KEYS, mapOf, signedFile } from './verify-cases.ts';

const ONE = 'counter-1.vtlic';
const OTHER = 'refused.vtlic';
const IAT = 1_796_115_600;
const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh/prod-eu';

type Claim = readonly [key: CborValue, value: CborValue];

function license(claims: readonly Claim[], key: ExampleKey = KEYS.ed25519, typ: string = TYP.license): Uint8Array {
  const { alg, kid } = headerOf(key);
  const payload = payloadOf(claims.map(([name, value]) => ({ key: hex(name), value: hex(value) })));
  return signedFile(key, mapOf(alg, kid, `10${hex(typ)}`), payload);
}

const { publicKey: anotherPublicKey, ...anotherKey } = testKey('another vendor key');
const ANOTHER: ExampleKey = { ...anotherKey, publicKey: anotherPublicKey, name: 'ed25519', alg: 'ed25519' };
const another = (entry: Partial<ExampleTrustedKey>): ExampleTrust => ({
  keys: [active('ed25519'), { ...active({ alg: 'ed25519', publicKey: toHex(anotherPublicKey.bytes) }), ...entry }],
});

/** The license that runs, with this alg and kid in its header. */
function withHeader(alg: string, kid: string = KEYS.ed25519.publicKey.kid): Uint8Array {
  const { typ } = headerOf(KEYS.ed25519);
  return signedFile(KEYS.ed25519, mapOf(`01${alg}`, `045820${kid}`, typ), minimalPayload);
}

/** The signature is by this key, but of other bytes. */
function forged(): Uint8Array {
  const { alg, kid, typ } = headerOf(KEYS.ed25519);
  const other = { ...KEYS.ed25519, sign: () => KEYS.ed25519.sign(minimalPayload) };
  return signedFile(other, mapOf(alg, kid, typ), minimalPayload);
}

interface Row {
  readonly reason: Reason;
  readonly file: Uint8Array;
  readonly pad?: FileInput['pad'];
  /** A start in production is refused; otherwise it is a start in the free tier. */
  readonly isFatal?: true;
  readonly trust?: ExampleTrust;
  /** The license that runs, where the trust refuses the ordinary one. */
  readonly running?: Uint8Array;
}

const ROWS: readonly Row[] = [
  { reason: 'too_large', file: license([['ctr', 2]]), pad: { byte: 0x0a, count: 98_304 }, isFatal: true },
  { reason: 'cbor_malformed', file: armor('VTLIC', Uint8Array.of(0xd2)), isFatal: true },
  { reason: 'cbor_not_deterministic', file: armor('VTLIC', Uint8Array.of(0xd8, 0x12)), isFatal: true },
  { reason: 'typ_wrong', file: license([], KEYS.ed25519, TYP.keyset), isFatal: true },
  { reason: 'alg_unknown', file: withHeader('27'), isFatal: true },
  { reason: 'key_unknown', file: license([], ANOTHER), isFatal: true },
  {
    reason: 'key_composite_only',
    file: withHeader('32', kidOf('ed25519', KEYS.composite.publicKey.ed25519)),
    isFatal: true,
    trust: { keys: [active('ed25519'), active('composite')] },
  },
  { reason: 'key_algorithm_mismatch', file: withHeader(hex('ed25519+ml-dsa-65')), isFatal: true },
  { reason: 'signature_invalid', file: forged(), isFatal: true },
  { reason: 'claims_malformed', file: license([['ctr', 0]]), isFatal: true },
  { reason: 'claims_unknown', file: license([['zone', 'eu']]), isFatal: true },
  {
    reason: 'key_wrong_purpose',
    file: license([], ANOTHER),
    isFatal: true,
    trust: another({ purpose: 'license-key' }),
  },
  { reason: 'issuer_mismatch', file: license([[1, 'another-vendor']]), isFatal: true },
  { reason: 'product_mismatch', file: license([[3, 'another-product']]), isFatal: true },
  { reason: 'lineage_not_newer', file: license([['dep', 'prod-eu']]), isFatal: true },
  { reason: 'deployment_mismatch', file: license([['dep', 'prod-us']]) },
  { reason: 'host_mismatch', file: license([['hosts', [new Uint8Array(32)]]]) },
  { reason: 'build_not_covered', file: license([['upd', IAT]]) },
  { reason: 'key_revoked', file: license([], ANOTHER), trust: another({ status: 'revoked' }) },
  {
    reason: 'algorithm_not_allowed',
    file: license([['ctr', 2]]),
    trust: { keys: [active('ed25519'), active('composite')], requireComposite: true },
    running: license([], KEYS.composite),
  },
  {
    reason: 'license_revoked',
    file: license([
      [7, Uint8Array.from(Buffer.from('0193817a6c0070008000000000000002', 'hex'))],
      ['ctr', 2],
    ]),
    trust: { keys: [active('ed25519')], revokedLicenses: ['0193817a-6c00-7000-8000-000000000002'] },
  },
  {
    reason: 'superseded',
    file: license([
      [6, IAT + 1],
      ['dep', 'prod-eu'],
    ]),
    trust: { keys: [active('ed25519')], lowestCounters: { [LINEAGE]: 2 } },
  },
];

export function verdictHistoryCases(): readonly CaseFolder[] {
  return ROWS.map(({ reason, file, pad, isFatal, trust = { keys: [active('ed25519')] }, running = license([]) }) => {
    const one: FileInput = { file: ONE };
    const other: FileInput = { file: OTHER, ...(pad === undefined ? {} : { pad }) };
    const steps: readonly Step[] = [
      ...begin(one),
      start('active', 1),
      put(other),
      tick('active', 1),
      refused(other, reason, 'active', 1),
      isFatal ? refusedStart('restart', reason) : restart('free_tier', reason),
      put(one),
      restart('active', 1),
    ];
    const value: HistoryCase = {
      id: `history/verdict-${reason.replaceAll('_', '-')}`,
      title: `history: a file that is ${reason} is put in place, pasted, and there at a restart`,
      clause: ['runtime.md#What-follows-from-a-verdict'],
      profile: 'required',
      operation: 'history',
      production: true,
      trust: trustValues(trust),
      context: { issuer: 'example-vendor', product: 'vaultdesk', deployment: 'prod-eu', defaultGrace: 0 },
      steps,
      forgets: isFatal
        ? 'that production does not start with this license, and that nothing changes while it runs'
        : 'that production starts in the free tier with this license, and that nothing changes while it runs',
    };
    return {
      value,
      files: new Map([
        [ONE, running],
        [OTHER, file],
      ]),
    };
  });
}
