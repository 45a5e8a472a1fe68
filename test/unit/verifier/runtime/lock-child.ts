/** Takes and releases the lock of a state, in a process that a test can give up on: `node lock-child.ts STATE`. */
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';
import { fileStore } from '../../../../verifier/runtime/index.ts';

const held = await acquireLock(fileStore(process.argv[2] ?? ''), 1000);
await held?.release();
process.stdout.write(held === undefined ? 'not locked\n' : 'locked\n');
