/**
 * `node crowded-child.ts FOLDER FILE`: the product of the folder runs, and the file comes in the place of its license
 * while the process can open no more files. Prints what the product says meanwhile, and what is in force afterwards.
 */
import { closeSync, copyFileSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';

function openAll(): readonly number[] {
  const opened: number[] = [];
  for (;;) {
    try {
      opened.push(openSync('/dev/null', 'r'));
    } catch {
      return opened;
    }
  }
}

const [folder = '', file = ''] = process.argv.slice(2);
const license = await openProduct(folder);
const refused: string[] = [];
license.on('refused', ({ detail }) => refused.push(detail));
copyFileSync(file, join(folder, 'license.vtlic'));
const opened = openAll();
await license.refresh();
await license.refresh();
for (const fd of opened) closeSync(fd);
await license.refresh();
process.stdout.write(`${refused.join('\n')}\n${license.view().license?.counter}\n`);
await license.close();
