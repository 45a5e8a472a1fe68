/** The secrets of a command, asserted before any login, and the tokens of its run, closed at its end. */
import { type KeyAccess, keystoresUsed, secretsNeeded, secretsTaken } from '../keys/keystores.ts';
import { TokenPool } from '../keys/token-pool.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import type { Io } from './io.ts';
import { parseSecretOptions, SecretProvider } from './secrets.ts';
import type { Terminal } from './terminal.ts';
import type { SecretOptions } from './options.ts';
import { anchorOpener, keystoresOfPlaces } from '../keys/ledger-opening.ts';
import { anchorStatus, openLedgerForReading, type AnchorStatus, type LedgerView } from '../ledger/index.ts';
import { toHex } from '../../formats/bytes.ts';

/**
 * What a command opens keys and anchors with: the terminal, the secrets and the tokens. `await using` closes the
 * tokens, wipes the secrets that were kept and closes the terminal, in this order, when the command ends.
 */
export class CommandAccess implements AsyncDisposable {
  readonly terminal: Terminal | undefined;
  readonly secrets: SecretProvider;
  readonly tokens: TokenPool;

  /** @param withTerminal false for a command that never asks */
  constructor(io: Io, options: SecretOptions, withTerminal = true) {
    // This comes before the terminal is opened, so that a fault of the options leaves nothing to close.
    const sources = parseSecretOptions(options.secret);
    this.terminal = withTerminal ? io.openTerminal() : undefined;
    this.secrets = new SecretProvider(sources, this.terminal, options);
    this.tokens = new TokenPool(io.runtime);
  }

  /** Before any login: each secret that these keystores of the site need can be had, and none was given for another. */
  assertSecrets(site: Site, stores: readonly string[]): void {
    this.secrets.assertFor(secretsTaken(site, stores), secretsNeeded(site, stores));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.tokens.close();
    } finally {
      this.secrets.forget();
      this.terminal?.close();
    }
  }
}

export interface AccessNeeds {
  /** The key that signs. */
  readonly key?: KeyRecord;
  /** Keystores that contain an anchor. */
  readonly anchors: readonly string[];
}

export async function withAccess<T>(
  io: Io,
  site: Site,
  options: SecretOptions,
  { key, anchors }: AccessNeeds,
  use: (access: KeyAccess, terminal: Terminal | undefined) => Promise<T>,
): Promise<T> {
  await using access = new CommandAccess(io, options);
  const { secrets, terminal, tokens } = access;
  access.assertSecrets(site, [...new Set([...(key === undefined ? [] : keystoresUsed(key)), ...anchors])]);
  return await use({ site, secrets, tokens, runtime: io.runtime }, terminal);
}

/**
 * Compares the ledger with its anchor, for commands that sign nothing. An anchor in a token is read only if its secret
 * was given, or if the keystore says where the secret is: nobody is asked for a PIN.
 */
export function readAnchorStatus(
  io: Io,
  site: Site,
  ledger: LedgerView,
  options: SecretOptions,
): Promise<AnchorStatus> {
  const place = ledger.anchorPlace();
  const anchors = keystoresOfPlaces(site, [place]);
  if (options.secret.length === 0 && (place.kind === 'file' || secretsTaken(site, anchors).length > 0))
    return anchorStatus(ledger);
  return withAccess(io, site, options, { anchors }, (access) => anchorStatus(ledger, anchorOpener(access)));
}

/** The id of the site's ledger, which a key's claim names: 32 hex digits. */
export function ledgerIdOf({ paths }: Site): string {
  const ledger = openLedgerForReading(paths.ledger);
  try {
    return toHex(ledger.genesis.ledgerId);
  } finally {
    ledger.close();
  }
}
