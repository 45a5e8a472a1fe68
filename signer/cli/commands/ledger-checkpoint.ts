/** `vtlic ledger checkpoint`: the tree head as others read it, signed by the ledger's own key. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import { encodeLogKey, logKey, provableHead } from '../../ledger/index.ts';
import type { Io } from '../io.ts';
import { newFilePath, secretOption, siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';
import { keyWithPurpose, type LogSigningOptions, signHead } from '../log-signing.ts';

interface CheckpointOptions extends LedgerFileOptions, LogSigningOptions {
  readonly out?: string;
  readonly logKey?: boolean;
}

export function addLedgerCheckpoint(parent: Command, io: Io): void {
  const command = parent
    .command('checkpoint')
    .description('signs a checkpoint: what the ledger contains today, for auditors')
    .option('--key <name>', 'the key that signs (default: the only one with the purpose ledger)')
    .option('--log-key', 'sign nothing: print the public key by which checkpoints are verified')
    .option('--out <file>', 'write it to this new file (default: standard output)')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action((options: CheckpointOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      const log = ledger.logs().at(-1);
      if (site === undefined || log === undefined) throw new VtlicError('internal', 'a checkpoint is of a site');
      if (options.logKey === true) {
        const { publicKey } = keyWithPurpose(site, 'ledger', options.key);
        // A restored ledger has more than one log; a proof of an older one is checked under that one's name.
        const lines = ledger
          .logs()
          .toReversed()
          .map((each) => encodeLogKey(logKey(each.origin, publicKey)));
        io.out(
          options.json === true ? jsonLine({ schema: 'vtlic-log-keys/1', logKeys: lines }) : `${lines.join('\n')}\n`,
        );
        return;
      }
      // Before anything is asked or signed.
      const path = options.out === undefined ? undefined : newFilePath(io, options.out);
      const { note, checkpoint } = await signHead(
        io,
        site,
        ledger,
        (anchor) => provableHead(ledger, log, anchor),
        options,
      );
      io.err(`signed the tree head: ${checkpoint.size} leaves of ${checkpoint.origin}`);
      if (path !== undefined) {
        await createDurably(path, utf8(note), 0o644, { folderExists: true });
        io.err(`wrote ${cleanText(path, 1000)}`);
      }
      if (options.json === true)
        io.out(
          jsonLine({
            schema: 'vtlic-checkpoint/1',
            origin: checkpoint.origin,
            size: checkpoint.size,
            root: toHex(checkpoint.root),
            checkpoint: note,
            file: path ?? null,
          }),
        );
      else if (path === undefined) io.out(note);
    }),
  );
}
