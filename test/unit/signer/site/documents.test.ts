/** docs/site.md and its JSON Schemas say what the readers of catalogs, requests and sites accept, with every bound. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { parseRequest, MEMBER_NAMES } from '../../../../signer/request/parse.ts';
import { parseCatalog } from '../../../../signer/site/catalog.ts';
import type { FileKeystore, TokenKeystore } from '../../../../signer/site/keystore-config.ts';
import {
  encodeSite,
  openSite,
  parseSite,
  type KeyRecord,
  type SiteConfig,
  type TokenObject,
} from '../../../../signer/site/site.ts';
import { schemaFaults } from '../../../support/json-schema.ts';
import { ROOT } from '../../../support/run-cli.ts';
import { makeSite, requestDocument } from '../../../support/site-fixture.ts';

type Json = Readonly<Record<string, unknown>>;

const PARSERS = { catalog: parseCatalog, request: parseRequest, site: parseSite } as const;
type Kind = keyof typeof PARSERS;

const SCHEMAS = Object.fromEntries(
  Object.keys(PARSERS).map((kind) => [
    kind,
    JSON.parse(readFileSync(join(ROOT, `docs/schemas/${kind}.schema.json`), 'utf8')) as Json,
  ]),
);
const PAGE = readFileSync(join(ROOT, 'docs/site.md'), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^```json\n(.*?)^```/gms)].map((match) => JSON.parse(match[1] ?? '') as Json);

function accepts(kind: Kind, document: Json): boolean {
  try {
    PARSERS[kind](utf8(JSON.stringify(document)), 'file.json');
    return true;
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

function valid(kind: Kind, document: Json): boolean {
  return schemaFaults(SCHEMAS[kind] ?? {}, document).length === 0;
}

function kindOf(document: Json): Kind {
  return (['catalog', 'request', 'site'] as const).find((kind) => document['schema'] === schemaOf(kind)) ?? 'site';
}

function schemaOf(kind: Kind): unknown {
  const properties = SCHEMAS[kind]?.['properties'] as Readonly<Record<string, Json>> | undefined;
  return properties?.['schema']?.['const'];
}

const CATALOG = EXAMPLES.find((example) => kindOf(example) === 'catalog') ?? {};

/** The document with the value at a path of names, or without that member. */
function changed(document: Json, path: readonly string[], value: unknown): Json {
  const copy = structuredClone(document) as Record<string, unknown>;
  let inner: Record<string, unknown> = copy;
  for (const name of path.slice(0, -1)) inner = inner[name] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete inner[last];
  else inner[last] = value;
  return copy;
}

const PRODUCT = ['products', 'vaultdesk'] as const;
const TEAM = [...PRODUCT, 'tiers', 'team'] as const;
const MAX = Number.MAX_SAFE_INTEGER;

