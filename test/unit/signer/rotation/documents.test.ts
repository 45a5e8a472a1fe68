/** releases.json and the rotation plan: what docs/rotation.md shows is read, and each fault has its own sentence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { parseRotationPlan } from '../../../../signer/rotation/plan.ts';
import { parseReleases, type Release } from '../../../../signer/rotation/releases.ts';
import { schemaFaults } from '../../../support/json-schema.ts';
import { ROOT } from '../../../support/run-cli.ts';
import { thrown } from '../../../support/thrown.ts';

type Json = Record<string, unknown>;

const PAGE = readFileSync(join(ROOT, 'docs/rotation.md'), 'utf8');
const [RELEASES = {}, PLAN = {}] = [...PAGE.matchAll(/^```json\n(.*?)^```/gms)].map(
  (match) => JSON.parse(match[1] ?? '') as Json,
);
const SCHEMA = JSON.parse(readFileSync(join(ROOT, 'docs/schemas/releases.schema.json'), 'utf8')) as Json;
const [OLD = {}, NEW = {}] = RELEASES['releases'] as Json[];
const KID = 'a'.repeat(64);

const read = (document: unknown): readonly Release[] => parseReleases(utf8(JSON.stringify(document)), 'releases.json');
const withRelease = (changes: Json, base: Json = OLD): Json => ({ ...RELEASES, releases: [{ ...base, ...changes }] });

describe('releases.json', () => {
  it('is read as docs/rotation.md shows it, and as its schema says', () => {
    const releases = read(RELEASES);
    expect(schemaFaults(SCHEMA, RELEASES)).toEqual([]);
    expect(releases.map(({ name }) => name)).toEqual(['vaultdesk 4.1', 'vaultdesk 5.0']);
    expect(releases[0]).toMatchObject({ takesKeysets: false, from: 1_768_435_200, until: 1_814_400_000 });
    expect(releases[1]).toMatchObject({ builtIn: { keyset: 2 }, takesKeysets: true });
    expect(releases[1]).not.toHaveProperty('until');
  });

  it.each([
    ['both a keyset and keys', withRelease({ keyset: 1 }), 'should have one of these: "keyset"'],
    ['neither a keyset nor keys', withRelease({ keys: undefined }), 'should have one of these: "keyset"'],
    ['a version 0', withRelease({ keyset: 0 }, NEW), 'should be at least 1'],
    ['a short kid', withRelease({ keys: ['abc'] }), 'should be 64 lower-case hex digits'],
    ['no kid', withRelease({ keys: [] }), 'should name at least one key'],
    ['an empty override', withRelease({ override: [] }), 'should name at least one key'],
    ['an end before its begin', withRelease({ until: '2025-01-01' }), 'should be later than from'],
    ['a day that is not in the calendar', withRelease({ from: '2027-02-30' }), 'there is no day 2027-02-30'],
    ['a name with a line feed', withRelease({ name: 'a\nb' }), 'without control characters'],
    ['a name twice', { ...RELEASES, releases: [OLD, OLD] }, 'is a second release of the name vaultdesk 4.1'],
    ['an unknown member', withRelease({ keyzet: 1 }), 'is an unknown member'],
    ['another schema', { ...RELEASES, schema: 'vtlic-releases/2' }, 'should be "vtlic-releases/1"'],
  ])('is refused with %s', (_what, document, sentence) => {
    expect(thrown(() => read(document)).message).toContain(sentence);
  });
});

describe('a rotation plan', () => {
  const context = {
    issuer: 'example-vendor',
    releases: read(RELEASES),
    kidOfName: (name: string) => (name.startsWith('license-') ? KID : undefined),
  };
  const parse = (document: unknown): unknown => parseRotationPlan(utf8(JSON.stringify(document)), 'plan.json', context);
  const [first = {}, second = {}] = PLAN['steps'] as Json[];

  it('is read as docs/rotation.md shows it', () => {
    expect(parse(PLAN)).toMatchObject({
      steps: [
        { step: 'pre-publish', kid: KID },
        { step: 'activate', early: { releases: ['vaultdesk 4.1'] } },
        { step: 'retire', kid: KID },
        { step: 'policy', ed25519Until: 1_846_022_400 },
      ],
    });
  });

  it.each([
    ['of another issuer', { ...PLAN, issuer: 'other' }, "the plan is another vendor's"],
    [
      'that names an unknown release',
      { ...PLAN, steps: [{ ...second, early: { releases: ['vaultdesk 9'], reason: 'r' } }] },
      'is not a release that releases.json names',
    ],
    ['that names an unknown key', { ...PLAN, steps: [{ ...first, key: 'spare' }] }, 'names no key of this site'],
    ['with an unknown step', { ...PLAN, steps: [{ ...first, step: 'delete' }] }, 'should be one of: pre-publish'],
    ['whose days do not ascend', { ...PLAN, steps: [second, first] }, 'not in the order of their days'],
    [
      'with an empty reason',
      { ...PLAN, steps: [{ ...second, early: { releases: [], reason: ' ' } }] },
      'not only blanks',
    ],
    ['with a policy that says nothing', { ...PLAN, steps: [{ on: '2027-01-01', step: 'policy' }] }, 'should say'],
  ])('is refused: one %s', (_what, document, sentence) => {
    expect(thrown(() => parse(document)).message).toContain(sentence);
  });
});
