/** The bytes of the state: what a copy must be, member by member. */
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../../../formats/bytes.ts';
import { encodeCbor, type CborValue } from '../../../../formats/cbor/index.ts';
import { LICENSE_LIMITS } from '../../../../formats/armor.ts';
import { MAX_CHAIN_BYTES } from '../../../../formats/keyset/keyset.ts';
import { MAX_COUNT, MAX_TIME } from '../../../../formats/license/bounds.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { decodeState, encodeState, MAX_ENTRIES, MAX_STATE_BYTES } from '../../../../verifier/runtime/state-document.ts';
import { EMPTY_STATE, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { thrown } from '../../../support/thrown.ts';

const BEGIN = utf8('vtlic-state\n');
const [KID, DIGEST] = ['ab'.repeat(32), 'cd'.repeat(32)];
const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();

const STATE: RuntimeState = {
  epoch: 2,
  time: { floor: 300, leadRun: 40, leadTime: 500 },
  entries: [{ lineage: 'v/p/c', kid: KID, counter: 7, payloadDigest: DIGEST, iat: 6, sequence: 5 }],
  kept: { sequence: 5, file: Uint8Array.of(1) },
  keyset: { version: 3, chain: Uint8Array.of(2) },
  revision: 9,
  lease: { holder: 'a process', beat: 4 },
};

const ENTRY = { lineage: 'v/p/c', kid: bytesOf(KID), ctr: 7, digest: bytesOf(DIGEST), iat: 6, seq: 5 };

/** The members of the same state, as the document has them. */
const MEMBERS: Readonly<Record<string, CborValue>> = {
  format: 1,
  revision: 9,
  epoch: 2,
  floor: 300,
  lead: 40,
  leadTime: 500,
  accepted: [mapOf(ENTRY)],
  kept: mapOf({ seq: 5, file: Uint8Array.of(1) }),
  keyset: mapOf({ version: 3, chain: Uint8Array.of(2) }),
  lease: mapOf({ holder: 'a process', beat: 4 }),
};

function mapOf(members: Readonly<Record<string, CborValue>>): Map<string, CborValue> {
  return new Map(Object.entries(members));
}

function documentOf(content: CborValue): Uint8Array {
  const body = encodeCbor(content);
  return concatBytes(BEGIN, nodeProvider.sha256(body), body);
}

const withMembers = (changes: Readonly<Record<string, CborValue>>): Uint8Array =>
  documentOf(mapOf({ ...MEMBERS, ...changes }));

const withEntry = (changes: Readonly<Record<string, CborValue>>): Uint8Array =>
  withMembers({ accepted: [mapOf({ ...ENTRY, ...changes })] });

const corrupt = (detail: string): unknown => ({ ok: false, fault: 'corrupt', detail });

describe('the document of a state', () => {
  it('is its first line, the digest of its map, and the map', () => {
    expect(encodeState(STATE)).toStrictEqual(documentOf(mapOf(MEMBERS)));
    expect(decodeState(documentOf(mapOf(MEMBERS)))).toStrictEqual({ ok: true, state: STATE });
  });

  it('of a new installation has no optional members', () => {
    const { kept: _kept, keyset: _keyset, lease: _lease, ...rest } = MEMBERS;
    const empty = { ...rest, revision: 0, epoch: 0, floor: 0, lead: 0, leadTime: 0, accepted: [] };
    expect(encodeState(EMPTY_STATE)).toStrictEqual(documentOf(mapOf(empty)));
    expect(decodeState(encodeState(EMPTY_STATE))).toStrictEqual({ ok: true, state: EMPTY_STATE });
  });

  it('keeps up to 64 members of a later release, and no member that has no name', () => {
    const later = (count: number): Record<string, CborValue> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`later ${i}`, i]));
    expect(decodeState(withMembers(later(64)))).toStrictEqual({
      ok: true,
      state: { ...STATE, unknown: mapOf(later(64)) },
    });
    expect(encodeState({ ...STATE, unknown: mapOf(later(64)) })).toStrictEqual(withMembers(later(64)));
    const refused = corrupt('it has members that cannot be kept');
    expect(decodeState(withMembers(later(65)))).toStrictEqual(refused);
    expect(decodeState(documentOf(new Map<CborValue, CborValue>([...mapOf(MEMBERS), [1, 2]])))).toStrictEqual(refused);
  });

  it('is of a later release where its format is above 1, whatever else it has', () => {
    expect(decodeState(withMembers({ format: 2, accepted: 'otherwise' }))).toStrictEqual({
      ok: false,
      fault: 'newer',
      detail: 'it has the format 2, and this release reads 1',
    });
  });

  it('is not called damaged where a caller gives no bytes', () => {
    expect(() => decodeState(undefined as unknown as Uint8Array)).toThrow(TypeError);
  });

  it('is not made where a kid or a digest is not in hex', () => {
    const entries = STATE.entries.map((one) => ({ ...one, kid: 'not hex' }));
    expect(thrown(() => encodeState({ ...STATE, entries }))).toMatchObject({ code: 'internal' });
  });
});

