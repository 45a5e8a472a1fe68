/** The secrets of a command, asserted before any login, and the tokens of its run, closed at its end. */
import type { KeyAccess } from '../../keys/key-access.ts';
import { keystoresUsed, secretsNeeded, secretsTaken } from '../../keys/keystores.ts';
import { TokenPool } from '../../keys/token-pool.ts';
import type { KeyRecord } from '../../site/key-record.ts';
import type { Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { SecretProvider } from '../secrets.ts';
import type { Terminal } from '../terminal.ts';
import type { SecretOptions } from './common.ts';

export interface AccessNeeds {
  /** The key that signs. */
  readonly key?: KeyRecord;
  /** Keystores that hold an anchor. */
  readonly anchors: readonly string[];
}

export async function withAccess<T>(
  io: Io,
  site: Site,
  options: SecretOptions,
  { key, anchors }: AccessNeeds,
  use: (access: KeyAccess, terminal: Terminal | undefined) => Promise<T>,
): Promise<T> {
  const terminal = io.openTerminal();
  const tokens = new TokenPool(io.world);
  try {
    const secrets = new SecretProvider(options.secret, terminal, options);
    const stores = [...new Set([...(key === undefined ? [] : keystoresUsed(key)), ...anchors])];
    secrets.assertFor(secretsTaken(site, stores), secretsNeeded(site, stores));
    return await use({ site, secrets, tokens, world: io.world }, terminal);
  } finally {
    await tokens.close();
    terminal?.close();
  }
}
