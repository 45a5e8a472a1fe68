/** `node install-child.ts FOLDER FILE`: starts the product of the folder, installs the file, prints what came of it. */
import { readFileSync } from 'node:fs';
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';

const [folder = '', file = ''] = process.argv.slice(2);
const license = await openProduct(folder);
const result = await license.install(readFileSync(file, 'utf8'));
process.stdout.write(result.ok ? result.outcome : result.refusal.code);
await license.close();
