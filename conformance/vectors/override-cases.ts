/** Licenses that are judged by the trust of an override: what of the built-in trust stays in force. */
import { encodeBase64 } from '../../formats/base64.ts';
import { sha256Hex } from '../../files/index.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { ed25519Key } from '../examples/example-keys.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from '../examples/example-trust.ts';
import { minimalPayload } from '../examples/minimal-payload.ts';
import { trustValues, verdictOf } from './case-parts.ts';
import type { CaseFolder } from './case.ts';
import { CONTEXT, licenseFile } from './verify-cases.ts';

const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';
const LICENSE_ID = '0193817a-6c00-7000-8000-000000000001';
const PAYLOAD_DIGEST = sha256Hex(minimalPayload);
const ENDED: Reason = 'algorithm_not_allowed';

const root: ExampleTrustedKey = { ...active('other'), purpose: 'root' };

interface Row {
  readonly id: string;
  readonly title: string;
  /** The entry of the key that the override brings, where it is built in. */
  readonly entry?: Partial<ExampleTrustedKey>;
  readonly policy?: Omit<ExampleTrust, 'keys'>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly expected: Reason | State;
}

const ROWS: readonly Row[] = [
  { id: 'license', title: 'by the key of the override', expected: 'active' },
  {
    id: 'license-revoked',
    title: 'that is revoked in the built-in trust',
    policy: { revokedLicenses: [LICENSE_ID] },
    expected: 'license_revoked',
  },
  {
    id: 'license-lowest',
    title: 'below the lowest counter of the built-in trust',
    policy: { lowestCounters: { [LINEAGE]: 2 } },
    expected: 'superseded',
  },
  {
    id: 'license-until-now',
    title: 'by an Ed25519 key, at the built-in ed25519_until',
    policy: { ed25519Until: CONTEXT.now },
    expected: ENDED,
  },
  {
    id: 'license-until-next',
    title: 'by an Ed25519 key, a second before the built-in ed25519_until',
    policy: { ed25519Until: CONTEXT.now + 1 },
    expected: 'active',
  },
  {
    id: 'license-composite',
    title: 'by an Ed25519 key, where the override requires composite',
    variables: { LICENSE_REQUIRE_COMPOSITE: '1' },
    expected: ENDED,
  },
  {
    id: 'license-product',
    title: 'by a key that is built in for another product',
    entry: { products: ['other'] },
    expected: 'key_wrong_purpose',
  },
  {
    id: 'license-tier',
    title: 'by a key that is built in for another tier',
    entry: { tiers: ['enterprise'] },
    expected: 'key_wrong_purpose',
  },
  {
    id: 'license-known-purpose',
    title: 'by a key that is built in with another purpose',
    entry: { purpose: 'release' },
    expected: 'key_wrong_purpose',
  },
  {
    id: 'license-known-revoked',
    title: 'by a key that is built in and revoked',
    entry: { status: 'revoked' },
    expected: 'key_revoked',
  },
  {
    id: 'license-known-kid',
    title: 'by a key that is built in and revoked, with a wrong kid',
    entry: { status: 'revoked', kid: '00'.repeat(32) },
    expected: 'key_revoked',
  },
  {
    id: 'license-honored',
    title: 'by a key that is built in and revoked, and its payload is honored',
    entry: { status: 'revoked', honored: [PAYLOAD_DIGEST] },
    expected: 'active',
  },
  {
    id: 'license-honored-none',
    title: 'by a key that is built in and active, with an empty list of honored payloads',
    entry: { honored: [] },
    expected: 'active',
  },
];

export function overrideCases(): readonly CaseFolder[] {
  return ROWS.map(({ id, title, entry, policy, variables, expected }) => {
    const key = { ...active('ed25519'), ...entry };
    const builtIn: ExampleTrust = { keys: [root, ...(entry === undefined ? [] : [key])], ...policy };
    const { kid: _wrong, ...known } = key;
    const required = variables === undefined ? {} : { requireComposite: true };
    return {
      value: {
        id: `override/${id}`,
        title: `override: license ${title}`,
        clause: ['format.md#11.3'],
        profile: 'required',
        operation: 'override',
        builtIn: trustValues(builtIn),
        variables: { LICENSE_PUBLIC_KEY: encodeBase64(ed25519Key.publicKey.bytes), ...variables },
        license: { file: 'license.vtlic' },
        context: CONTEXT,
        expected: {
          verdict: 'accepted',
          trust: { ...trustValues({ ...builtIn, keys: [root, known] }), ...required },
          license: verdictOf(expected),
        },
      },
      files: new Map([['license.vtlic', licenseFile(minimalPayload)]]),
    };
  });
}
