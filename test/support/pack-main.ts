/**
 * A main file with all that it imports in one, and beside it the files of its threads and of the token host: loading a
 * hundred files anew takes three times as long as most commands, and the tests run them by the thousand.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './run-cli.ts';

/** Beside `cli/MAIN.js`, by where one names the other: `./check-worker.js`, `../token-host/host-main.js`. */
const THREADS: Readonly<Record<string, string>> = {
  'cli/check-worker.js': 'signer/issue/check-worker.ts',
  'cli/signature-worker.js': 'signer/ledger/verify/signature-worker.ts',
  'token-host/host-main.js': 'keys/private/pkcs11/token-host/host-main.ts',
};

async function packed(input: string): Promise<string> {
  const build = await rolldown({ cwd: ROOT, input: join(ROOT, input), platform: 'node', external: /^node:/ });
  const { output } = await build.generate({ format: 'es', codeSplitting: false });
  await build.close();
  const [{ code, imports }] = output;
  if (output.length !== 1 || imports.some((id) => !id.startsWith('node:')))
    throw new Error(`${input} is not whole: ${imports.join(', ')}`);
  return code;
}

async function pack(source: string): Promise<string> {
  const main = `cli/${basename(source).replace(/\.ts$/, '.js')}`;
  const files: [name: string, text: string][] = [['package.json', '{"type":"module"}']];
  for (const [name, input] of [[main, source] as const, ...Object.entries(THREADS)])
    files.push([name, await packed(input)]);
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  // Below the repository, whose pkcs11js the host loads; under one name for the same code, as Node's cache of compiled
  // code wants it.
  const cache = join(ROOT, 'node_modules/.cache/vtlic-packed');
  const folder = join(cache, digest);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const made = mkdtempSync(join(cache, 'new-'));
    for (const [name, text] of files) {
      mkdirSync(dirname(join(made, name)), { recursive: true });
      writeFileSync(join(made, name), text);
    }
    try {
      renameSync(made, folder);
    } catch (error) {
      // Another process was first, with the same bytes.
      if (!existsSync(folder)) throw error;
      rmSync(made, { recursive: true });
    }
  }
  return join(folder, main);
}

const made = new Map<string, Promise<string>>();

/**
 * @param source from the repository's root
 * @returns absolute path; packed once a process
 */
export function packMain(source: string): Promise<string> {
  const packing = made.get(source) ?? pack(source);
  made.set(source, packing);
  return packing;
}
