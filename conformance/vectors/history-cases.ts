/** Histories: what a product with state does over several steps. */
import { armor } from '../../formats/armor.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { issuingKey, keysetBlock, testKey, type KeysetValues } from '../examples/keysets.ts';
import { active } from '../examples/example-trust.ts';
import { payloadOf } from '../examples/minimal-payload.ts';
import { hex, type Entry } from '../examples/small-example.ts';
import type { CborValue } from '../../formats/cbor/index.ts';
import type { ExampleKey } from '../examples/example-keys.ts';
import type { CaseFolder, FileInput, HistoryCase, HistoryExpected, HistoryStep, InForce } from './case.ts';
import { trustValues } from './case-parts.ts';
import { headerOf, KEYS, mapOf, signedFile } from './verify-cases.ts';

const DAY = 86_400;
const NBF = 1_798_761_600;
const EXP = 1_830_297_600;
const IAT = 1_796_115_600;
const NOW = 1_800_000_000;
const GRACE = 30 * DAY;
/** 2099-01-01 */
const FAR = 4_070_908_800;
const MAX_TIME = 253_402_300_799;

/** Files of all histories, by their names. */
const FILES = new Map<string, Uint8Array>();

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

function license(
  name: string,
  { nbf = NBF, exp = EXP, iat = IAT, ctr = 1, more = {} }: Claims,
  key: ExampleKey = KEYS.ed25519,
): FileInput {
  const entries: Entry[] = [[4, exp], [5, nbf], [6, iat], ['ctr', ctr], ...Object.entries(more)].map(
    ([claim, value]) => ({ key: hex(claim as CborValue), value: hex(value) }),
  );
  const { alg, kid, typ } = headerOf(key);
  return named(name, signedFile(key, mapOf(alg, kid, typ), payloadOf(entries)));
}

/** A license for another product. */
function productFile(): Uint8Array {
  const { alg, kid, typ } = headerOf(KEYS.ed25519);
  return signedFile(KEYS.ed25519, mapOf(alg, kid, typ), payloadOf([{ key: hex(3), value: hex('other') }]));
}

const one = license('counter-1.vtlic', {});
const two = license('counter-2.vtlic', { ctr: 2 });
const otherOne = license('counter-1-other.vtlic', { more: { ref: 'PO-2' } });
const withGrace = license('grace.vtlic', { more: { grace: GRACE } });
const nextYear = license('next-year.vtlic', { ctr: 2, nbf: EXP, exp: EXP + 365 * DAY });
const renewed = license('renewed.vtlic', { ctr: 2, exp: EXP + 365 * DAY });
const short = license('short.vtlic', { exp: NOW - DAY });
const shortNext = license('short-next.vtlic', { ctr: 2, exp: NOW - DAY });
const otherProduct = named('other-product.vtlic', productFile());
const bound = license('bound.vtlic', { ctr: 5, more: { dep: 'prod-eu' } });
const unboundLater = license('unbound-later.vtlic', { ctr: 1, iat: IAT + 1 });
const farIat = license('iat-2099.vtlic', { iat: FAR, exp: MAX_TIME });
const withClk = license('clk.vtlic', { ctr: 2, more: { clk: true } });
const crlf = named(
  'crlf.vtlic',
  utf8(`\r\n${new TextDecoder().decode(FILES.get('counter-1.vtlic')).replaceAll('\n', '\r\n')} \n`),
);
const broken = named('broken.vtlic', FILES.get('counter-1.vtlic')?.slice(0, 200) ?? new Uint8Array());
const notVtlic = named('garbage.vtlic', armor('VTLIC', Uint8Array.of(0x80)));

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
const chain1 = named('built-in.keyset', keysetBlock(version1, ROOTS));
const chain2 = named('version-2.keyset', keysetBlock(version2, ROOTS));
const forged2 = named('version-2-forged.keyset', keysetBlock(version2, ['root 1']));
const byFirst = license('by-issuing-1.vtlic', {}, keyOf('issuing 1'));
const stolen = license('stolen.vtlic', { ctr: Number.MAX_SAFE_INTEGER }, keyOf('issuing 1'));
const bySecond = license('by-issuing-5.vtlic', { ctr: 2 }, keyOf('issuing 5'));
const pastedBoth = named(
  'license-and-keyset.txt',
  concatBytes(FILES.get('by-issuing-5.vtlic') ?? new Uint8Array(), FILES.get('version-2.keyset') ?? new Uint8Array()),
);