describe('a copy of the state', () => {
  const at = (value: number): number => value;

  it.each<[what: string, bytes: () => Uint8Array, detail: string]>([
    ['that is empty', () => new Uint8Array(), 'it does not begin as a state does'],
    ['that ends with its digest', () => encodeState(STATE).subarray(0, 44), 'it does not begin as a state does'],
    ['with another first line', () => encodeState(STATE).fill(at(65), 0, 1), 'it does not begin as a state does'],
    ['with another digest', () => encodeState(STATE).fill(at(65), 20, 24), 'its digest does not match its content'],
    ['without a map', () => documentOf([1]), 'its content is not a map'],
    ['above 20 MiB', () => new Uint8Array(MAX_STATE_BYTES + 1), `it has more than ${20 * 1024 * 1024} bytes`],
    ['of 20 MiB of nothing', () => new Uint8Array(MAX_STATE_BYTES), 'it does not begin as a state does'],
    ['with a format of 0', () => withMembers({ format: 0 }), `its member "format" ${between(1)}, but it is 0`],
    [
      'with a negative revision',
      () => withMembers({ revision: -1 }),
      `its member "revision" ${between(0)}, but it is -1`,
    ],
    ['with a negative epoch', () => withMembers({ epoch: -1 }), `its member "epoch" ${between(0)}, but it is -1`],
    ...['floor', 'lead', 'leadTime'].flatMap((name): [string, () => Uint8Array, string][] => [
      [
        `with a negative ${name}`,
        () => withMembers({ [name]: -1 }),
        `its member "${name}" ${between(0, MAX_TIME)}, but it is -1`,
      ],
      [
        `with a ${name} after the last year`,
        () => withMembers({ [name]: MAX_TIME + 1 }),
        `its member "${name}" ${between(0, MAX_TIME)}, but it is ${MAX_TIME + 1}`,
      ],
    ]),
    ['with another kind of lineage', () => withEntry({ lineage: 'v/p' }), 'its member "lineage" should be a lineage'],
    [
      'with a kid of 31 bytes',
      () => withEntry({ kid: new Uint8Array(31) }),
      'its member "kid" should have 32 bytes, but it has 31',
    ],
    [
      'with a digest of 33 bytes',
      () => withEntry({ digest: new Uint8Array(33) }),
      'its member "digest" should have 32 bytes, but it has 33',
    ],
    ['with a counter of 0', () => withEntry({ ctr: 0 }), `its member "ctr" ${between(1, MAX_COUNT)}, but it is 0`],
    ['with a negative iat', () => withEntry({ iat: -1 }), `its member "iat" ${between(0, MAX_TIME)}, but it is -1`],
    ['with a negative sequence', () => withEntry({ seq: -1 }), `its member "seq" ${between(0)}, but it is -1`],
    ['with one more member of an entry', () => withEntry({ more: 1 }), 'it has members that cannot be kept'],
    [
      'with an entry twice',
      () => withMembers({ accepted: [mapOf(ENTRY), mapOf(ENTRY)] }),
      'its member "accepted" should be sorted, each lineage and key once',
    ],
    [
      'with entries that are not in the order of their lineages',
      () => withMembers({ accepted: [mapOf({ ...ENTRY, lineage: 'v/p/d' }), mapOf(ENTRY)] }),
      'its member "accepted" should be sorted, each lineage and key once',
    ],
    [
      'with a negative sequence of the kept license',
      () => withMembers({ kept: mapOf({ seq: -1, file: Uint8Array.of(1) }) }),
      `its member "seq" ${between(0)}, but it is -1`,
    ],
    [
      'with one more member of the kept license',
      () => withMembers({ kept: mapOf({ seq: 1, file: Uint8Array.of(1), more: 1 }) }),
      'it has members that cannot be kept',
    ],
    [
      'with a kept license above the size of a license',
      () => withMembers({ kept: mapOf({ seq: 1, file: new Uint8Array(LICENSE_LIMITS.fileBytes + 1) }) }),
      'its member "file" should be no larger than a license',
    ],
    [
      'with a negative version of a keyset',
      () => withMembers({ keyset: mapOf({ version: -1, chain: Uint8Array.of(1) }) }),
      `its member "version" ${between(0)}, but it is -1`,
    ],
    [
      'with one more member of the keyset',
      () => withMembers({ keyset: mapOf({ version: 1, chain: Uint8Array.of(1), more: 1 }) }),
      'it has members that cannot be kept',
    ],
    [
      'with a chain of keysets above its size',
      () => withMembers({ keyset: mapOf({ version: 1, chain: new Uint8Array(MAX_CHAIN_BYTES + 1) }) }),
      `its member "chain" should have at most ${MAX_CHAIN_BYTES} bytes`,
    ],
    [
      'with a holder of 201 characters',
      () => withMembers({ lease: mapOf({ holder: 'x'.repeat(201), beat: 1 }) }),
      'its member "holder" should have at most 200 characters, but it has 201',
    ],
    [
      'with a negative beat',
      () => withMembers({ lease: mapOf({ holder: 'x', beat: -1 }) }),
      `its member "beat" ${between(0)}, but it is -1`,
    ],
    [
      'with one more member of the lease',
      () => withMembers({ lease: mapOf({ holder: 'x', beat: 1, more: 1 }) }),
      'it has members that cannot be kept',
    ],
    [
      'with more entries than it may have',
      () => withMembers({ accepted: entriesOf(MAX_ENTRIES + 1) }),
      'its member "accepted" should have at most 4096 entries',
    ],
  ])('%s is corrupt', (_what, bytes, detail) => {
    expect(decodeState(bytes())).toStrictEqual(corrupt(detail));
  });

  it.each<[what: string, bytes: () => Uint8Array]>([
    ['no write yet', () => withMembers({ revision: 0, epoch: 0, floor: 0, lead: 0, leadTime: 0 })],
    ['all times at their end', () => withMembers({ floor: MAX_TIME, lead: MAX_TIME, leadTime: MAX_TIME })],
    ['an entry with the lowest numbers', () => withEntry({ ctr: 1, iat: 0, seq: 0 })],
    ['an entry with the highest numbers', () => withEntry({ ctr: MAX_COUNT, iat: MAX_TIME, seq: MAX_COUNT })],
    ['as many entries as it may have', () => withMembers({ accepted: entriesOf(MAX_ENTRIES) })],
    [
      'the largest license',
      () => withMembers({ kept: mapOf({ seq: 0, file: new Uint8Array(LICENSE_LIMITS.fileBytes) }) }),
    ],
    ['the longest chain', () => withMembers({ keyset: mapOf({ version: 0, chain: new Uint8Array(MAX_CHAIN_BYTES) }) })],
    ['the longest name of a holder', () => withMembers({ lease: mapOf({ holder: 'x'.repeat(200), beat: 0 }) })],
  ])('with %s is whole, and is written as the same bytes', (_what, bytes) => {
    const decoded = decodeState(bytes());
    if (!decoded.ok) throw new Error(decoded.detail);
    expect(Buffer.compare(encodeState(decoded.state), bytes())).toBe(0);
  });
});

function between(min: number, max: number = Number.MAX_SAFE_INTEGER): string {
  return `should be between ${min} and ${max}`;
}

function entriesOf(count: number): CborValue[] {
  return Array.from({ length: count }, (_, i) => mapOf({ ...ENTRY, lineage: `v/p/c${String(i).padStart(5, '0')}` }));
}
