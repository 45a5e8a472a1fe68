/**
 * Nothing of this project is on npm yet, so whoever registers one of its names there gets what a document sends to it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';

/** A command that may ask the registry for a package of ours. */
const FETCHES =
  /\b(?:npx|bunx|pnpx|npm (?:exec|x)|(?:pnpm|yarn) dlx)\b[^\n`]*\bvtlic|\b(?:npm|pnpm|yarn|bun) (?:i|install|add)\b[^\n`]*[ "']vtlic(?:-signer)?(?![\w./-])|\bnpm:vtlic/;

function filesBelow(folder: string, ending: RegExp): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));
}

const TEXTS = [
  'README.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...filesBelow('docs', /\.md$/),
  ...['formats', 'keys', 'verifier', 'signer', 'packages'].flatMap((room) => filesBelow(room, /\.(?:ts|sh|md|json)$/)),
];

describe('the names of our packages', () => {
  it.each([
    ['npx vtlic init my-site', true],
    ['npm install vtlic', true],
    ['npm install -g vtlic-signer', true],
    ['deno add npm:vtlic', true],
    ['bin/vtlic init my-site', false],
    ['npm install ./dist/vtlic-0.1.0.tgz', false],
    ['npm install /path/to/dist/vtlic-signer-0.1.0.tgz', false],
  ])('are fetched by "%s": %s', (line, expected) => {
    expect(FETCHES.test(line)).toBe(expected);
  });

  it('are never fetched by a command that we print or document', () => {
    expect(TEXTS.length).toBeGreaterThan(100);
    const found = TEXTS.flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .filter((line) => FETCHES.test(line))
        .map((line) => `${file}: ${line}`),
    );
    expect(found).toEqual([]);
  });
});
