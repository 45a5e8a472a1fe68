/**
 * A writer in a process of its own, to be starved, demoted or killed.
 *
 *   append LEDGER COUNT [survive]   one intent after another, each told when it is durable; the error, if any, as
 * "CODE MESSAGE";
 *                                   with `survive` what a second try is told, and then the head
 *   cycle LEDGER                    whole licenses for ever: intent, issue, anchor, release, each told when it is
 * durable
 *   read LEDGER                     the head
 */
import { writeSync } from 'node:fs';
import { VtlicError } from '../../../../formats/error.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { ACME, coseFor, intentFor, releaseNow, writerOptions } from './ledger-inputs.ts';

const [mode = '', path = '', count = '0', survive] = process.argv.slice(2);
let appended = 0;

/** Written at once: what was told has happened, also if the next thing is a kill. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

try {
  if (mode === 'read') {
    tell(`head ${openLedgerForReading(path).head().entries}`);
  } else {
    const ledger = await openLedgerForWriting(path, writerOptions());
    const next = (): number => (ledger.lastOfLineage(ACME)?.ctr ?? 0) + 1;
    if (mode === 'append') {
      try {
        for (; appended < Number(count); appended++) {
          ledger.intend(intentFor(ACME, next()));
          tell('intent');
        }
      } finally {
        if (survive !== undefined) {
          process.once('exit', () => {
            try {
              ledger.intend(intentFor(ACME, next()));
            } catch (error) {
              tell(error instanceof VtlicError ? `${error.code} ${error.message}` : String(error));
            }
            tell(`head ${ledger.head().entries}`);
          });
        }
      }
    } else {
      const plan = ledger.recoveryPlan();
      for (const { intent } of plan.voids) {
        ledger.void_(intent.seq, 'crash');
        tell(`void ${intent.body.ctr}`);
      }
      await ledger.anchor();
      for (const { intent } of plan.releases) {
        releaseNow(ledger, intent.seq);
        tell(`release ${intent.body.ctr}`);
      }
      for (;;) {
        const ctr = next();
        const input = intentFor(ACME, ctr);
        const { seq } = ledger.intend(input);
        tell(`intent ${ctr}`);
        ledger.issue(seq, coseFor(input));
        tell(`issue ${ctr}`);
        await ledger.anchor();
        tell(`anchor ${ctr}`);
        releaseNow(ledger, seq);
        tell(`release ${ctr}`);
      }
    }
  }
} catch (error) {
  if (!(error instanceof VtlicError)) throw error;
  tell(`${error.code} ${error.message}`);
}
