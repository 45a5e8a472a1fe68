/**
 * `npm run build`: compiles the rooms once and lays the published packages out in `dist/`, each packed as a tarball.
 *
 * A file that one package needs from another is not packed twice: its import becomes `vtlic/internal/…`. One file is an exception,
 * for loading eighty files takes longer than anything that the plain `vtlic verify` does: `signer/cli/plain-verify.js` has in it all that
 * it imports, unminified, each part under the name of its file.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const compiled = join(dist, 'js');

interface Package {
  readonly name: string;
  readonly rooms: readonly string[];
}

const VTLIC: Package = { name: 'vtlic', rooms: ['formats', 'keys/public', 'verifier'] };
const SIGNER: Package = { name: 'vtlic-signer', rooms: ['files', 'keys/private', 'signer'] };

/** Helpers of the repository that no package carries. */
const LEFT_OUT = new Set(['signer/demo']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Packed with what they import, and whose license goes with it. */
const BUNDLED = ['signer/cli/plain-verify.js'];
const BUNDLED_LIBRARY = '@noble/ed25519';

async function bundle(file: string): Promise<string> {
  const build = await rolldown({
    cwd: compiled,
    input: join(compiled, file),
    platform: 'node',
    external: /^node:/,
    plugins: [
      {
        name: 'provider',
        resolveId: (id: string) => (id === '#provider' ? join(compiled, 'keys/public/provider-node.js') : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'es', codeSplitting: false });
  await build.close();
  const [{ code, imports }] = output;
  if (output.length !== 1 || imports.some((id) => !id.startsWith('node:')))
    throw new Error(`${file} is not whole: ${imports.join(', ')}`);
  return code;
}

/** Relative imports, in JavaScript and in declarations: to `.js`, and to `vtlic/internal/…` where the target is packed there. */
function rewriteImports(text: string, file: string, own: Package): string {
  return text.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\2/g,
    (_whole, before: string, quote: string, specifier: string) => {
      const js = specifier.replace(/\.ts$/, '.js');
      const target = posix.normalize(posix.join(posix.dirname(file), js));
      const inside = own.rooms.some((room) => target.startsWith(`${room}/`));
      if (inside) return `${before}${quote}${js}${quote}`;
      if (!VTLIC.rooms.some((room) => target.startsWith(`${room}/`)))
        throw new Error(`${file} imports ${target}, which no package carries`);
      return `${before}${quote}vtlic/internal/${target}${quote}`;
    },
  );
}

async function layOut(item: Package): Promise<void> {
  const folder = join(dist, item.name);
  for (const room of item.rooms) {
    for (const path of filesBelow(join(compiled, room))) {
      const file = relative(compiled, path);
      if ([...LEFT_OUT].some((left) => file.startsWith(`${left}/`))) continue;
      const target = join(folder, file);
      mkdirSync(dirname(target), { recursive: true });
      const text = BUNDLED.includes(file) ? await bundle(file) : rewriteImports(readFileSync(path, 'utf8'), file, item);
      writeFileSync(target, text, { mode: file.endsWith('cli/main.js') ? 0o755 : 0o644 });
    }
  }
  cpSync(join(root, 'packages', item.name), folder, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  if (item === SIGNER)
    cpSync(
      join(root, 'node_modules', BUNDLED_LIBRARY, 'LICENSE'),
      join(folder, `LICENSE-${BUNDLED_LIBRARY.replace('@', '').replace('/', '-')}`),
    );
}

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(import.meta.dirname, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
for (const item of [VTLIC, SIGNER]) {
  await layOut(item);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', dist], {
    cwd: join(dist, item.name),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
rmSync(compiled, { recursive: true });
const tarballs = readdirSync(dist).filter((name) => name.endsWith('.tgz'));
if (tarballs.length !== 2 || !existsSync(join(dist, 'vtlic/verifier/index.js')))
  throw new Error('the build is not complete');
process.stdout.write(`built ${tarballs.join(' and ')} in dist/\n`);