type Step = HistoryStep & { readonly expected?: HistoryExpected };

const at = (now: number): Step => ({ do: 'set-time', now });
const put = (file: FileInput | null): Step => ({ do: 'put-file', license: file });
const rotate = (keyset: FileInput | null): Step => ({ do: 'rotate', keyset });
const found = (inForce: InForce, counter?: number): HistoryExpected => ({
  inForce,
  ...(counter === undefined ? {} : { counter }),
});
const start = (inForce: InForce, counter?: number): Step => ({ do: 'start', expected: found(inForce, counter) });
const restart = (inForce: InForce, counter?: number): Step => ({ do: 'restart', expected: found(inForce, counter) });
const tick = (inForce: InForce, counter?: number): Step => ({ do: 'tick', expected: found(inForce, counter) });
const refusedStart = (as: 'start' | 'restart', reason: string): Step => ({
  do: as,
  expected: { inForce: 'refused_to_start', verdict: 'refused', reason },
});
const install = (file: FileInput, inForce: InForce, counter?: number): Step => ({
  do: 'install',
  license: file,
  expected: { ...found(inForce, counter), verdict: 'accepted' },
});
const refused = (file: FileInput, reason: string, inForce: InForce, counter?: number): Step => ({
  do: 'install',
  license: file,
  expected: { ...found(inForce, counter), verdict: 'refused', reason },
});
const lose: Step = { do: 'lose-state' };
const begin = (file: FileInput | null, now: number = NOW): readonly Step[] => [at(now), put(file)];

type Row = readonly [
  id: string,
  title: string,
  forgets: string,
  steps: readonly Step[],
  more?: 'keysets' | 'not-production',
];

const COUNTER = 'to keep the highest counter, over restarts too';
const STAYS = 'that what is in force stays until the next start';

