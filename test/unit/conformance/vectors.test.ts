/** The published vectors: made anew byte for byte, well formed, and the reference verifier agrees with each. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { equalBytes, fromHex } from '../../../formats/bytes.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { kidOf } from '../../../keys/public/public-key.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { fileInputs, type CaseVerdict } from '../../../conformance/vectors/case.ts';
import { allCases } from '../../../conformance/vectors/cases.ts';
import { MANIFEST, pathsBelow, readCases, SCHEMAS, VECTORS, vectorFiles } from '../../../conformance/vectors/files.ts';
import { agrees, judgeCase } from '../../../conformance/vectors/judge.ts';
import { judgeHistory } from '../../../conformance/vectors/judge-history.ts';
import { knownMutants } from '../../../conformance/vectors/mutants-of-cases.ts';
import { REQUIREMENTS } from '../../../conformance/vectors/requirements.ts';
import { tryMutants } from '../../../conformance/vectors/try-mutants.ts';
import { sourcesOf } from '../../../conformance/mutants/load.ts';
import { MUTANTS } from '../../../conformance/mutants/mutants.ts';
import { KEYSET_REASONS } from '../../../verifier/keyset/index.ts';
import { REASONS } from '../../../verifier/reasons.ts';
import { schemaFaults } from '../../support/json-schema.ts';

/** One mutant in so many is tried here. */
const SAMPLE_STEP = 60;

/** What no single check prevents: without it the case is refused for something else, or cannot be judged. */
const WITHOUT_MUTANT: readonly string[] = [
  'trust/trust-1983',
  'trust/trust-31',
  'verify/payload-size-23',
  'verify/payload-size-24',
];

const SETTINGS_WITHOUT_MUTANT: readonly string[] = [
  // Cut off, or with an item of another type in its place: nobody could go on reading.
  'keyset/cose-body-array',
  'keyset/cose-body-empty',
  'keyset/cose-body-map',
  'keyset/cose-body-typ-integer',
  'keyset/cose-items-3',
  'keyset/cose-map',
  'keyset/cose-no-signer',
  'keyset/cose-payload-text',
  'keyset/cose-signer-alg-bytes',
  'keyset/cose-signer-header-array',
  'keyset/cose-signer-header-empty',
  'keyset/cose-signer-header-text',
  'keyset/cose-signer-items-2',
  'keyset/cose-signer-map',
  'keyset/cose-signer-no-kid',
  'keyset/cose-signer-signature-text',
  'keyset/cose-signers-map',
  'keyset/cose-signers-one',
  'keyset/cut-file',
  'keyset/long-head',
  'keyset/no-block',
  'keyset/sign1',
  'keyset/state-damaged',
  'keyset/state-second-good',
  'keyset/truncated',
  // Two rules refuse it: a keyset that no root could sign, a rule of the keys or the armor behind the first fault.
  'keyset/alg',
  'keyset/chain-end-text',
  'keyset/chain-gap-text-before',
  'keyset/chain-gap-text-behind',
  'keyset/chain-twice-issuer',
  'keyset/iss-129',
  'keyset/iss-blank',
  'keyset/member-missing',
  'keyset/member-unknown-policy',
  'keyset/no-keys',
  'keyset/no-roots',
  'keyset/policy-until-late',
  'keyset/root-before-signature',
  'keyset/roots-none',
  'keyset/signature-before-key',
  'keyset/threshold-above',
  // Notices that are about no fault, conflicts with what is known already, and verdicts that follow from another file.
  'keyset/conflict',
  'keyset/conflict-older',
  'keyset/license-old-version',
  'keyset/license-stranger',
  'keyset/older',
  'keyset/version-0',
];

/** Cases whose trust says of a key a kid that is not its own. */
const WITH_WRONG_KIDS: readonly string[] = [
  'override/license-known-kid',
  'trust/kid-same',
  'trust/kid-twice',
  'verify/kid-claimed',
  'verify/kid-of-component',
  'verify/kid-swapped',
  'verify/kid-zeros',
];
const NO_BYTES: Uint8Array = new Uint8Array();

const cases = readCases();
const jsonOf = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(VECTORS, path), 'utf8')) as Record<string, unknown>;

