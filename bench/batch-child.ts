/** One batch with stand-ins for key and check, in a process of its own: prints its peak memory. argv: FOLDER ROWS */
import { signBatch } from '../signer/batch/sign-batch.ts';
import { writeResults } from '../signer/batch/results.ts';
import { benchRuntime, makeBatchSite } from './parts/batch-site.ts';
import { standInChecker, standInKey } from './parts/stand-ins.ts';

const [folder = '', rows = '0'] = process.argv.slice(2);
const key = standInKey();
const { site, ledger, reviewed, planMs } = await makeBatchSite(folder, Number(rows), key);
const begun = performance.now();
const outcome = await signBatch(reviewed, {
  ledger,
  siteFolder: site.paths.folder,
  key,
  checker: standInChecker,
  runtime: benchRuntime,
  progress: () => undefined,
});
const signMs = performance.now() - begun;
await writeResults(reviewed.batch, site.paths.folder, ledger);
ledger.close();
if (outcome.released !== Number(rows))
  throw new Error(`${outcome.released} of ${rows} were released: ${outcome.stoppedBy?.message ?? ''}`);
process.stdout.write(
  `${JSON.stringify({ rows: Number(rows), peakMiB: process.resourceUsage().maxRSS / 1024, planMs, signMs })}\n`,
);
