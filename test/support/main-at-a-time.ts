/** The real command at another time: the clock is shifted by VTLIC_TEST_SHIFT_MS. For walks through a whole year. */
import { processIo } from '../../signer/cli/io.ts';
import { runCli } from '../../signer/cli/run.ts';

const shiftMs = Number(process.env['VTLIC_TEST_SHIFT_MS'] ?? '0');
process.exit(await runCli(process.argv.slice(2), processIo({ nowMs: () => Date.now() + shiftMs })));
