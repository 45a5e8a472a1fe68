/** Contexts that section 9 of docs/format.md forbids, and those at its bounds, each with a license that is genuine. */
import { sha256Hex } from '../../files/index.ts';
import { MAX_GRACE_SECONDS, MAX_TIME } from '../../formats/license/bounds.ts';
import { minimalPayload } from '../examples/minimal-payload.ts';
import type { PlainAccepted, PlainContext } from '../examples/plain-values.ts';
import type { State } from '../../verifier/verdict.ts';
import type { CaseFolder } from './case.ts';
import { file, set } from './claims-rows.ts';
import { CONTEXT, verifyCases } from './verify-cases.ts';

const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';
const OTHER = `${LINEAGE}/prod-us`;
const LONGEST = 'a'.repeat(128);
const EXP = 1_830_297_600;

/** What the license of these cases leaves behind once it is accepted. */
const own: PlainAccepted = { counter: 1, payloadDigest: sha256Hex(minimalPayload) };
const DIGEST = '22'.repeat(32);

type Row = readonly [id: string, title: string, context: Partial<PlainContext>];

/** Texts that are no ids. */
const NO_IDS: readonly (readonly [id: string, title: string, text: string])[] = [
  ['empty', 'empty', ''],
  ['long', 'of 129 characters', `${LONGEST}a`],
  ['blank', 'with a blank', 'a b'],
  ['slash', 'with a slash, which separates the parts of a lineage', 'a/b'],
  ['umlaut', 'with a letter that is not ASCII', 'z\u00fcrich'],
  ['dot', 'that begins with a dot', '.a'],
  ['line-feed', 'with a line feed at its end', 'a\n'],
];

const idRows = (name: 'issuer' | 'product' | 'deployment'): readonly Row[] =>
  NO_IDS.map(([id, title, text]) => [`${name}-${id}`, `${name} ${title}`, { [name]: text }]);

const timeRows = (id: string, words: string, withTime: (time: number) => Partial<PlainContext>): readonly Row[] => [
  [`${id}-negative`, `${words} of -1`, withTime(-1)],
  [`${id}-large`, `${words} after the year 9999`, withTime(MAX_TIME + 1)],
  [`${id}-milliseconds`, `${words} in milliseconds`, withTime(CONTEXT.now * 1000)],
];

/** The license was accepted, and so was one of another lineage. */
function seen(
  other: Partial<PlainAccepted>,
  { lineage = OTHER, highestIat = 0 }: { readonly lineage?: string; readonly highestIat?: number } = {},
): Partial<PlainContext> {
  const lineages = { [LINEAGE]: own, [lineage]: { counter: 1, payloadDigest: DIGEST, ...other } };
  return { seen: { current: LINEAGE, highestIat, lineages } };
}

