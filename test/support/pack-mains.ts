/** Before all tests: packs the main files that most of them run (`pack-main.ts`), for `run-cli.ts` to take. */
import { join } from 'node:path';
import { packMain } from './pack-main.ts';
import { PACKED, ROOT } from './run-cli.ts';

const MAINS = ['signer/cli/main.ts', 'test/crash/main-that-stops.ts', 'test/crash/batch-that-stops.ts'];

export default async function packMains(): Promise<void> {
  const packed = await Promise.all(MAINS.map(async (main) => [join(ROOT, main), await packMain(main)] as const));
  process.env[PACKED] = JSON.stringify(Object.fromEntries(packed));
}
