/**
 * The installed command on Nodes that the signer does not support: each command must say what it needs before it looks
 * at anything (exit 2). The Nodes that differ in what they lack: 20 (no `node:sqlite`), 22 (SQLite, and ML-DSA without
 * contexts or none), 24.0 (no ML-DSA), 24.7 (ML-DSA whose context is ignored).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const COMMANDS: readonly (readonly string[])[] = [
  ['--version'],
  ['verify', 'license.vtlic', '--product', 'p', '--trust', 'vendor.pem'],
  ['key', 'generate', '--site', 'site', '--name', 'license-1'],
  ['ledger', 'verify', '--site', 'site'],
];

/**
 * @param main `signer/cli/main.js` of an installed package
 * @returns what is wrong, one line a fault; empty where every command says what it needs
 */
export function checkSignerOnOldNodes(main: string, nodes: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-signer-runtime-'));
  const faults: string[] = [];
  try {
    for (const node of nodes) {
      const version = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim();
      const expected = `vtlic: the signer needs Node.js 24.19 or later, and this is Node.js ${version}\n  → install Node.js 24 LTS and run this again with it\n`;
      for (const args of COMMANDS) {
        const done = spawnSync(node, [main, ...args], { cwd: folder, encoding: 'utf8' });
        if (done.status !== 2 || done.stdout !== '' || done.stderr !== expected)
          faults.push(`Node ${version}, vtlic ${args.join(' ')}: exit ${done.status ?? 'none'}, ${done.stderr}`);
      }
      // Were the version number not looked at, what is missing would still be found.
      const probe = `import(${JSON.stringify(pathToFileURL(join(dirname(main), 'check-runtime.js')))}).then(async (check) => console.log(await check.missingFromRuntime('24.19.0')))`;
      const probed = spawnSync(node, ['-e', probe], { encoding: 'utf8' }).stdout;
      if (!/ with (?:SQLite|ML-DSA-65), /.test(probed))
        faults.push(`Node ${version}: the probes find nothing: ${probed}`);
      if (existsSync(join(folder, 'site'))) faults.push(`Node ${version}: a command left a folder behind`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return faults;
}