const ROWS: readonly Row[] = [
  [
    'renewal',
    'a renewal is pasted and comes into force',
    'to take a higher counter',
    [...begin(one), start('active', 1), install(two, 'active', 2), restart('active', 2)],
  ],
  [
    'rollback-install',
    'an older license is pasted after a newer one',
    COUNTER,
    [
      ...begin(one),
      start('active', 1),
      install(two, 'active', 2),
      refused(one, 'counter_rolled_back', 'active', 2),
      restart('active', 2),
    ],
  ],
  [
    'rollback-file',
    'an older file is put in place, and the product restarts',
    COUNTER,
    [
      ...begin(one),
      start('active', 1),
      install(two, 'active', 2),
      put(one),
      refusedStart('restart', 'counter_rolled_back'),
      put(two),
      restart('active', 2),
    ],
  ],
  [
    'rollback-not-production',
    'the same outside production: the free tier',
    COUNTER,
    [...begin(one), start('active', 1), install(two, 'active', 2), put(one), restart('free_tier')],
    'not-production',
  ],
  [
    'rollback-running',
    'an older file is put in place while the product runs',
    STAYS,
    [...begin(one), start('active', 1), install(two, 'active', 2), put(one), tick('active', 2)],
  ],
  [
    'rollback-twice',
    'an older license is refused after two restarts',
    COUNTER,
    [
      ...begin(one),
      start('active', 1),
      install(two, 'active', 2),
      restart('active', 2),
      restart('active', 2),
      refused(one, 'counter_rolled_back', 'active', 2),
    ],
  ],
  [
    'state-lost',
    'the state is lost: an older license is accepted again, which nothing local can prevent',
    'that lost state is a first start',
    [...begin(one), start('active', 1), install(two, 'active', 2), put(one), lose, restart('active', 1)],
  ],
  [
    'state-restored',
    'a backup of the state is put back under a newer license',
    'that older state does not refuse a newer license',
    [
      ...begin(one),
      start('active', 1),
      { do: 'save-state' },
      restart('active', 1),
      install(two, 'active', 2),
      { do: 'restore-state' },
      restart('active', 2),
      refused(one, 'counter_rolled_back', 'active', 2),
    ],
  ],
  [
    'conflict',
    'another license with the counter of the one in force',
    'that one counter belongs to one payload',
    [
      ...begin(one),
      start('active', 1),
      refused(otherOne, 'counter_conflict', 'active', 1),
      put(otherOne),
      refusedStart('restart', 'counter_conflict'),
    ],
  ],
  [
    'same-again',
    'the same license is pasted again',
    'that the same payload is the same license',
    [...begin(one), start('active', 1), install(one, 'active', 1), restart('active', 1)],
  ],
  [
    'line-ends',
    'the file is saved with CRLF and blank lines',
    'that blanks around the block mean nothing',
    [...begin(one), start('active', 1), put(crlf), tick('active', 1), restart('active', 1)],
  ],
  [
    'grace',
    'a license expires, its grace ends, and a renewal comes late',
    'that each state begins at its second',
    [
      ...begin(withGrace),
      start('active', 1),
      at(EXP - 1),
      tick('active', 1),
      at(EXP),
      tick('grace', 1),
      restart('grace', 1),
      at(EXP + GRACE - 1),
      tick('grace', 1),
      at(EXP + GRACE),
      tick('free_tier'),
      restart('free_tier'),
      install(renewed, 'active', 2),
    ],
  ],
  [
    'lapsed-installed',
    'a license that has lapsed is pasted',
    'that a lapsed license is not installed',
    [...begin(one), start('active', 1), refused(shortNext, 'lapsed', 'active', 1)],
  ],
  [
    'lapsed-start',
    'a start with a license that has lapsed: the free tier, and no refusal',
    'that expiry is no outage',
    [...begin(short), start('free_tier'), install(two, 'active', 2)],
  ],
  [
    'renewal-early',
    'a renewal is pasted before its time, and waits over a restart',
    'that a renewal waits for its nbf',
    [
      ...begin(one),
      start('active', 1),
      install(nextYear, 'active', 1),
      restart('active', 1),
      at(EXP - 1),
      tick('active', 1),
      at(EXP),
      tick('active', 2),
    ],
  ],
  [
    'missing',
    'a start in production without a file',
    'that production does not start without a license',
    [...begin(null), refusedStart('start', 'file_missing'), put(one), restart('active', 1)],
  ],
  [
    'missing-not-production',
    'the same outside production',
    'that development starts with the free tier',
    [...begin(null), start('free_tier'), put(one), tick('active', 1)],
    'not-production',
  ],
  [
    'broken',
    'a file that is cut off',
    STAYS,
    [
      ...begin(one),
      start('active', 1),
      put(broken),
      tick('active', 1),
      refusedStart('restart', 'armor_malformed'),
      put(one),
      restart('active', 1),
    ],
  ],
  [
    'garbage',
    'a block that contains no license',
    STAYS,
    [
      ...begin(one),
      start('active', 1),
      refused(notVtlic, 'cose_malformed', 'active', 1),
      put(notVtlic),
      refusedStart('restart', 'cose_malformed'),
    ],
  ],
  [
    'removed',
    'the file is removed while the product runs',
    STAYS,
    [...begin(one), start('active', 1), put(null), tick('active', 1), refusedStart('restart', 'file_missing')],
  ],
  [
    'other-product',
    'a license for another product is pasted',
    'that a refused installation changes nothing',
    [...begin(one), start('active', 1), refused(otherProduct, 'product_mismatch', 'active', 1), restart('active', 1)],
  ],
  [
    'other-lineage',
    'a license of another deployment that is not newer, and then one that is',
    'that a license of another lineage has to be newer',
    [
      ...begin(bound),
      start('active', 5),
      refused(one, 'lineage_not_newer', 'active', 5),
      install(unboundLater, 'active', 1),
      refused(bound, 'lineage_not_newer', 'active', 1),
    ],
  ],
  [
    'clk',
    'a license from 2099 was taken by mistake, and one with clk is the way out',
    'clk, or that it counts only for the next license of the lineage',
    [
      ...begin(farIat),
      start('active', 1),
      refused(two, 'lapsed', 'active', 1),
      install(withClk, 'active', 2),
      restart('active', 2),
      at(EXP),
      tick('free_tier'),
    ],
  ],
  [
    'rotate-revoke',
    'a keyset revokes the key of the license in force, also after its file is gone',
    'that state keeps the newest keyset',
    [
      ...begin(byFirst),
      start('active', 1),
      rotate(chain2),
      restart('free_tier'),
      rotate(null),
      restart('free_tier'),
      refused(byFirst, 'key_revoked', 'free_tier'),
    ],
    'keysets',
  ],
  [
    'rotate-new-key',
    'a license by a key that a new keyset brings',
    'that a keyset brings keys',
    [
      ...begin(byFirst),
      start('active', 1),
      refused(bySecond, 'key_unknown', 'active', 1),
      rotate(chain2),
      restart('free_tier'),
      install(bySecond, 'active', 2),
    ],
    'keysets',
  ],
  [
    'rotate-pasted',
    'a license and the keyset that brings its key are pasted together',
    'that keysets may be pasted with a license',
    [...begin(byFirst), start('active', 1), install(pastedBoth, 'active', 2), restart('active', 2)],
    'keysets',
  ],
  [
    'rotate-forged',
    'a keyset that too few roots signed revokes nothing',
    'the threshold of the roots before',
    [...begin(byFirst), rotate(forged2), start('active', 1)],
    'keysets',
  ],
  [
    'stolen-counter',
    'a forgery with the counter 2^53-1 by a stolen key does not block the license after it',
    'that what a revoked key signed does not count in the state',
    [
      ...begin(byFirst),
      start('active', 1),
      install(stolen, 'active', Number.MAX_SAFE_INTEGER),
      rotate(chain2),
      restart('free_tier'),
      install(bySecond, 'active', 2),
      restart('active', 2),
    ],
    'keysets',
  ],
];

