/** `node idle-child.ts FOLDER`: starts the product of the folder, and has nothing else to do. */
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';

const license = await openProduct(process.argv[2] ?? '');
process.stdout.write(`${license.state}\n`);
