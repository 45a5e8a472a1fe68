/** The files and the steps of which histories are made. */
import { armor } from '../../formats/armor.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { issuingKey, keysetBlock, testKey, type KeysetValues } from '../examples/keysets.ts';
import { digestOf } from '../examples/judged-licenses.ts';
import { payloadOf } from '../examples/minimal-payload.ts';
import { hex, type Entry } from '../examples/small-example.ts';
import type { CborValue } from '../../formats/cbor/index.ts';
import type { ExampleKey } from '../examples/example-keys.ts';
import type { FileInput, HistoryExpected, HistoryStep, InForce } from './case.ts';
import { headerOf, KEYS, mapOf, signedFile } from './verify-cases.ts';

const DAY = 86_400;
export const NBF = 1_798_761_600;
export const EXP = 1_830_297_600;
export const IAT = 1_796_115_600;
export const NOW = 1_800_000_000;
export const GRACE: number = 30 * DAY;
/** 2099-01-01 */
export const FAR = 4_070_908_800;
const MAX_TIME = 253_402_300_799;

/** Files of all histories, by their names. */
export const FILES: Map<string, Uint8Array> = new Map<string, Uint8Array>();

function named(name: string, bytes: Uint8Array): FileInput {
  FILES.set(name, bytes);
  return { file: name };
}

interface Claims {
  readonly nbf?: number;
  readonly exp?: number;
  readonly iat?: number;
  readonly ctr?: number;
  readonly more?: Readonly<Record<string, CborValue>>;
}

function entriesOf({ nbf = NBF, exp = EXP, iat = IAT, ctr = 1, more = {} }: Claims): Entry[] {
  return [[4, exp], [5, nbf], [6, iat], ['ctr', ctr], ...Object.entries(more)].map(([claim, value]) => ({
    key: hex(claim as CborValue),
    value: hex(value),
  }));
}

function license(name: string, claims: Claims, key: ExampleKey = KEYS.ed25519): FileInput {
  const { alg, kid, typ } = headerOf(key);
  return named(name, signedFile(key, mapOf(alg, kid, typ), payloadOf(entriesOf(claims))));
}

/** A license until this second, in a file that is named after it. */
export function expiring(exp: number, ctr = 1): FileInput {
  return license(`until-${exp}-counter-${ctr}.vtlic`, { exp, ctr });
}

/** A license for another product. */
function productFile(): Uint8Array {
  const { alg, kid, typ } = headerOf(KEYS.ed25519);
  return signedFile(KEYS.ed25519, mapOf(alg, kid, typ), payloadOf([{ key: hex(3), value: hex('other') }]));
}

export const one: FileInput = license('counter-1.vtlic', {});
export const two: FileInput = license('counter-2.vtlic', { ctr: 2 });
export const otherOne: FileInput = license('counter-1-other.vtlic', { more: { ref: 'PO-2' } });
export const withGrace: FileInput = license('grace.vtlic', { more: { grace: GRACE } });
export const graceTwo: FileInput = license('grace-2.vtlic', { ctr: 2, more: { grace: GRACE } });
export const nextYear: FileInput = license('next-year.vtlic', { ctr: 2, nbf: EXP, exp: EXP + 365 * DAY });
export const afterGap: FileInput = license('after-gap.vtlic', { ctr: 2, nbf: EXP + GRACE, exp: EXP + 365 * DAY });
export const renewed: FileInput = license('renewed.vtlic', { ctr: 2, exp: EXP + 365 * DAY });
export const short: FileInput = license('short.vtlic', { exp: NOW - DAY });
export const shortNext: FileInput = license('short-next.vtlic', { ctr: 2, exp: NOW - DAY });
export const otherProduct: FileInput = named('other-product.vtlic', productFile());
export const bound: FileInput = license('bound.vtlic', { ctr: 5, more: { dep: 'prod-eu' } });
export const unboundLater: FileInput = license('unbound-later.vtlic', { ctr: 1, iat: IAT + 1 });
export const longOne: FileInput = license('counter-1-long.vtlic', { exp: EXP + 365 * DAY });
export const lateOne: FileInput = license('counter-1-late.vtlic', { iat: IAT + 20 * DAY });
export const boundLater: FileInput = license('bound-later.vtlic', {
  ctr: 5,
  iat: IAT + 10 * DAY,
  more: { dep: 'prod-eu' },
});
export const boundWithClk: FileInput = license('bound-clk.vtlic', {
  ctr: 6,
  iat: IAT - 10 * DAY,
  more: { dep: 'prod-eu', clk: true },
});
export const farIat: FileInput = license('iat-2099.vtlic', { iat: FAR, exp: MAX_TIME });
export const withClk: FileInput = license('clk.vtlic', { ctr: 2, more: { clk: true } });
export const crlf: FileInput = named(
  'crlf.vtlic',
  utf8(`\r\n${new TextDecoder().decode(FILES.get('counter-1.vtlic')).replaceAll('\n', '\r\n')} \n`),
);
export const broken: FileInput = named('broken.vtlic', FILES.get('counter-1.vtlic')?.slice(0, 200) ?? new Uint8Array());
export const notVtlic: FileInput = named('garbage.vtlic', armor('VTLIC', Uint8Array.of(0x80)));

