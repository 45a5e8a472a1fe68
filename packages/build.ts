/**
 * `npm run build`: compiles the rooms once and writes the published packages to `dist/`, each packed as a tarball.
 * Each tarball is complete: no package depends on another, so that no installation asks a registry for a name
 * of ours.
 *
 * `vtlic` (the verifier) has for each module system one file for each entry and some that the entries share, with noble
 * in it, and declarations for both.
 * `vtlic-signer` is packed into one file for each program (the command, its workers, the token host), one for each
 * command, and chunks that these share, because Node takes longer to find and load eighty files than `vtlic verify`
 * takes to verify. `vtlic-conform` is one file, beside the vectors and the documents. Bundles are not minified, and name
 * the file that each part comes from.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { rolldown, type OutputChunk, type Plugin } from 'rolldown';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const compiled = join(dist, 'js');

const LIBRARY = 'vtlic';
/** Name in the package → module. `.` of the package is the first one; the others are `vtlic/NAME`. */
const LIBRARY_ENTRIES: Readonly<Record<string, string>> = {
  vtlic: 'verifier/index',
  keysets: 'verifier/keyset/index',
  runtime: 'verifier/runtime/index',
  admin: 'verifier/admin/index',
};
/** The entries that need Node.js: the others also run in browsers. */
const LIBRARY_ON_NODE: ReadonlySet<string> = new Set(['runtime', 'admin']);
/** The command of the library. It loads the entries by which a product loads them, so that both share one trust. */
const LIBRARY_COMMAND = 'vtlic-product';
const LIBRARY_COMMAND_MAIN = 'verifier/product/main';
const SIGNER = 'vtlic-signer';
/** The signer's programs: the command, and what it starts as a worker or a process. Each keeps its path. */
const SIGNER_MAIN = 'signer/cli/main';
const SIGNER_PROGRAMS = [
  SIGNER_MAIN,
  // A file of its own, so that test:runtimes can run its probes on a Node.js that the version number rules out.
  'signer/cli/check-runtime',
  'signer/issue/check-worker',
  'signer/ledger/verify/signature-worker',
  'keys/private/pkcs11/token-host/host-main',
];
const CONFORM = 'vtlic-conform';
const CONFORM_MAIN = 'conformance/runner/main';
/** The modules of Node, and a package with a native addon, which npm compiles on the machine that installs it. */
const SIGNER_EXTERNAL = /^(?:node:|pkcs11js$)/;

/**
 * @returns a chunk for each entry, and those that they share: a trust that one entry makes must be known to the others
 */
async function bundleLibrary(format: 'es' | 'cjs'): Promise<OutputChunk[]> {
  const extension = format === 'es' ? 'mjs' : 'cjs';
  const build = await rolldown({
    cwd: compiled,
    input: Object.fromEntries(
      Object.entries(LIBRARY_ENTRIES).map(([name, entry]) => [name, join(compiled, `${entry}.js`)]),
    ),
    platform: 'neutral',
    external: /^node:/,
  });
  const { output } = await build.generate({
    format,
    esModule: false,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `shared.${extension}`,
  });
  await build.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const browsers = loadedByBrowsers(chunks);
  const missing = chunks.flatMap((chunk) =>
    chunk.imports.filter((id) => !own.has(id) && (browsers.has(chunk) || !id.startsWith('node:'))),
  );
  if (chunks.length !== output.length || missing.length > 0)
    throw new Error(`the bundle of ${LIBRARY} is not complete: it imports ${missing.join(', ')}`);
  return chunks;
}

/** The chunks of the entries that need no Node.js. */
function loadedByBrowsers(chunks: readonly OutputChunk[]): ReadonlySet<OutputChunk> {
  const reached = new Set(chunks.filter(({ isEntry, name }) => isEntry && !LIBRARY_ON_NODE.has(name)));
  for (const { imports } of reached)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) reached.add(chunk);
  return reached;
}