const MISUSE: readonly Row[] = [
  ...idRows('issuer'),
  ...idRows('product'),
  ...idRows('deployment'),
  ['host-short', 'fingerprint of 31 bytes', { hosts: ['11'.repeat(31)] }],
  ['host-long', 'fingerprint of 33 bytes', { hosts: ['11'.repeat(33)] }],
  ['host-empty', 'fingerprint of no bytes', { hosts: [''] }],
  ['host-second', 'second fingerprint of 31 bytes', { hosts: [DIGEST, '11'.repeat(31)] }],
  ...timeRows('now', 'time', (now) => ({ now })),
  ...timeRows('build', 'build date', (buildDate) => ({ buildDate })),
  ...timeRows('clock', 'clock', (clock) => ({ clock })),
  ['grace-negative', 'default grace of -1', { defaultGrace: -1 }],
  ['grace-large', 'default grace of 31,622,401', { defaultGrace: MAX_GRACE_SECONDS + 1 }],
  ...timeRows('iat', 'highest iat', (highestIat) => seen({}, { highestIat })),
  [
    'current-unknown',
    'current lineage that is not among the lineages',
    { seen: { current: OTHER, highestIat: 0, lineages: { [LINEAGE]: own } } },
  ],
  ['current-alone', 'current lineage, and no lineages', { seen: { current: LINEAGE, highestIat: 0, lineages: {} } }],
  ['lineage-two-parts', 'lineage of two parts', seen({}, { lineage: 'example-vendor/vaultdesk' })],
  ['lineage-five-parts', 'lineage of five parts', seen({}, { lineage: `${OTHER}/x` })],
  ['lineage-empty-part', 'lineage with an empty deployment', seen({}, { lineage: `${LINEAGE}/` })],
  ['lineage-blank', 'lineage with a blank', seen({}, { lineage: `${LINEAGE}/prod us` })],
  ['lineage-long', 'lineage with a part of 129 characters', seen({}, { lineage: `${LINEAGE}/${LONGEST}a` })],
  ['lineage-line-feed', 'lineage with a line feed at its end', seen({}, { lineage: `${OTHER}\n` })],
  ['counter-zero', 'highest counter of 0', seen({ counter: 0 })],
  ['counter-negative', 'highest counter of -1', seen({ counter: -1 })],
  ['counter-large', 'highest counter of 2^53', seen({ counter: 2 ** 53 })],
  ['digest-short', 'digest of 31 bytes', seen({ payloadDigest: '22'.repeat(31) })],
  ['digest-long', 'digest of 33 bytes', seen({ payloadDigest: '22'.repeat(33) })],
  ['digest-empty', 'digest of no bytes', seen({ payloadDigest: '' })],
  ['digest-upper-case', 'digest in upper case', seen({ payloadDigest: 'AB'.repeat(32) })],
];

type Allowed = readonly [...Row, expected?: State, file?: Uint8Array];

const ALLOWED: readonly Allowed[] = [
  ['issuer-longest', 'issuer of 128 characters', { issuer: LONGEST }, 'active', file(set(1, LONGEST))],
  ['product-longest', 'product of 128 characters', { product: LONGEST }, 'active', file(set(3, LONGEST))],
  ['deployment-longest', 'deployment of 128 characters', { deployment: LONGEST }, 'active', file(set('dep', LONGEST))],
  ['hosts-none', 'list of no fingerprints', { hosts: [] }],
  ['build-largest', 'build date at the end of the year 9999', { buildDate: MAX_TIME }],
  ['build-zero', 'build date of 0', { buildDate: 0 }],
  ['clock-largest', 'clock at the end of the year 9999', { clock: MAX_TIME }],
  ['clock-zero', 'clock of 0', { clock: 0 }],
  [
    'grace-largest',
    'default grace of 31,622,400, a second before its end',
    { defaultGrace: MAX_GRACE_SECONDS, now: EXP + MAX_GRACE_SECONDS - 1 },
    'grace',
  ],
  [
    'grace-largest-end',
    'default grace of 31,622,400, at its end',
    { defaultGrace: MAX_GRACE_SECONDS, now: EXP + MAX_GRACE_SECONDS },
    'lapsed',
  ],
  ['iat-largest', 'highest iat at the end of the year 9999', seen({}, { highestIat: MAX_TIME })],
  ['iat-zero', 'highest iat of 0', seen({})],
  ['lineage-longest', 'lineage with a part of 128 characters', seen({}, { lineage: `${LINEAGE}/${LONGEST}` })],
  ['counter-largest', 'highest counter of 2^53-1 in another lineage', seen({ counter: Number.MAX_SAFE_INTEGER })],
];

export function contextCases(): readonly CaseFolder[] {
  const minimal = file();
  return verifyCases([
    ...MISUSE.map(([id, title, context]) => ({
      id: `context-${id}`,
      title: `context: ${title}`,
      clause: ['9'],
      file: minimal,
      expected: 'misuse' as const,
      context: { ...CONTEXT, ...context },
    })),
    ...ALLOWED.map(([id, title, context, expected = 'active', bytes = minimal]) => ({
      id: `context-${id}`,
      title: `context: ${title}`,
      clause: ['9'],
      file: bytes,
      expected,
      context: { ...CONTEXT, ...context },
    })),
  ]);
}
