/** Holds a ledger as its one writer until it is killed: `node hold-ledger.ts LEDGER`. */
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { testRuntime } from '../support/site-fixture.ts';

const runtime = testRuntime();
await openLedgerForWriting(process.argv[2] ?? '', {
  now: () => Math.floor(runtime.nowMs() / 1000),
  random: runtime.random,
  holder: { command: 'hold-ledger' },
});
process.stdout.write('held\n');
process.stdin.resume();
