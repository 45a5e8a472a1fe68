import { describe, expect, it } from 'vitest';
import { decodeCbor, encodeCbor, isCborMap, type CborMap, type CborValue } from '../../../formats/cbor/index.ts';
import { decodeCounters, encodeCounters, type CountersDocument } from '../../../formats/counters-document.ts';
import { MAX_COUNT, MAX_TIME } from '../../../formats/license/bounds.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

const DOCUMENT: CountersDocument = {
  iss: 'example.com',
  to: bytes(16, 1),
  ledgerId: bytes(16, 2),
  origin: 'example.com/log',
  made: 1_800_000_000,
  head: { entries: 9, size: 5, root: bytes(32, 3), chain: bytes(32, 4), bound: 12 },
  taken: bytes(64, 5),
  sub: 'acme-gmbh',
  floor: 3,
  lineages: [
    { aud: 'app', sub: 'acme-gmbh', ctr: 4 },
    { aud: 'app', sub: 'acme-gmbh', dep: 'a', ctr: 0, payloadDigest: bytes(32, 6) },
    { aud: 'app', sub: 'acme-gmbh', dep: 'b', ctr: 1 },
    { aud: 'desk', sub: 'acme-gmbh', ctr: 7 },
  ],
};

const { to: _to, ...FOR_NOBODY } = DOCUMENT;
const { sub: _sub, ...FOR_ALL } = DOCUMENT;
const { taken: _taken, ...NOTHING_TAKEN } = DOCUMENT;
const { to: _recipient, ...firstRest } = NOTHING_TAKEN;
const { bound: _bound, ...firstHead } = DOCUMENT.head;
/** As version 0.1.0 wrote it. */
const FIRST: CountersDocument = { ...firstRest, head: firstHead };

type Members = Readonly<Record<string, CborValue | undefined>>;

function changed(map: CborMap, members: Members): CborMap {
  const made = new Map(map);
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) made.delete(name);
    else made.set(name, value);
  }
  return made;
}

function mapIn(value: CborValue | undefined): CborMap {
  if (value === undefined || !isCborMap(value)) throw new Error('this is no map');
  return value;
}

const rootOf = (document: CountersDocument): CborMap => mapIn(decodeCbor(encodeCounters(document)));
const withMembers = (members: Members, document = DOCUMENT): CountersDocument =>
  decodeCounters(encodeCbor(changed(rootOf(document), members)));
const withHead = (members: Members, document = DOCUMENT): CountersDocument =>
  withMembers({ head: changed(mapIn(rootOf(document).get('head')), members) }, document);
const withLineage = (members: Members): CountersDocument => {
  const lineage = new Map<CborValue, CborValue>([
    ['aud', 'app'],
    ['sub', 'acme-gmbh'],
    ['ctr', 4],
  ]);
  return withMembers({ lineages: [changed(lineage, members)] });
};

