/** `vtlic key default | retire | remove` */
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { removeKey, retireKey, reviveKey, setDefaultKey } from '../../keys/change-key.ts';
import type { KeyRecord } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { openNamedSite, siteArgument, siteFolder, siteOption, type SiteOptions } from '../options.ts';

interface ChangeOptions extends SiteOptions {
  readonly json?: boolean;
  readonly undo?: boolean;
}

const DEFAULT_HELP = `
Example:
  vtlic key default license-2`;

const RETIRE_HELP = `
Products still accept what it signed. --undo lets it sign again. To remove a key
that never signed anything, see: vtlic help key remove

Example:
  vtlic key retire license-1`;

const REMOVE_HELP = `
For a key that was made by mistake. The command refuses a key that signed a
license or a counters document, a key of another purpose (the ledger does not
record what it signed), and a key that is older than a restore: retire these
with vtlic key retire. The encrypted files stay in the keystore, under the name
NAME.age.removed-1; a key in a token stays in the token.

Example:
  vtlic key remove license-2`;

export function addKeyChanges(key: Command, io: Io): void {
  const add = (words: string, description: string, help: string, act: (name: string, options: ChangeOptions) => void) =>
    siteOption(
      key
        .command(words)
        .description(description)
        .option('--json', 'the result as one JSON document')
        .addHelpText('after', help),
    ).action(act);
  const report = (key: KeyRecord, options: ChangeOptions): void => {
    const { defaultKey } = openNamedSite(io, options).config;
    const { name, publicKey } = key;
    io.out(
      options.json === true
        ? jsonLine({ schema: 'vtlic-key-change/1', name, kid: publicKey.kid, defaultKey: defaultKey ?? null })
        : `${name}\n`,
    );
    if (defaultKey === undefined)
      io.err(
        `no key signs licenses by default any more; choose one: ${io.name} key default NAME${siteArgument(options)}`,
      );
  };
  add('default <name>', 'chooses the key that signs licenses when no other is named', DEFAULT_HELP, (name, options) => {
    const record = setDefaultKey(siteFolder(io, options), name, io.runtime);
    io.err(`${record.name} signs licenses from now on, unless another key is named`);
    report(record, options);
  });
  add('retire <name>', 'stops a key from signing; what it signed stays valid', RETIRE_HELP, (name, options) => {
    const change = options.undo === true ? reviveKey : retireKey;
    const record = change(siteFolder(io, options), name, io.runtime);
    const again = `${io.name} key retire ${record.name} --undo${siteArgument(options)}`;
    io.err(
      options.undo === true ? `${record.name} signs again` : `${record.name} no longer signs; to undo this: ${again}`,
    );
    report(record, options);
  }).option('--undo', 'let the key sign again');
  add('remove <name>', 'removes a key that never signed anything', REMOVE_HELP, (name, options) => {
    const { key: record, files } = removeKey(siteFolder(io, options), name, io.runtime);
    io.err(`${record.name} (${record.publicKey.kid}) is no longer a key of this site`);
    for (const file of files) io.err(`  kept: ${cleanText(file, 1000)}`);
    if (record.custody !== 'software') io.err('  the key itself is still in its token');
    report(record, options);
  });
}
