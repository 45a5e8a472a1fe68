/** One check of a ledger without signatures, in a process of its own: prints its peak memory. argv: LEDGER */
import { verifyLedger } from '../signer/ledger/verify/verify.ts';

const [path = ''] = process.argv.slice(2);
const { issued } = await verifyLedger(path);
process.stdout.write(`${JSON.stringify({ issued, peakMiB: process.resourceUsage().maxRSS / 1024 })}\n`);