describe('a counters document', () => {
  it.each<[string, CountersDocument]>([
    ['for one customer', DOCUMENT],
    ['for all customers', FOR_ALL],
    ['of counters that no document brought', NOTHING_TAKEN],
    ['of version 0.1.0', FIRST],
  ])('is read back as it was written: %s', (_, document) => {
    expect(decodeCounters(encodeCounters(document))).toStrictEqual(document);
  });

  it.each<[string, CountersDocument, readonly string[], readonly string[]]>([
    [
      'as docs/ledger.md lists them',
      DOCUMENT,
      ['floor', 'format', 'head', 'iss', 'ledger', 'lineages', 'made', 'origin', 'sub', 'taken', 'to'],
      ['bound', 'chain', 'entries', 'root', 'size'],
    ],
    [
      'without bound and documents taken, where it names no recipient, since version 0.1.0 knew none of these',
      FOR_NOBODY,
      ['floor', 'format', 'head', 'iss', 'ledger', 'lineages', 'made', 'origin', 'sub'],
      ['chain', 'entries', 'root', 'size'],
    ],
  ])('has its members %s', (_, document, members, headMembers) => {
    const root = rootOf(document);
    expect([...root.keys()].map(String).sort()).toEqual(members);
    expect([...mapIn(root.get('head')).keys()].map(String).sort()).toEqual(headMembers);
    expect(root.get('format')).toBe(document.to === undefined ? 1 : 2);
  });

  it('is frozen, so that nothing changes counters between the check and their import', () => {
    const { head, lineages, ...rest } = decodeCounters(encodeCounters(DOCUMENT));
    expect([head, lineages, lineages[0]].map((part) => Object.isFrozen(part))).toEqual([true, true, true]);
    expect(Object.isFrozen(decodeCounters(encodeCounters(FIRST)))).toBe(true);
    expect(rest.iss).toBe('example.com');
  });

  it('may have each number at the ends of its range, an origin of 512 characters and no lineages', () => {
    expect(withMembers({ made: 0, floor: 0, lineages: [] })).toMatchObject({ made: 0, floor: 0, lineages: [] });
    expect(withMembers({ made: MAX_TIME, floor: MAX_COUNT })).toMatchObject({ made: MAX_TIME, floor: MAX_COUNT });
    expect(withMembers({ origin: 'x'.repeat(512) }).origin).toHaveLength(512);
    for (const count of [0, MAX_COUNT]) {
      const counts = { entries: count, size: count, bound: count };
      expect(withHead(counts).head).toMatchObject(counts);
      expect(withLineage({ ctr: count }).lineages).toMatchObject([{ ctr: count }]);
    }
    expect(withMembers({ taken: bytes(32, 5) }).taken).toHaveLength(32);
  });

  it.each<[string, () => CountersDocument, string]>([
    ['format 0', () => withMembers({ format: 0 }), 'format should be one of 1, 2, but it is an integer'],
    ['format 3', () => withMembers({ format: 3 }), 'format should be one of 1, 2, but it is an integer'],
    ['an issuer that is no id', () => withMembers({ iss: 'a b' }), 'iss should be an id'],
    ['a customer that is no id', () => withMembers({ sub: '' }), 'sub should be an id'],
    ['no recipient', () => withMembers({ to: undefined }), 'to should be a byte string, but it is nothing'],
    ['a short recipient', () => withMembers({ to: bytes(15, 1) }), 'to should have 16 bytes, but it has 15'],
    ['a long ledger', () => withMembers({ ledger: bytes(17, 1) }), 'ledger should have 16 bytes, but it has 17'],
    [
      'a long origin',
      () => withMembers({ origin: 'x'.repeat(513) }),
      'origin should have at most 512 characters, but it has 513',
    ],
    ['a negative time', () => withMembers({ made: -1 }), `made should be between 0 and ${MAX_TIME}, but it is -1`],
    ['half a digest', () => withMembers({ taken: bytes(48, 5) }), 'taken should be digests of 32 bytes each'],
    ['no digest', () => withMembers({ taken: bytes(0, 5) }), 'taken should have at least 1 bytes, but it has 0'],
    ['no bound', () => withHead({ bound: undefined }), 'bound should be an integer, but it is nothing'],
    ['a negative size', () => withHead({ size: -1 }), `size should be between 0 and ${MAX_COUNT}, but it is -1`],
    ['a short root', () => withHead({ root: bytes(31, 3) }), 'root should have 32 bytes, but it has 31'],
    ['a long chain', () => withHead({ chain: bytes(33, 3) }), 'chain should have 32 bytes, but it has 33'],
    ['a product that is no id', () => withLineage({ aud: '-' }), 'aud should be an id'],
    ['a deployment that is no id', () => withLineage({ dep: 'a/b' }), 'dep should be an id'],
    ['a negative counter', () => withLineage({ ctr: -1 }), `ctr should be between 0 and ${MAX_COUNT}, but it is -1`],
    ['a short digest', () => withLineage({ payload: bytes(31, 3) }), 'payload should have 32 bytes, but it has 31'],
  ])('with %s is refused', (_, read, words) => {
    expect(inWords(thrown(read))).toBe(`claims_malformed: the counters document is malformed: ${words}`);
  });

  it.each<[string, () => CountersDocument]>([
    ['a member', () => withMembers({ x: 1 })],
    ['a member of the head', () => withHead({ x: 1 })],
    ['a member of a lineage', () => withLineage({ x: 1 })],
    ['a recipient in format 1', () => withMembers({ to: bytes(16, 1) }, FIRST)],
    ['documents taken in format 1', () => withMembers({ taken: bytes(32, 1) }, FIRST)],
    ['a bound in format 1', () => withHead({ bound: 1 }, FIRST)],
  ])('is refused with %s that its format does not know', (_, read) => {
    expect(inWords(thrown(read))).toBe(
      'claims_unknown: the counters document has a member that this version does not know',
    );
  });

  it.each<[string, CountersDocument['lineages']]>([
    ['the same lineage twice', [DOCUMENT.lineages, DOCUMENT.lineages].flatMap(([one]) => one ?? [])],
    ['the same deployment twice', [DOCUMENT.lineages, DOCUMENT.lineages].flatMap(([, one]) => one ?? [])],
    ['deployments out of order', DOCUMENT.lineages.slice(1, 3).toReversed()],
    ['a deployment before none', DOCUMENT.lineages.slice(0, 2).toReversed()],
    ['products out of order', DOCUMENT.lineages.slice(2, 4).toReversed()],
    ['the last two out of order', [0, 1, 3, 2].flatMap((i) => DOCUMENT.lineages[i] ?? [])],
  ])('is refused with %s, because one lineage could have two counters', (_, lineages) => {
    expect(inWords(thrown(() => decodeCounters(encodeCounters({ ...DOCUMENT, lineages }))))).toBe(
      'claims_malformed: the counters document is malformed: lineages should be in order, each once',
    );
  });

  it('orders lineages by the customer, then the product', () => {
    const lineages = [
      { aud: 'zebra', sub: 'acme', ctr: 1 },
      { aud: 'app', sub: 'acme-gmbh', ctr: 1 },
    ];
    expect(decodeCounters(encodeCounters({ ...FOR_ALL, lineages })).lineages).toStrictEqual(lineages);
    expect(
      thrown(() => decodeCounters(encodeCounters({ ...FOR_ALL, lineages: lineages.toReversed() }))).place.field,
    ).toBe('lineages');
  });

  it('for one customer is refused with a lineage of another, whose counters it does not carry', () => {
    const lineages = [...DOCUMENT.lineages, { aud: 'app', sub: 'beta', ctr: 1 }];
    expect(inWords(thrown(() => decodeCounters(encodeCounters({ ...DOCUMENT, lineages }))))).toBe(
      'claims_malformed: the counters document is malformed: ' +
        'lineages should be of the one customer that the document is for',
    );
    expect(decodeCounters(encodeCounters({ ...FOR_ALL, lineages })).lineages).toHaveLength(5);
  });

  it('is refused where the payload is no map, or no CBOR', () => {
    expect(inWords(thrown(() => decodeCounters(encodeCbor([]))))).toBe(
      'claims_malformed: expected a map, got an array',
    );
    expect(thrown(() => decodeCounters(Uint8Array.of(0xa1)))).toMatchObject({
      code: 'claims_malformed',
      place: { offset: 1 },
    });
  });
});
