/**
 * `npm run test:token`: the tests on real tokens; what they need is in docs/testing.md. A missing piece is a failure that
 * names it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { missingNeeds } from './pkcs11/support/check-needs.ts';

const missing = missingNeeds();
if (missing.length > 0) {
  process.stderr.write(`vtlic: npm run test:token cannot run here:\n  ${missing.join('\n  ')}\n`);
  process.exit(2);
}
const root = join(import.meta.dirname, '..');
const done = spawnSync(join(root, 'node_modules/.bin/vitest'), ['run', '--config', 'test/pkcs11/vitest.config.ts'], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(done.status ?? 1);
