/** The packages of others that these tests need. They are installed once, outside of the checkout. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../support/tokens/cache-folder.ts';

/** The folder of the pinned packages. */
export function installPinned(): string {
  const files = ['package.json', 'package-lock.json'].map(
    (name) => [name, readFileSync(join(import.meta.dirname, 'pinned', name))] as const,
  );
  const folder = cacheFolder(files, 'runtimes');
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  for (const [name, content] of files) writeFileSync(join(part, name), content);
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: part,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(part, folder);
  return folder;
}
