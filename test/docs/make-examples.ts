/**
 * `node test/docs/make-examples.ts`: writes docs/examples/ and the generated blocks of docs/examples-of-format.md and
 * docs/keysets.md. A test compares them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentBlocks, withBlocks } from './document-blocks.ts';
import { exampleFiles } from '../../conformance/examples/example-files.ts';
import { keysetBlocks } from './keyset-blocks.ts';

export const DOCS: string = join(import.meta.dirname, '../../docs');

function main(): void {
  mkdirSync(join(DOCS, 'examples'), { recursive: true });
  for (const [name, bytes] of exampleFiles()) writeFileSync(join(DOCS, 'examples', name), bytes);
  for (const [name, blocks] of [
    ['examples-of-format.md', documentBlocks()],
    ['keysets.md', keysetBlocks()],
  ] as const) {
    const document = join(DOCS, name);
    writeFileSync(document, withBlocks(readFileSync(document, 'utf8'), blocks));
  }
}

if (import.meta.main) main();
