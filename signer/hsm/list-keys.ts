/** The keys and data objects of a token, and which of them a site knows: what is left of failed commands shows here. */
import { equalBytes, fromHex } from '../../formats/bytes.ts';
import type { OpenedToken, Token } from '../../keys/private/pkcs11/client/index.ts';
import type { DataObjectDescription, KeyObjectDescription } from '../../keys/private/pkcs11/shared/host-protocol.ts';
import { claimLabel } from '../keys/key-claim.ts';
import { TokenPool, type SecretSource } from '../keys/token-pool.ts';
import type { KeyRecord, TokenKeystore } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import { allowingUntested } from './diagnose.ts';

/** What a site knows of its tokens. */
export interface KnownObjects {
  readonly keys: readonly KeyRecord[];
  /** Label of the data object that is the anchor of the ledger. */
  readonly anchor?: string;
}

export interface ListedKey extends KeyObjectDescription {
  /** The name of the key in the site. */
  readonly knownAs?: string;
}

export interface ListedData extends DataObjectDescription {
  /** What it is to the site, in words. */
  readonly knownAs?: string;
}

export interface TokenContents {
  readonly opened: OpenedToken;
  readonly keys: readonly ListedKey[];
  readonly data: readonly ListedData[];
}

/** Logs in to a token and lists what is in it. Changes nothing. */
export async function listTokenContents(
  store: TokenKeystore,
  known: KnownObjects,
  secrets: SecretSource,
  runtime: Runtime,
): Promise<TokenContents> {
  const tokens = new TokenPool(runtime);
  try {
    const token = await tokens.open(store, allowingUntested(secrets));
    const keys = (await token.listKeys()).map((key) =>
      withName(key, known.keys.find((record) => isOf(key, record))?.name),
    );
    const data = (await dataOf(token)).map((object) => withName(object, roleOf(object.label, known)));
    return { opened: token.opened, keys, data };
  } finally {
    await tokens.close();
  }
}

function withName<T extends object>(object: T, knownAs: string | undefined): T & { readonly knownAs?: string } {
  return knownAs === undefined ? { ...object } : { ...object, knownAs };
}

async function dataOf(token: Token): Promise<readonly DataObjectDescription[]> {
  return token.opened.profile.dataObjects === 'none' ? [] : token.readData();
}

function isOf(key: KeyObjectDescription, { object }: KeyRecord): boolean {
  if (object === undefined) return false;
  return object.label === key.label && equalBytes(fromHex(object.id) ?? new Uint8Array(), key.id);
}

function roleOf(label: string, { keys, anchor }: KnownObjects): string | undefined {
  if (label === anchor) return 'anchor of the ledger';
  const key = keys.find(({ publicKey }) => claimLabel(publicKey.kid) === label);
  return key === undefined ? undefined : `claim of ${key.name}`;
}
