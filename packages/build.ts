/**
 * `npm run build`: compiles the rooms once and lays the published packages out in `dist/`, each packed as a tarball.
 * Each tarball is complete: neither package depends on the other, so that no installation asks a registry for a name
 * of ours.
 *
 * `vtlic` (the verifier) is one file for each module system, with noble in it, and declarations for both.
 * `vtlic-signer` carries the rooms file by file. One of its files is a bundle, because loading eighty files takes
 * longer than anything that the plain `vtlic verify` does: `signer/cli/plain-verify.js`. Bundles are not minified, and
 * name the file that each part comes from.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { rolldown, type OutputChunk, type Plugin } from 'rolldown';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const compiled = join(dist, 'js');

const LIBRARY = 'vtlic';
const LIBRARY_ENTRY = 'verifier/index';
const SIGNER = 'vtlic-signer';
const SIGNER_ROOMS = ['formats', 'files', 'keys', 'verifier', 'signer'];
const SIGNER_BUNDLE = 'signer/cli/plain-verify.js';
/** Parts of the repository that no package carries. */
const LEFT_OUT = 'signer/demo/';

/** @returns one chunk that imports nothing but what `external` names */
async function bundle(
  file: string,
  format: 'es' | 'cjs',
  external?: RegExp,
  plugins: Plugin[] = [],
): Promise<OutputChunk> {
  const build = await rolldown({
    cwd: compiled,
    input: join(compiled, file),
    platform: external === undefined ? 'neutral' : 'node',
    external: external ?? [],
    plugins,
  });
  const { output } = await build.generate({ format, codeSplitting: false, esModule: false });
  await build.close();
  const [chunk] = output;
  if (output.length !== 1 || chunk.imports.some((id) => external?.test(id) !== true))
    throw new Error(`the bundle of ${file} is not complete: it imports ${chunk.imports.join(', ')}`);
  return chunk;
}

/**
 * The signer's Node.js has all algorithms, and loading noble takes longer than a verification. Without noble to
 * choose, a Node.js that fails its probe is an error (`crypto_unavailable`).
 */
const NODE_CRYPTO_ONLY: Plugin = {
  name: 'node-crypto-only',
  load: (id: string) =>
    id === join(compiled, 'keys/public/provider-default.js')
      ? [
          "import { nodeProvider } from './provider-node.js';",
          'export const defaultProvider = nodeProvider;',
          'const { name } = nodeProvider;',
          'export const chosenProviders = () => ({ sha256: name, sha512: name, ed25519: name, mldsa65: name });',
        ].join('\n')
      : undefined,
};

/** The license of each package that has a part in the bundles. */
function thirdPartyLicenses(chunks: readonly OutputChunk[]): string {
  const folders = new Set(
    chunks.flatMap(({ moduleIds }) =>
      moduleIds.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []),
    ),
  );
  const parts = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`;
  });
  if (parts.length === 0) throw new Error('the bundles have no part of another package in them');
  return `Parts of these packages are in the bundled files of this one.\n\n${parts.join(`\n${'-'.repeat(70)}\n\n`)}`;
}

/** Writes the declarations that the entry reaches, once for each module system: `.d.mts` and `.d.cts`. */
function writeDeclarations(entry: string, folder: string): void {
  const open = [entry];
  const done = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (done.has(name)) continue;
    done.add(name);
    const from = posix.dirname(name);
    const text = readFileSync(join(compiled, `${name}.d.ts`), 'utf8');
    for (const kind of ['m', 'c']) {
      const rewritten = text.replace(
        /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.[jt]s\2/g,
        (_whole, before: string, quote: string, specifier: string) => {
          open.push(posix.join(from, specifier));
          return `${before}${quote}${specifier}.${kind}js${quote}`;
        },
      );
      const target = join(folder, `${name}.d.${kind}ts`);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, rewritten);
    }
  }
}

async function layOutLibrary(): Promise<void> {
  const folder = join(dist, LIBRARY);
  const [es, cjs] = [await bundle(`${LIBRARY_ENTRY}.js`, 'es'), await bundle(`${LIBRARY_ENTRY}.js`, 'cjs')];
  writeDeclarations(LIBRARY_ENTRY, join(folder, 'types'));
  writeFileSync(join(folder, 'vtlic.mjs'), es.code);
  writeFileSync(join(folder, 'vtlic.cjs'), cjs.code);
  writeFileSync(
    join(folder, 'node.mjs'),
    `// On Node.js, import and require share one implementation, and so one class VtlicError.\nexport { ${es.exports.join(', ')} } from './vtlic.cjs';\n`,
  );
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses([es]));
}

async function layOutSigner(): Promise<void> {
  const folder = join(dist, SIGNER);
  const plain = await bundle(SIGNER_BUNDLE, 'es', /^node:/, [NODE_CRYPTO_ONLY]);
  for (const path of SIGNER_ROOMS.flatMap((room) => filesBelow(join(compiled, room)))) {
    const file = relative(compiled, path);
    if (file.startsWith(LEFT_OUT) || !file.endsWith('.js')) continue;
    const target = join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    const text = file === SIGNER_BUNDLE ? plain.code : readFileSync(path, 'utf8');
    writeFileSync(target, text, { mode: file.endsWith('cli/main.js') ? 0o755 : 0o644 });
  }
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses([plain]));
  for (const file of ['SECURITY.md', 'CHANGELOG.md']) cpSync(join(root, file), join(folder, file));
  cpSync(join(root, 'docs'), join(folder, 'docs'), { recursive: true });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(import.meta.dirname, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
for (const [name, layOut] of [
  [LIBRARY, layOutLibrary],
  [SIGNER, layOutSigner],
] as const) {
  const folder = join(dist, name);
  cpSync(join(root, 'packages', name), folder, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await layOut();
  execFileSync('npm', ['pack', '--silent', '--pack-destination', dist], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
rmSync(compiled, { recursive: true });
const tarballs = readdirSync(dist).filter((name) => name.endsWith('.tgz'));
if (tarballs.length !== 2 || !existsSync(join(dist, SIGNER, 'verifier/index.js')))
  throw new Error('the build is not complete');
process.stdout.write(`built ${tarballs.join(' and ')} in dist/\n`);
