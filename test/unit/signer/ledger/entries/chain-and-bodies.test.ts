import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../../../formats/bytes.ts';
import { decodeCbor } from '../../../../../formats/cbor/decode.ts';
import { encodeCbor } from '../../../../../formats/cbor/encode.ts';
import { type CborValue, isCborMap } from '../../../../../formats/cbor/value.ts';
import { CHAIN_START, chainValue } from '../../../../../signer/ledger/entries/chain.ts';
import { decodeEntry } from '../../../../../signer/ledger/store/rows.ts';
import { type Bodies, decodeBody, isReleasePath, makeBody } from '../../../../../signer/ledger/entries/entry-body.ts';
import { ENTRY_KINDS, type EntryKind } from '../../../../../signer/ledger/entries/entry.ts';
import { issueLeaf, voidLeaf } from '../../../../../signer/ledger/tree/leaf.ts';
import { lineageText, sameLineage } from '../../../../../signer/ledger/entries/lineage.ts';
import { logOrigin } from '../../../../../signer/ledger/tree/log-key.ts';
import { ACME, coseFor, digest, intentFor, ISS, KID, START } from '../ledger-fixture.ts';
import { thrown } from '../../../../support/thrown.ts';

const ledgerId = new Uint8Array(16).fill(7);
const intent = intentFor({ ...ACME, dep: 'prod' }, 3);
const BODIES: Bodies = {
  genesis: {
    format: 1,
    ledgerId,
    iss: ISS,
    origin: logOrigin(ISS, ledgerId),
    anchor: { kind: 'file', path: '/anchors/a' },
  },
  intent,
  issue: { intent: 2, cose: Uint8Array.of(1), salt: new Uint8Array(32).fill(1), leafIndex: 0 },
  void: { intent: 2, reason: 'crash', salt: new Uint8Array(32).fill(1), leafIndex: 5 },
  release: { intent: 2, path: 'out/a/b/1-x.vtlic', fileDigest: digest('x') },
  clock: { reading: 1, confirmed: 2, operator: '' },
  adopt: {
    act: 'import',
    document: digest('document'),
    kid: KID,
    ledgerId,
    sub: 'acme-gmbh',
    floor: 3,
    highest: 9,
    operator: 'officer',
  },
  close: { sub: 'acme-gmbh', document: Uint8Array.of(1), operator: 'officer' },
};

function corrupt(fn: () => unknown): string {
  const { code, message } = thrown(fn);
  expect(code).toBe('ledger_corrupt');
  return message;
}

describe('the chain', () => {
  it('is SHA-256 over domain, the value before, and the entry as CBOR', () => {
    const body = Uint8Array.of(0xa0);
    const plain = createHash('sha256')
      .update('vtlic-ledger-chain/1\n')
      .update(new Uint8Array(32))
      .update(Buffer.from('840165636c6f636b0941a0', 'hex'))
      .digest('hex');
    expect(toHex(chainValue(CHAIN_START, 1, 'clock', 9, body))).toBe(plain);
  });

  it.each([0, 23, 24, 255, 256, 65_535, 65_536, 70_000])('is the same SHA-256 for a body of %d bytes', (length) => {
    const body = new Uint8Array(length).fill(5);
    const plain = createHash('sha256')
      .update('vtlic-ledger-chain/1\n')
      .update(digest('before'))
      .update(encodeCbor([300, 'issue', START, body]))
      .digest('hex');
    expect(toHex(chainValue(digest('before'), 300, 'issue', START, body))).toBe(plain);
  });
});

const head = {
  entries: 9,
  logId: ledgerId,
  size: 4,
  root: digest('root'),
  counterBound: 4,
  closes: 0,
  chain: digest('chain'),
};
const anchor = { kind: 'file', path: '/anchors/b' } as const;
const opened = {
  act: 'log',
  reason: 'restored',
  logId: new Uint8Array(16).fill(8),
  origin: 'x/vtlic-ledger/08',
  anchor,
  restored: head,
  covered: 3,
  coveredBound: 3,
  found: { ...head, entries: 20, size: 9, counterBound: 9 },
  skip: 6,
  highest: 3,
  closed: false,
  operator: 'officer',
  salt: new Uint8Array(32).fill(2),
  leafIndex: 0,
} as const;
const { aud, sub, dep, ctr, licenseId, kid, payload } = intent;

