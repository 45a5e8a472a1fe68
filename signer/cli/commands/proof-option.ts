/**
 * `--proof`: a proof beside each license that a command signs. The key that signs the checkpoint is known before
 * anything is asked or opened.
 */
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { type KeyRecord, findSiteKey, type Site } from '../../site/site.ts';

export interface ProofOptions {
  readonly proof?: boolean;
  readonly proofKey?: string;
}

export function proofOption(command: Command): Command {
  return command
    .option(
      '--proof',
      'write FILE.vtlic.proof beside each license: that the ledger holds it, to a checkpoint signed at the end',
    )
    .option('--proof-key <name>', 'the key with the purpose ledger that signs the checkpoint (default: the only one)');
}

/** @throws VtlicError `usage`: a site without a ledger key has nothing to sign a checkpoint with */
export function proofKeyOf(site: Site, options: ProofOptions): KeyRecord | undefined {
  if (options.proof !== true) {
    if (options.proofKey !== undefined) throw new VtlicError('usage', '--proof-key goes with --proof');
    return undefined;
  }
  const able = site.config.keys.filter((key) => key.purpose === 'ledger' && key.algorithm === 'ed25519');
  const named = options.proofKey === undefined ? undefined : findSiteKey(site, options.proofKey);
  const key = named ?? able[0];
  if (key === undefined) {
    throw new VtlicError(
      'usage',
      '--proof needs a checkpoint, which an ed25519 key with the purpose ledger signs, and this site has none',
      {
        file: site.paths.site,
        hint: 'make one with: vtlic key generate --name ledger-1 --purpose ledger --algorithm ed25519; or sign without --proof',
      },
    );
  }
  if (!able.includes(key))
    throw new VtlicError(
      'usage',
      `the key ${key.name} (${key.algorithm}, purpose ${key.purpose}) signs no checkpoints: that takes an ed25519 key with the purpose ledger`,
      {
        hint:
          able.length === 0
            ? 'make one with: vtlic key generate --name ledger-1 --purpose ledger --algorithm ed25519'
            : `there are: ${able.map(({ name }) => name).join(', ')}`,
      },
    );
  if (named === undefined && able.length > 1)
    throw new VtlicError(
      'usage',
      `this site has ${able.length} keys with the purpose ledger: say which with --proof-key`,
      {
        hint: `there are: ${able.map(({ name }) => name).join(', ')}`,
      },
    );
  return key;
}
