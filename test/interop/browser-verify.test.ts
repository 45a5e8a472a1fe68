/** The verifier inside a real Chromium: over the examples of the specification, and over the published vectors. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown, type Plugin } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASE_SCHEMA, type Case } from '../../conformance/vectors/case.ts';
import { VECTORS } from '../../conformance/vectors/files.ts';
import { ROOT } from '../support/run-cli.ts';
import type { SentCase } from './browser-judge.ts';
import { openBrowser, type Browser, type Tab } from './browser.ts';

/** For the reader of the vectors, which uses Node for what is not done here. The verifier imports nothing of Node. */
const WITHOUT_NODE: Plugin = {
  name: 'without-node',
  resolveId: (id) => (id.startsWith('node:') ? `\0${id}` : undefined),
  load: (id) => {
    if (!id.startsWith('\0node:')) return undefined;
    const names = Object.keys(process.getBuiltinModule(id.slice(1)) ?? {}).filter((name) => /^[a-z]\w+$/i.test(name));
    const own = names.filter((name) => name !== 'default');
    return `${own.map((name) => `const its_${name} = () => undefined;`).join('')}
      export { ${own.map((name) => `its_${name} as ${name}`).join(', ')} }; export default {};`;
  },
  // Where a page is not isolated, a browser has no such name; what waits with it is not called here.
  banner: 'globalThis.SharedArrayBuffer ??= ArrayBuffer;',
};

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** A page in which the file, with all that it imports, has run. What it exports is in `vtlic`. */
async function pageWith(input: string, plugins: readonly Plugin[] = []): Promise<Tab> {
  const build = await rolldown({
    cwd: ROOT,
    input: join(ROOT, input),
    platform: 'browser',
    plugins: [...plugins],
    transform: { define: { 'import.meta': '{}' } },
  });
  const { output } = await build.generate({ format: 'iife', name: 'vtlic', codeSplitting: false });
  await build.close();
  expect(output[0].imports).toEqual([]);
  const tab = await (await browser.newContext({})).newPage();
  await tab.goto('about:blank');
  await tab.evaluate(output[0].code.replace(/^(?:var|const|let) vtlic\b/m, 'globalThis.vtlic'));
  return tab;
}

interface Judged {
  readonly total: number;
  readonly failed: readonly string[];
}

describe('in a browser, the verifier', () => {
  it('computes every algorithm by noble, since there is no node:crypto', async () => {
    const tab = await pageWith('verifier/index.ts');
    expect(await tab.evaluate('vtlic.chosenProviders()')).toEqual({
      sha256: 'noble',
      sha512: 'noble',
      ed25519: 'noble',
      mldsa65: 'noble',
    });
  });

  it('judges every example of the specification as it is written there', async () => {
    const tab = await pageWith('verifier/index.ts');
    const judge = readFileSync(join(ROOT, 'test/runtimes/consumer/judge.cjs'), 'utf8');
    const examples = readFileSync(join(ROOT, 'docs/examples/examples.json'), 'utf8');
    const script = `(() => { const module = {}; ${judge}; return module.exports(vtlic, ${examples}); })()`;
    const { total, failed } = await tab.evaluate<Judged>(script);
    expect(failed).toEqual([]);
    expect(total).toBeGreaterThan(200);
  });

  it('judges every case of the vectors as it is published, also where it is given the provider of noble', async () => {
    const cases = casesOf();
    const tab = await pageWith('test/interop/browser-judge.ts', [WITHOUT_NODE]);
    const { total, failed } = await tab.evaluate<Judged>(`vtlic.judgeCases(${JSON.stringify(cases)})`);
    expect(failed).toEqual([]);
    expect(total).toBe(cases.length);
    expect(total).toBeGreaterThan(200);
  });
});

/** Every required case that is judged at one moment. */
function casesOf(): readonly SentCase[] {
  const folders = readdirSync(VECTORS, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === 'case.json')
    .map(({ parentPath }) => parentPath);
  return folders.flatMap((folder) => {
    const { schema, ...value } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case & {
      readonly schema: string;
    };
    expect(schema).toBe(CASE_SCHEMA);
    if (value.operation === 'history' || value.profile !== 'required') return [];
    const names = readdirSync(folder).filter((name) => name !== 'case.json');
    const files = names.map((name) => [name, readFileSync(join(folder, name)).toString('base64')] as const);
    return [{ value, files: Object.fromEntries(files) }];
  });
}
