/** The published vectors: made anew byte for byte, well formed, and the reference verifier agrees with each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../../formats/bytes.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import { fileInputs } from '../../../conformance/vectors/case.ts';
import { allCases } from '../../../conformance/vectors/cases.ts';
import { MANIFEST, pathsBelow, readCases, SCHEMAS, VECTORS, vectorFiles } from '../../../conformance/vectors/files.ts';
import { agrees, judgeCase } from '../../../conformance/vectors/judge.ts';
import { KEYSET_REASONS } from '../../../verifier/keyset/index.ts';
import { REASONS } from '../../../verifier/reasons.ts';
import { schemaFaults } from '../../support/json-schema.ts';

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

  it('says of each refusal what a verifier that accepts it has forgotten', () => {
    const silent = cases.filter(
      ({ value }) => 'expected' in value && value.expected.verdict === 'refused' && (value.forgets ?? '') === '',
    );
    expect(silent.map(({ value }) => value.id)).toEqual([]);
  });

  it('has a case for every reason of a license and of a keyset', () => {
    const shown = new Set(JSON.stringify(cases.map(({ value }) => value)).match(/"reason":"[a-z0-9_]+"/g));
    const reasons = [...Object.keys(REASONS), ...Object.keys(KEYSET_REASONS)];
    expect(reasons.filter((reason) => !shown.has(`"reason":"${reason}"`))).toEqual([
      'keyset_too_large',
      'keyset_expired',
    ]);
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
