/**
 * `node test/docs/make-examples.ts`: writes docs/examples/ and the generated blocks of docs/examples-of-format.md. A
 * test compares them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBlocks } from './document-blocks.ts';
import { exampleFiles } from './example-files.ts';

export const DOCS: string = join(import.meta.dirname, '../../docs');

function main(): void {
  mkdirSync(join(DOCS, 'examples'), { recursive: true });
  for (const [name, bytes] of exampleFiles()) writeFileSync(join(DOCS, 'examples', name), bytes);
  const document = join(DOCS, 'examples-of-format.md');
  writeFileSync(document, withBlocks(readFileSync(document, 'utf8')));
}

if (import.meta.main) main();