const BODIES_OF_EACH: readonly (readonly [string, EntryKind, Bodies[EntryKind]])[] = [
  ...ENTRY_KINDS.map((kind) => [kind, kind, BODIES[kind]] as const),
  ['adopt log', 'adopt', opened],
  [
    'adopt log after keysets were signed',
    'adopt',
    {
      ...opened,
      restored: { ...head, keysetVersion: 3 },
      found: { ...opened.found, keysetVersion: 7 },
      keysetVersion: 7,
    },
  ],
  [
    'adopt license',
    'adopt',
    {
      act: 'license',
      cose: coseFor(intent),
      license: { aud, sub, ...(dep === undefined ? {} : { dep }), ctr, licenseId, kid, payload },
      salt: opened.salt,
      leafIndex: 1,
    },
  ],
  ['adopt anchor', 'adopt', { act: 'anchor', anchor, operator: '' }],
  [
    'adopt counter',
    'adopt',
    { act: 'counter', aud: 'vaultdesk', sub: 'acme-gmbh', dep: 'eu', ctr: 5, payloadDigest: digest('p') },
  ],
  ['adopt reopen', 'adopt', { act: 'reopen', closedBy: 7, sub: 'acme-gmbh', operator: 'officer' }],
];

/** Members that may be left out, of the entries that have them. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  intent: ['dep'],
  adopt: ['sub'],
  close: ['sub'],
  'adopt log': ['found'],
  'adopt log after keysets were signed': ['found', 'keyset'],
  'adopt counter': ['dep', 'payload'],
  'adopt reopen': ['sub'],
};

describe('bodies', () => {
  it.each(BODIES_OF_EACH)('%s: comes back as it went', (_name, kind, given) => {
    const { bytes, body } = makeBody(kind, given);
    expect(body).toEqual(given);
    expect(decodeBody(kind, bytes, 'entry 1')).toEqual(given);
    expect(encodeCbor(decodeCbor(bytes))).toEqual(bytes);
  });

  it.each(BODIES_OF_EACH)('%s: a missing, an unknown and a mistyped member is refused', (each, kind, given) => {
    const map = decodeCbor(makeBody(kind, given).bytes);
    if (!isCborMap(map)) throw new Error('no map');
    const changed = (change: (copy: Map<CborValue, CborValue>) => void): (() => unknown) => {
      const copy = new Map(map);
      change(copy);
      return () => decodeBody(kind, encodeCbor(copy), `entry 7 (${kind})`);
    };
    expect(corrupt(changed((copy) => copy.set('surprise', 1)))).toContain(
      `entry 7 (${kind}): its body has members that this version does not know`,
    );
    for (const name of map.keys()) {
      if (typeof name !== 'string') throw new Error('members are named by texts');
      if (!(OPTIONAL[each] ?? []).includes(name))
        expect(corrupt(changed((copy) => copy.delete(name)))).toContain(`${name} should be`);
      expect(corrupt(changed((copy) => copy.set(name, name === 'closed' ? 0 : false)))).toContain(`${name} should be`);
    }
  });

  it('an intent names the row of the batch that asked for it, strictly', () => {
    const batch = { name: 'renewals-2028', row: digest('row') };
    const { bytes, body } = makeBody('intent', { ...intent, batch });
    expect(body.batch).toEqual(batch);
    expect(Object.isFrozen(body.batch)).toBe(true);
    expect(makeBody('intent', intent).body.batch).toBeUndefined();
    const map = decodeCbor(bytes);
    if (!isCborMap(map)) throw new Error('no map');
    const withBatch =
      (members: Readonly<Record<string, CborValue>>): (() => unknown) =>
      () =>
        decodeBody(
          'intent',
          encodeCbor(new Map([...map, ['batch', new Map<CborValue, CborValue>(Object.entries(members))]])),
          'entry 7 (intent)',
        );
    expect(corrupt(withBatch({ name: 'renewals-2028' }))).toContain('row should be');
    expect(corrupt(withBatch({ name: 'two words', row: batch.row }))).toContain('name should be an id');
    expect(corrupt(withBatch({ ...batch, row: batch.row.subarray(1) }))).toContain('row should have 32 bytes');
    expect(corrupt(withBatch({ ...batch, line: 4 }))).toContain('members that this version does not know');
  });

  it('refuses a body that is not a map, or no CBOR', () => {
    expect(corrupt(() => decodeBody('clock', Uint8Array.of(1), 'entry 2'))).toContain('entry 2: its body is not a map');
    expect(corrupt(() => decodeBody('clock', Uint8Array.of(0xbf), 'entry 2'))).toContain('not deterministic');
    expect(corrupt(() => decodeBody('clock', new Uint8Array(0), 'entry 2'))).toContain('malformed');
  });

  it('an unknown kind or void reason is refused', () => {
    expect(
      corrupt(() =>
        decodeEntry({ seq: 4, kind: 'ado\u001bpt', at: 1, body: Uint8Array.of(0xa0), chain: new Uint8Array(32) }),
      ),
    ).toContain('entry 4: its kind "ado\\u{001B}pt" is unknown');
    expect(
      corrupt(() =>
        decodeEntry({ seq: 4, kind: 'clock', at: -1, body: Uint8Array.of(0xa0), chain: new Uint8Array(32) }),
      ),
    ).toContain('its time -1 is out of range');
    const bytes = encodeCbor(
      new Map<CborValue, CborValue>([
        ['intent', 2],
        ['reason', 'boredom'],
        ['salt', new Uint8Array(32)],
        ['leaf', 0],
      ]),
    );
    expect(corrupt(() => decodeBody('void', bytes, 'entry 2'))).toContain(
      'reason should be one of crash, signing_failed, signing_unknown, self_check_failed, interrupted, restored, but it is "boredom"',
    );
  });

  it('a body out of bounds is never recorded', () => {
    expect(() => makeBody('clock', { reading: -1, confirmed: 1, operator: '' })).toThrow("breaks the ledger's rules");
    expect(() => makeBody('clock', { reading: 1, confirmed: 1, operator: 'x'.repeat(1025) })).toThrow(
      'at most 1024 characters',
    );
  });
});

describe('leaves', () => {
  it('commit to salt, license, counter, digests, and to key or reason', () => {
    expect(decodeCbor(issueLeaf(intent, BODIES.issue))).toEqual([
      'vtlic-ledger-leaf/1',
      'issue',
      BODIES.issue.salt,
      intent.licenseId,
      3,
      digest(intent.payload),
      digest(Uint8Array.of(1)),
      new Uint8Array(32).fill(0xab),
    ]);
    expect(decodeCbor(voidLeaf(intent, BODIES.void))).toEqual([
      'vtlic-ledger-leaf/1',
      'void',
      BODIES.void.salt,
      intent.licenseId,
      3,
      digest(intent.payload),
      'crash',
    ]);
  });
});

describe('names', () => {
  it('the origin is a schema-less URL with the ledger id', () => {
    expect(logOrigin('example.com', ledgerId)).toBe(`example.com/vtlic-ledger/${'07'.repeat(16)}`);
    expect(utf8(logOrigin(ISS, ledgerId)).every((byte) => byte > 0x20 && byte !== 0x2b)).toBe(true);
  });

  it('lineages are compared and written as text', () => {
    expect(lineageText(ACME)).toBe('acme-gmbh / vaultdesk');
    expect(lineageText(intent)).toBe('acme-gmbh / vaultdesk / prod');
    expect(sameLineage(ACME, { ...ACME })).toBe(true);
    expect(sameLineage(ACME, intent)).toBe(false);
    expect(sameLineage(ACME, { ...ACME, aud: 'x' })).toBe(false);
    expect(sameLineage(ACME, { ...ACME, sub: 'x' })).toBe(false);
  });

  it.each(['out/a/b/1-x.vtlic', 'x', 'a..b/c.'])('%j is below the site', (path) =>
    expect(isReleasePath(path)).toBe(true),
  );
  it.each(['', '/x', 'x/', 'a//b', '.', '..', 'a/../b', './a', 'a\\b', 'a\nb', 'a\u202eb', 'a\0b', 'x'.repeat(1025)])(
    '%j is not below the site',
    (path) => expect(isReleasePath(path)).toBe(false),
  );
});