/** @returns the command, which imports the entries of the library beside it, and modules of Node */
async function bundleLibraryCommand(): Promise<OutputChunk> {
  const entryOf = new Map(
    Object.entries(LIBRARY_ENTRIES).map(([name, entry]) => [join(compiled, `${entry}.js`), `./${name}.cjs`]),
  );
  const build = await rolldown({
    cwd: compiled,
    input: { [LIBRARY_COMMAND]: join(compiled, `${LIBRARY_COMMAND_MAIN}.js`) },
    platform: 'node',
    external: /^node:/,
    plugins: [
      {
        name: 'entries-of-the-library',
        resolveId: (source: string, importer: string | undefined) => {
          const id = importer === undefined ? undefined : entryOf.get(join(dirname(importer), source));
          return id === undefined ? undefined : { id, external: true };
        },
      },
    ],
  });
  const { output } = await build.generate({ format: 'cjs', entryFileNames: '[name].cjs' });
  await build.close();
  const [chunk, ...more] = output;
  const foreign = chunk.imports.filter((id) => !id.startsWith('node:') && ![...entryOf.values()].includes(id));
  if (more.length > 0 || foreign.length > 0)
    throw new Error(`the bundle of ${LIBRARY_COMMAND} is not one file, or imports ${foreign.join(', ')}`);
  return chunk;
}

/** @returns programs, commands and the chunks that they share, which import only Node's modules and the addon */
async function bundleSigner(): Promise<OutputChunk[]> {
  const build = await rolldown({
    cwd: compiled,
    input: Object.fromEntries(SIGNER_PROGRAMS.map((name) => [name, join(compiled, `${name}.js`)])),
    platform: 'node',
    external: SIGNER_EXTERNAL,
    plugins: [NODE_CRYPTO_ONLY, COMMANDER_WITHOUT_PROCESSES, KEEP_MODULE_URLS, PLAIN_BUILTINS],
  });
  const { output } = await build.generate({
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // `vtlic help` loads the program and the first of these chunks, and `vtlic verify` the second one too: two files
    // instead of twenty.
    codeSplitting: {
      groups: [
        { name: 'command-line', test: /\/signer\/cli\/(?:io|run)\.js$/, priority: 2 },
        { name: 'verify', test: /\/signer\/cli\/commands\/verify\.js$/, priority: 1 },
      ],
    },
  });
  await build.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const missing = chunks
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((id) => !own.has(id) && !SIGNER_EXTERNAL.test(id));
  if (chunks.length !== output.length || missing.length > 0)
    throw new Error(`the bundle of ${SIGNER} is not complete: it imports ${missing.join(', ')}`);
  return chunks;
}

/**
 * The signer's Node.js computes all algorithms, and `vtlic verify` must not load noble's provider: that takes longer
 * than a verification. Without noble to choose, a Node.js that fails its probe is an error (`crypto_unavailable`).
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

/** Commander loads `node:child_process`, and so sockets (3 ms of a start), for a kind of command that is not ours. */
const COMMANDER_WITHOUT_PROCESSES: Plugin = {
  name: 'commander-without-processes',
  transform: (code: string, id: string) => {
    if (!id.endsWith('/node_modules/commander/lib/command.js')) return undefined;
    const [before, after, ...more] = code.split("import childProcess from 'node:child_process';");
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error('commander does not import node:child_process as this build expects');
    const later = "{ spawn: (...given) => process.getBuiltinModule('node:child_process').spawn(...given) }";
    return `${before}const childProcess = ${later};${after}`;
  },
};

/**
 * An ES import of a module of Node reads all its exports. Some are getters that load more modules: those of
 * `node:process` make the standard streams. Together that is 8 ms of the 50 that `vtlic help` takes.
 */
const PLAIN_BUILTINS: Plugin = {
  name: 'plain-builtins',
  renderChunk: (code) => {
    const plain = code.replace(
      /^import (?:\* as ([\w$]+)|([\w$]+)?(?:, )?(?:\{ ([^}]+) \})?) from "node:([\w/]+)";$/gm,
      (_whole, all?: string, whole?: string, names?: string, name?: string) => {
        const builtin = name === 'process' ? 'process' : `process.getBuiltinModule("node:${name}")`;
        return [
          ...[all ?? whole].flatMap((local) =>
            local === undefined || local === builtin ? [] : [`const ${local} = ${builtin};`],
          ),
          ...(names === undefined ? [] : [`const { ${names.replaceAll(' as ', ': ')} } = ${builtin};`]),
        ].join(' ');
      },
    );
    if (/^import .* from "node:/m.test(plain)) throw new Error('a chunk imports a module of Node in an unknown form');
    return plain;
  },
};

