/**
 * `main-that-dies.ts` with all that it imports in one file, and beside it the files of its threads and of the token host: loading a
 * hundred files anew takes longer than what is killed, and there are thousands.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from '../../support/run-cli.ts';

/** By where one names the other: `./check-worker.js`, `../host/host-main.js`. */
const FILES: Readonly<Record<string, string>> = {
  'cli/main-that-dies.js': 'test/crash/campaign/main-that-dies.ts',
  'cli/check-worker.js': 'signer/issue/check-worker.ts',
  'cli/file-worker.js': 'signer/files/file-worker.ts',
  'cli/signature-worker.js': 'signer/ledger/verify/signature-worker.ts',
  'host/host-main.js': 'keys/private/pkcs11/host/host-main.ts',
};

async function packed(input: string): Promise<string> {
  const build = await rolldown({ cwd: ROOT, input: join(ROOT, input), platform: 'node', external: /^node:/ });
  const { output } = await build.generate({ format: 'es', codeSplitting: false });
  await build.close();
  const [{ code, imports }] = output;
  if (output.length !== 1 || imports.some((id) => !id.startsWith('node:'))) throw new Error(`${input} is not whole: ${imports.join(', ')}`);
  return code;
}

async function pack(): Promise<string> {
  const files: [name: string, text: string][] = [['package.json', '{"type":"module"}']];
  for (const [name, input] of Object.entries(FILES)) files.push([name, await packed(input)]);
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  // Below the repository, whose pkcs11js the host loads; under one name for the same code, as Node's cache of compiled code wants it.
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
  return join(folder, 'cli/main-that-dies.js');
}

let made: Promise<string> | undefined;

/** @returns absolute path; packed once a process */
export function packedMain(): Promise<string> {
  made ??= pack();
  return made;
}