const ROOTS = ['root 1', 'root 2', 'root 3'];
const keyOf = (name: string): ExampleKey => {
  const key = testKey(name);
  return { ...key, name: 'ed25519', alg: key.publicKey.alg };
};
const version1: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
const version2: KeysetValues = {
  ...version1,
  version: 2,
  keys: [issuingKey('issuing 1', { status: 'revoked' }), issuingKey('issuing 5')].sort((a, b) =>
    Buffer.compare(a.publicBytes, b.publicBytes),
  ),
};
const honoredPayload = payloadOf(entriesOf({ ctr: 2 }));
const version2Honoring: KeysetValues = {
  ...version2,
  keys: (version2.keys ?? []).map((key) =>
    key.status === 'revoked' ? { ...key, honored: [digestOf(honoredPayload)] } : key,
  ),
};
export const chain1: FileInput = named('built-in.keyset', keysetBlock(version1, ROOTS));
/** The same, and composite is required. Its roots are Ed25519 keys, so that no later version by them counts. */
export const chain1Composite: FileInput = named(
  'built-in-composite.keyset',
  keysetBlock({ ...version1, requireComposite: true }, ROOTS),
);
export const chain2WithoutPolicy: FileInput = named(
  'version-2-without-policy.keyset',
  keysetBlock({ ...version1, version: 2 }, ROOTS),
);
export const chain2: FileInput = named('version-2.keyset', keysetBlock(version2, ROOTS));
export const chain2Honoring: FileInput = named('version-2-honoring.keyset', keysetBlock(version2Honoring, ROOTS));
export const forged2: FileInput = named('version-2-forged.keyset', keysetBlock(version2, ['root 1']));
export const byFirst: FileInput = license('by-issuing-1.vtlic', {}, keyOf('issuing 1'));
export const byRoot: FileInput = license('by-root-1.vtlic', {}, keyOf('root 1'));
export const stolen: FileInput = license('stolen.vtlic', { ctr: Number.MAX_SAFE_INTEGER }, keyOf('issuing 1'));
export const stolenClk: FileInput = license(
  'stolen-clk.vtlic',
  { ctr: 3, iat: FAR, exp: MAX_TIME, more: { clk: true } },
  keyOf('issuing 1'),
);
export const honoredTwo: FileInput = license('by-issuing-1-honored.vtlic', { ctr: 2 }, keyOf('issuing 1'));
export const bySecondOne: FileInput = license('by-issuing-5-counter-1.vtlic', {}, keyOf('issuing 5'));
export const bySecond: FileInput = license('by-issuing-5.vtlic', { ctr: 2 }, keyOf('issuing 5'));
/** By a key that no keyset has. */
export const byOther: FileInput = license('by-issuing-6.vtlic', { ctr: 2 }, keyOf('issuing 6'));
export const pastedBoth: FileInput = named(
  'license-and-keyset.txt',
  concatBytes(FILES.get('by-issuing-5.vtlic') ?? new Uint8Array(), FILES.get('version-2.keyset') ?? new Uint8Array()),
);

export const pastedRevoked: FileInput = named(
  'revoked-license-and-keyset.txt',
  concatBytes(FILES.get('by-issuing-1.vtlic') ?? new Uint8Array(), FILES.get('version-2.keyset') ?? new Uint8Array()),
);

export type Step = HistoryStep & { readonly expected?: HistoryExpected };

export const at = (now: number): Step => ({ do: 'set-time', now });
/** The clock runs with the product for so many seconds, and then shows this time. A `tick` follows. */
export const ran = (now: number, seconds: number): Step => ({ do: 'set-time', now, ran: seconds });
export const put = (file: FileInput | null): Step => ({ do: 'put-file', license: file });
export const rotate = (keyset: FileInput | null): Step => ({ do: 'rotate', keyset });
/** @param more the counter of the license in force, or why none is */
const found = (inForce: InForce, more?: number | string): HistoryExpected => ({
  inForce,
  ...(typeof more === 'number' ? { counter: more } : {}),
  ...(typeof more === 'string' ? { reason: more } : {}),
});
export const start = (inForce: InForce, more: number | string): Step => ({
  do: 'start',
  expected: found(inForce, more),
});
export const restart = (inForce: InForce, more: number | string): Step => ({
  do: 'restart',
  expected: found(inForce, more),
});
export const tick = (inForce: InForce, more: number | string): Step => ({ do: 'tick', expected: found(inForce, more) });
export const refusedStart = (as: 'start' | 'restart', reason: string): Step => ({
  do: as,
  expected: { inForce: 'refused_to_start', verdict: 'refused', reason },
});
export const install = (file: FileInput, inForce: InForce, counter?: number): Step => ({
  do: 'install',
  license: file,
  expected: { ...found(inForce, counter), verdict: 'accepted' },
});
export const refused = (file: FileInput, reason: string, inForce: InForce, counter?: number): Step => ({
  do: 'install',
  license: file,
  expected: { ...found(inForce, counter), verdict: 'refused', reason },
});
export const lose: Step = { do: 'lose-state' };
export const begin = (file: FileInput | null, now: number = NOW): readonly Step[] => [at(now), put(file)];