describe('docs/site.md', () => {
  it.each(EXAMPLES.map((example) => [String(example['schema']), example] as const))(
    'has an example of %s that the reader and the schema accept',
    (_, example) => {
      expect([accepts(kindOf(example), example), valid(kindOf(example), example)]).toEqual([true, true]);
    },
  );

  it('has one example of each kind, and names every member of a request', () => {
    expect(EXAMPLES.map(kindOf)).toEqual(['catalog', 'request', 'site']);
    for (const name of MEMBER_NAMES) expect(PAGE).toMatch(new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  });
});

describe('the schema and the reader', () => {
  it.each<[Kind, readonly string[], readonly unknown[], readonly unknown[]]>([
    ['catalog', ['schema'], [], ['vtlic-catalog/2', undefined]],
    ['catalog', ['comment'], ['a', ['a', 'b'], []], [1, [1], null, {}]],
    ['catalog', ['products'], [{}], [[], undefined, { 'two words': {} }]],
    ['catalog', ['other'], [], [1]],
    ['catalog', [...PRODUCT, 'comment'], ['a'], [true]],
    ['catalog', [...PRODUCT, 'maxTermDays'], [1, 36_525, 'perpetual'], [0, 36_526, 1.5, '366', 'forever', undefined]],
    ['catalog', [...PRODUCT, 'maxGraceDays'], [0, 366], [-1, 367, '30', undefined]],
    ['catalog', [...PRODUCT, 'maxEmergencyDays'], [1, 90, undefined], [0, 91, '30']],
    ['catalog', [...PRODUCT, 'tiers'], [{}], [[], undefined, { '': { maxSeats: 1 } }]],
    ['catalog', [...TEAM, 'maxSeats'], [0, MAX, 'unlimited'], [-1, MAX + 1, '5', 'all', undefined]],
    ['catalog', [...TEAM, 'features'], [[], ['a'], undefined], ['a', ['two words'], [1]]],
    ['catalog', [...TEAM, 'limits'], [{}, { a: 0 }, { a: MAX }, undefined], [{ a: -1 }, { a: '1' }, { 'a b': 1 }, []]],
    ['catalog', [...TEAM, 'price'], [], [1]],
    ['request', ['schema'], [], ['vtlic-request/2', undefined]],
    ['request', ['customer'], ['a', 'A'.repeat(128), 'a.b_c:d-e'], ['', '-a', 'a b', 'a'.repeat(129), 7, undefined]],
    ['request', ['name'], ['', 'ä'.repeat(200), undefined], ['a'.repeat(201), 7]],
    ['request', ['product'], ['other'], ['', undefined]],
    ['request', ['deployment'], ['a', undefined], ['a/b', null]],
    ['request', ['tier'], ['gold'], [' ', undefined]],
    ['request', ['seats'], [0, MAX, 'unlimited'], [-1, 1.5, MAX + 1, '250', 'many', undefined]],
    [
      'request',
      ['from'],
      ['2026-01-31', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00+01:00'],
      ['31.01.2026', '2026-1-3', 0, undefined],
    ],
    ['request', ['until'], ['2027-01-31', 'perpetual'], ['soon', '2027-01-31 12:00', undefined]],
    ['request', ['graceDays'], [0, 366, undefined], [-1, 367, '30']],
    ['request', ['features'], [[], names(256), undefined], [names(257), ['a', 'a'], 'a', ['a b']]],
    ['request', ['limits'], [{}, { a: 0 }, { a: MAX }, undefined], [{ a: -1 }, { a: '1' }, { 'a b': 1 }, tooMany(257)]],
    ['request', ['reference'], ['a'.repeat(100), undefined], ['a'.repeat(101), 1]],
    ['request', ['instances'], [1, MAX, undefined], [0, '1']],
    ['request', ['hosts'], [['a'.repeat(64)], ['A'.repeat(64)], undefined], [[], ['a'.repeat(63)], 'a'.repeat(64)]],
    ['request', ['offlineSeconds'], [0, 253_402_300_799, undefined], [-1, 253_402_300_800]],
    ['request', ['updatesUntil'], ['2027-01-31', undefined], ['perpetual', 1]],
    ['request', ['use'], ['trial', 'emergency', 'non-production', undefined], ['production', true]],
    ['request', ['resetClock'], [true, undefined], [false, 'true']],
    [
      'request',
      ['ext'],
      [{ a: 'b' }, { a: [1, true, { b: 'c' }] }, tooMany(64), undefined],
      [{}, { a: null }, { a: 1.5 }, tooMany(65), []],
    ],
    ['request', ['price'], [], [1]],
    ['site', ['issuer'], ['a'], ['', undefined]],
    ['site', ['keystores'], [{}], [[], undefined, { 'a b': { type: 'file', path: 'keys' } }]],
    [
      'site',
      ['keystores', 'local'],
      [{ type: 'file', path: '/keys' }],
      [{ type: 'file' }, { type: 'usb', path: '' }, { type: 'file', path: 'keys', uri: '' }],
    ],
    ['site', ['keystores', 'vault', 'uri'], ['pkcs11:token=a'], ['file:a', undefined]],
    ['site', ['keystores', 'vault', 'environment'], [{}, { A_CONF: '/a' }, { A: true }], [{ A: 1 }, { '1A': 'a' }, []]],
    ['site', ['keys'], [[]], [{}, undefined]],
    ['site', ['other'], [], [1]],
  ])('agree on %s: %j', (kind, path, good, bad) => {
    const base = kind === 'request' ? requestDocument() : (EXAMPLES.find((one) => kindOf(one) === kind) ?? {});
    const judged = (value: unknown): unknown => {
      const document = changed(base, path, value);
      return { value, reader: accepts(kind, document), schema: valid(kind, document) };
    };
    for (const value of good) expect(judged(value)).toEqual({ value, reader: true, schema: true });
    for (const value of bad) expect(judged(value)).toEqual({ value, reader: false, schema: false });
  });

  it('agree on a site with keys', async () => {
    const fixture = await makeSite();
    try {
      const document = JSON.parse(readFileSync(openSite(fixture.site).paths.site, 'utf8')) as Json;
      expect((document['keys'] as unknown[]).length).toBe(1);
      expect(schemaFaults(SCHEMAS['site'] ?? {}, document)).toEqual([]);
    } finally {
      fixture.remove();
    }
  });

  it('agree on every member that a site.json can have, by the types of the code', async () => {
    const fixture = await makeSite();
    try {
      // A new optional member of one of these types is missing here for the compiler, until this test has it.
      const object: Required<TokenObject> = {
        label: 'license-2',
        id: '6b31',
        wrappedSeed: Uint8Array.of(1, 2, 3),
        mldsaKeystore: 'other',
      };
      const [key] = openSite(fixture.site).config.keys;
      if (key === undefined) throw new Error('the site has no key');
      const full: Required<KeyRecord> = {
        ...key,
        name: 'license-2',
        keystore: 'vault',
        custody: 'split',
        retired: '2027-01-31T00:00:00Z',
        object,
      };
      const local: Required<FileKeystore> = { type: 'file', name: 'local', path: 'keys' };
      const vault: Required<TokenKeystore> = {
        type: 'pkcs11',
        name: 'vault',
        uri: 'pkcs11:token=a?module-path=/usr/lib/a.so',
        environment: { A_CONF: '/etc/a.conf', A_MODE: true },
      };
      const other: TokenKeystore = { type: 'pkcs11', name: 'other', uri: 'pkcs11:token=b?module-path=/usr/lib/a.so' };
      const config: Required<SiteConfig> = {
        issuer: 'example-vendor',
        keystores: new Map(Object.entries({ local, vault, other })),
        keys: [key, full],
        defaultKey: key.name,
      };
      const bytes = encodeSite(config);
      const document = JSON.parse(Buffer.from(bytes).toString('utf8')) as Json;
      expect(schemaFaults(SCHEMAS['site'] ?? {}, document)).toEqual([]);
      const defs = SCHEMAS['site']?.['$defs'] as Readonly<Record<string, { readonly properties?: Json }>>;
      const inSchema = (name: string): readonly string[] => Object.keys(defs[name]?.properties ?? {}).sort();
      const written = document as { keys: readonly Json[]; keystores: Readonly<Record<string, Json>> };
      expect(Object.keys(SCHEMAS['site']?.['properties'] ?? {}).sort()).toEqual(Object.keys(document).sort());
      expect(inSchema('key')).toEqual(Object.keys(written.keys[1] ?? {}).sort());
      expect(inSchema('tokenObject')).toEqual(Object.keys(written.keys[1]?.['object'] ?? {}).sort());
      expect(inSchema('fileKeystore')).toEqual(Object.keys(written.keystores['local'] ?? {}).sort());
      expect(inSchema('tokenKeystore')).toEqual(Object.keys(written.keystores['vault'] ?? {}).sort());
      // A seed is of wrapped custody and another keystore of split custody: the reader takes the members, one at a time.
      for (const [custody, left] of [
        ['hsm-wrapped', { ...object, mldsaKeystore: undefined }],
        ['split', { ...object, wrappedSeed: undefined }],
      ] as const) {
        const { mldsaKeystore, wrappedSeed, ...name } = left;
        const one: TokenObject = {
          ...name,
          ...(mldsaKeystore === undefined ? {} : { mldsaKeystore }),
          ...(wrappedSeed === undefined ? {} : { wrappedSeed }),
        };
        const { defaultKey: _, ...without } = config;
        const keys = [{ ...full, custody, object: one }];
        const read = parseSite(encodeSite({ ...without, keys }), 'site.json');
        expect(read.keys[0]).toEqual({ ...full, custody, object: one });
      }
    } finally {
      fixture.remove();
    }
  });

  it('the schema takes what the reader takes: any member with any value', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('unlimited', 'perpetual', 0, 1, 366, true, [], {}, 'a'));
    const paths = [
      ['comment'],
      [...PRODUCT, 'maxTermDays'],
      [...PRODUCT, 'maxGraceDays'],
      [...TEAM, 'maxSeats'],
      [...TEAM, 'limits'],
      [...TEAM, 'features'],
    ];
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, fc.constantFrom(...MEMBER_NAMES), (path, item, member) => {
        for (const [kind, document] of [
          ['catalog', changed(CATALOG, path, item)],
          ['request', changed(requestDocument(), [member], item)],
        ] as const) {
          if (!accepts(kind, document)) continue;
          taken++;
          expect(schemaFaults(SCHEMAS[kind] ?? {}, document)).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `f${i}`);
}

function tooMany(count: number): Record<string, number> {
  return Object.fromEntries(names(count).map((name) => [name, 1]));
}
