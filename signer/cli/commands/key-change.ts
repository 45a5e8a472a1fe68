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
Products go on verifying what it signed. To take it out of the site, see:
vtlic help key remove

Example:
  vtlic key retire license-1`;

const REMOVE_HELP = `
For a key that was made by mistake. Retire a key that signed licenses or a
counters document, and a key of which the ledger cannot say what it signed: one
of another purpose (checkpoints are not recorded), or one that is older than a
restore. Its encrypted files stay in the keystore as NAME.age.removed-1; a key
in a token stays in the token.

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
      io.err(`no key signs licenses by default now; choose one: ${io.name} key default NAME${siteArgument(options)}`);
  };
  add('default <name>', 'the key that signs licenses when no other is named', DEFAULT_HELP, (name, options) => {
    const record = setDefaultKey(siteFolder(io, options), name, io.runtime);
    io.err(`${record.name} signs licenses from now on, unless another key is named`);
    report(record, options);
  });
  add('retire <name>', 'a key that signs no more', RETIRE_HELP, (name, options) => {
    const change = options.undo === true ? reviveKey : retireKey;
    const record = change(siteFolder(io, options), name, io.runtime);
    io.err(options.undo === true ? `${record.name} signs again` : `${record.name} signs no more`);
    report(record, options);
  }).option('--undo', 'take the retirement back');
  add('remove <name>', 'takes a key that never signed out of the site', REMOVE_HELP, (name, options) => {
    const { key: record, files } = removeKey(siteFolder(io, options), name, io.runtime);
    io.err(`${record.name} (${record.publicKey.kid}) is no key of this site any more`);
    for (const file of files) io.err(`  kept: ${cleanText(file, 1000)}`);
    if (record.custody !== 'software') io.err('  the key itself is still in its token');
    report(record, options);
  });
}