const SECTION: readonly (readonly [id: RegExp, clause: string])[] = [
  [/^rotate|^stolen/, 'keysets.md#K5'],
  [/^clk/, 'format.md#10.2'],
  [/^other-lineage/, 'format.md#10.1'],
];

export function historyCases(): readonly CaseFolder[] {
  return ROWS.map(([id, title, forgets, steps, more]) => {
    const value: HistoryCase = {
      id: `history/${id}`,
      title: `history: ${title}`,
      clause: [
        'runtime.md#What-follows-from-a-verdict',
        ...SECTION.filter(([pattern]) => pattern.test(id)).map(([, clause]) => clause),
      ],
      profile: 'required',
      operation: 'history',
      production: more !== 'not-production',
      ...(more === 'keysets' ? { builtIn: chain1 } : { trust: trustValues({ keys: [active('ed25519')] }) }),
      context: { issuer: 'example-vendor', product: 'vaultdesk', deployment: 'prod-eu', defaultGrace: 0 },
      steps,
      forgets,
    };
    const names = steps.flatMap((step) => ('license' in step ? [step.license] : 'keyset' in step ? [step.keyset] : []));
    const files = new Map(
      [...names, value.builtIn].flatMap((input) => {
        const bytes = FILES.get(input?.file ?? '');
        return bytes === undefined || input === null || input === undefined ? [] : [[input.file, bytes] as const];
      }),
    );
    return { value, files };
  });
}