describe('vectors/v1', () => {
  it('is what the builder makes, byte for byte', () => {
    const made = vectorFiles(allCases());
    expect(pathsBelow(VECTORS), 'run: npm run vectors').toEqual([...made.keys(), ...SCHEMAS].sort());
    const other = [...made].filter(([path, bytes]) => !equalBytes(readFileSync(join(VECTORS, path)), bytes));
    expect(
      other.map(([path]) => path),
      'run: npm run vectors',
    ).toEqual([]);
  });

  it('has a manifest by its schema', () => {
    expect(schemaFaults(jsonOf('manifest.schema.json'), jsonOf(MANIFEST))).toEqual([]);
  });

  it('has only cases by their schema', () => {
    const schema = jsonOf('case.schema.json');
    const faults = cases.flatMap(({ value: { id } }) =>
      schemaFaults(schema, jsonOf(`${id}/case.json`)).map((fault) => `${id}${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it('has a title for each case that no other one has', () => {
    const titles = cases.map(({ value }) => value.title);
    expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
  });

  it('names each file beside a case in it, and no other one', () => {
    const wrong = cases.filter(({ value, files }) => {
      const named = new Set(fileInputs(value).map(({ file }) => file));
      return named.size !== files.size || [...named].some((name) => !files.has(name));
    });
    expect(wrong.map(({ value }) => value.id)).toEqual([]);
  });

  it('says of each refusal and each misuse what a verifier that accepts it has forgotten', () => {
    const silent = cases.filter(
      ({ value }) => 'expected' in value && value.expected.verdict !== 'accepted' && (value.forgets ?? '') === '',
    );
    expect(silent.map(({ value }) => value.id)).toEqual([]);
  });

  it('gives the right kid for each key, except in cases about wrong ones', () => {
    const trusts = cases.flatMap(({ value }) => {
      if (value.operation === 'override')
        return [value.builtIn, ...('trust' in value.expected ? [value.expected.trust] : [])].map(
          ({ keys }) => [value.id, keys] as const,
        );
      return 'trust' in value && value.trust !== undefined ? [[value.id, value.trust.keys] as const] : [];
    });
    const wrong = trusts.filter(([, keys]) =>
      keys.some(({ alg, publicKey, kid }) => kid !== undefined && kid !== kidOf(alg, fromHex(publicKey) ?? NO_BYTES)),
    );
    expect(wrong.map(([id]) => id)).toEqual(WITH_WRONG_KIDS);
  });

  it('has a case for every reason of a license and of a keyset', () => {
    const shown = new Set(JSON.stringify(cases.map(({ value }) => value)).match(/"reason":"[a-z0-9_]+"/g));
    const reasons = [...Object.keys(REASONS), ...Object.keys(KEYSET_REASONS)];
    // That a keyset is past its advisory expiry is a notice of the runtime, and no result of a chain.
    expect(reasons.filter((reason) => !shown.has(`"reason":"${reason}"`))).toEqual(['keyset_expired']);
  });

  it('has a case for each state of a license', () => {
    const states = new Set(
      cases.map(({ value }) => (value.operation === 'verify' && 'state' in value.expected ? value.expected.state : '')),
    );
    expect([...states].sort()).toEqual(['', 'active', 'grace', 'lapsed', 'not_yet_valid']);
  });

  it('names a mutant that accepts it, or judges it where that is misuse, in each case of one fault', () => {
    const accepted = new Set(Object.values(knownMutants()).flatMap(({ accepts }) => accepts));
    const alone = cases.filter(
      ({ value }) =>
        'expected' in value &&
        (value.expected.verdict === 'misuse' ||
          (value.expected.verdict === 'refused' && value.expected.scored === 'reason')) &&
        !accepted.has(value.id),
    );
    expect(alone.map(({ value }) => value.id)).toEqual(WITHOUT_MUTANT);
  });

  it('names a mutant that takes it in each keyset or override of which a part is refused', () => {
    const accepted = new Set(Object.values(knownMutants()).flatMap(({ accepts }) => accepts));
    const alone = cases.filter(({ value }) => {
      if ((value.operation !== 'keyset' && value.operation !== 'override') || accepted.has(value.id)) return false;
      const { license, notices = [] } = value.expected as { readonly license?: CaseVerdict; readonly notices?: [] };
      return notices.length > 0 || (license?.verdict === 'refused' && license.scored === 'reason');
    });
    expect(alone.map(({ value }) => value.id)).toEqual([...SETTINGS_WITHOUT_MUTANT].sort());
  });
});

describe('the mutants', () => {
  it.each(MUTANTS)('can be made of the sources: $name', ({ name, patches }) => {
    const made = sourcesOf(name);
    expect(made.size).toBe(new Set(patches.map(({ file }) => file)).size);
    for (const source of made.values()) expect(() => stripTypeScriptTypes(source)).not.toThrow();
  });

  it('are each caught by a case', () => {
    const known = knownMutants();
    expect(Object.keys(known)).toEqual(MUTANTS.map(({ name }) => name));
    const free = Object.entries(known).filter(([, { accepts, differs }]) => accepts.length + differs.length === 0);
    expect(free.map(([name]) => name)).toEqual([]);
  });

  it('of keysets take a file or a part of it that is refused, but for those that are too strict or stay silent', () => {
    const idle = Object.entries(knownMutants()).filter(([, { accepts }]) => accepts.length === 0);
    const names = idle.map(([name]) => name).filter((name) => name.startsWith('keyset-'));
    expect(names).toEqual(['keyset-gap-earlier', 'keyset-strangers', 'keyset-version-zero']);
  });

  it('fail only cases that are there', () => {
    const ids = new Set(cases.map(({ value }) => value.id));
    const named = Object.values(knownMutants()).flatMap(({ accepts, differs }) => [...accepts, ...differs]);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('fail exactly the cases that name them (a sample; npm run test:mutants:vectors tries all)', async () => {
    const names = MUTANTS.map(({ name }) => name).filter((_name, i) => i % SAMPLE_STEP === SAMPLE_STEP - 1);
    const known = knownMutants();
    expect(names.length).toBeGreaterThan(3);
    expect(await tryMutants(names)).toEqual(Object.fromEntries(names.map((name) => [name, known[name]])));
  }, 300_000);
});

describe('every MUST', () => {
  const textOf = (document: string): string =>
    readFileSync(join(VECTORS, '../../docs', document), 'utf8').replaceAll(/\s+/g, ' ');

  it.each(['format.md', 'keysets.md', 'runtime.md'])(
    'of docs/%s has a case, or a reason why it has none',
    (document) => {
      // The sentence that defines the words is not a requirement.
      const text = textOf(document).replace('The words MUST, MUST NOT, SHOULD', 'The words');
      const own = REQUIREMENTS.filter((one) => one.document === document);
      const count = (part: string): number => part.match(/\bMUST\b/g)?.length ?? 0;
      for (const { id, quote } of own) expect([id, count(quote), text.split(quote).length - 1]).toEqual([id, 1, 1]);
      expect(own.length).toBe(count(text));
      expect(own.length).toBeGreaterThan(10);
    },
  );

  it('has an id of its own, and cases that are there', () => {
    const ids = REQUIREMENTS.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const patterns = REQUIREMENTS.flatMap(({ cases: named }) => ('exempt' in named ? [] : named));
    const isThere = (pattern: string): boolean => {
      const name = pattern.replace(/^!/, '');
      return cases.some(({ value: { id } }) => (name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name));
    };
    expect(patterns.filter((pattern) => !isThere(pattern))).toEqual([]);
  });
});

describe('the reference runtime', () => {
  it('agrees with every history', async () => {
    const wrong: string[] = [];
    const histories = cases.filter(({ value }) => value.operation === 'history');
    for (const folder of histories) {
      const fault = folder.value.operation === 'history' ? await judgeHistory(folder.value, folder) : undefined;
      if (fault !== undefined) wrong.push(`${folder.value.id}: ${fault}`);
    }
    expect(histories.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });
});

describe.each([nodeProvider, nobleProvider])('the reference verifier ($name)', (provider) => {
  it('agrees with every case but histories', () => {
    const wrong = cases.flatMap((folder) => {
      if (folder.value.operation === 'history') return [];
      const outcome = judgeCase(folder, provider);
      return agrees(folder.value, outcome) ? [] : [`${folder.value.id}: ${JSON.stringify(outcome)}`];
    });
    expect(wrong).toEqual([]);
  });
});