/** A module that starts a worker finds it by its own place in the tree, which differs from the place of its chunk. */
const KEEP_MODULE_URLS: Plugin = {
  name: 'keep-module-urls',
  transform: (code: string, id: string) =>
    code.includes('import.meta.url')
      ? code.replaceAll('import.meta.url', `__MODULE_URL__(${JSON.stringify(relative(compiled, id))})`)
      : undefined,
  renderChunk: (code: string, { fileName }) =>
    code.replace(/__MODULE_URL__\("([^"]+)"\)/g, (_whole, file: string) => {
      const fromChunk = JSON.stringify(posix.relative(posix.dirname(fileName), file));
      return `new URL(${fromChunk}, import.meta.url).href`;
    }),
};

/** @returns the command, with fast-check and noble in it; it finds the vectors by its own place in the package */
async function bundleConform(): Promise<OutputChunk> {
  const build = await rolldown({
    cwd: compiled,
    input: { [CONFORM_MAIN]: join(compiled, `${CONFORM_MAIN}.js`) },
    platform: 'node',
    external: /^node:/,
  });
  const { output } = await build.generate({ format: 'es', entryFileNames: '[name].js' });
  await build.close();
  const [chunk, ...more] = output;
  const foreign = chunk.imports.filter((id) => !id.startsWith('node:'));
  if (more.length > 0 || foreign.length > 0)
    throw new Error(`the bundle of ${CONFORM} is not one file, or imports ${foreign.join(', ')}`);
  return chunk;
}

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
  const [es, cjs] = [await bundleLibrary('es'), await bundleLibrary('cjs')];
  for (const { fileName, code } of [...loadedByBrowsers(es), ...cjs]) writeFileSync(join(folder, fileName), code);
  const command = await bundleLibraryCommand();
  writeFileSync(join(folder, command.fileName), command.code, { mode: 0o755 });
  for (const [name, entry] of Object.entries(LIBRARY_ENTRIES)) {
    writeDeclarations(entry, join(folder, 'types'));
    const exported = es.find(({ fileName }) => fileName === `${name}.mjs`)?.exports ?? [];
    writeFileSync(
      join(folder, name === LIBRARY ? 'node.mjs' : `node-${name}.mjs`),
      `// On Node.js, import and require share one implementation, and so one class VtlicError.\nexport { ${exported.join(', ')} } from './${name}.cjs';\n`,
    );
  }
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses(es));
}

/** The manual page and the completions, as the packed command itself writes them. */
function writeManual(folder: string): void {
  const files: readonly (readonly [file: string, ...command: readonly string[]])[] = [
    ['man/vtlic.1', 'manual'],
    ['completions/vtlic.bash', 'completion', 'bash'],
    ['completions/_vtlic', 'completion', 'zsh'],
    ['completions/vtlic.fish', 'completion', 'fish'],
  ];
  for (const [file, ...command] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), execFileSync(process.execPath, [join(folder, `${SIGNER_MAIN}.js`), ...command]));
  }
}

async function layOutSigner(): Promise<void> {
  const folder = join(dist, SIGNER);
  const chunks = await bundleSigner();
  for (const { fileName, code } of chunks) {
    const target = join(folder, fileName);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code, { mode: fileName === `${SIGNER_MAIN}.js` ? 0o755 : 0o644 });
  }
  writeManual(folder);
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses(chunks));
  for (const file of ['SECURITY.md', 'CHANGELOG.md']) cpSync(join(root, file), join(folder, file));
  copyDocuments(folder);
}

function copyDocuments(folder: string): void {
  // The sheets with all states of the admin page are large, and for those who change the page.
  const isForReaders = (path: string): boolean => !path.includes('/images/admin-states-');
  cpSync(join(root, 'docs'), join(folder, 'docs'), { recursive: true, filter: isForReaders });
}

async function layOutConform(): Promise<void> {
  const folder = join(dist, CONFORM);
  const chunk = await bundleConform();
  const target = join(folder, chunk.fileName);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, chunk.code, { mode: 0o755 });
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses([chunk]));
  cpSync(join(root, 'vectors'), join(folder, 'vectors'), { recursive: true });
  copyDocuments(folder);
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
  [CONFORM, layOutConform],
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
if (tarballs.length !== 3 || !existsSync(join(dist, SIGNER, `${SIGNER_MAIN}.js`)))
  throw new Error('the build is not complete');
process.stdout.write(`built ${tarballs.join(', ')} in dist/\n`);
