/**
 * `npm run vectors`: makes vectors/v1 anew, byte for byte the same each time. A test compares.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OPERATIONS } from './case.ts';
import { allCases } from './cases.ts';
import { vectorFiles, VECTORS } from './files.ts';

const files = vectorFiles(allCases());
for (const operation of OPERATIONS) rmSync(join(VECTORS, operation), { recursive: true, force: true });
for (const [path, bytes] of files) {
  mkdirSync(dirname(join(VECTORS, path)), { recursive: true });
  writeFileSync(join(VECTORS, path), bytes);
}
process.stdout.write(`${files.size} files below vectors/v1\n`);
