/** The keys and data objects of a token, and which of them a site knows: what is left of failed commands shows here. */
import { equalBytes, fromHex, toHex } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import {
  COMPONENT_WORDS,
  describeToken,
  removalCommand,
  type OpenedToken,
  type Token,
} from '../../keys/private/pkcs11/client/index.ts';
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

const SHOWN_LABEL = 64;

/** The contents as an officer reads them. */
export function contentsText({ opened, keys, data }: TokenContents, hasSite: boolean): string {
  const lines = [`${describeToken(opened.token)}, ${opened.profile.name}`];
  const mark = (knownAs: string | undefined): string =>
    knownAs === undefined ? (hasSite ? 'not known to this site' : '') : cleanText(knownAs, 200);
  for (const key of keys) {
    const words = [`"${cleanText(key.label, SHOWN_LABEL)}"`, `id ${toHex(key.id) || 'none'}`, protectionWords(key)];
    const name = mark(key.knownAs);
    lines.push(`  ${keyTypeWords(key)}  ${words.filter((word) => word !== '').join('  ')}`);
    if (name !== '') lines.push(`      ${name}`);
    if (key.knownAs === undefined && hasSite) lines.push(`      remove it: ${removalCommand(opened, key)}`);
  }
  for (const { label, bytes, knownAs } of data)
    lines.push(`  data object  "${cleanText(label, SHOWN_LABEL)}"  ${bytes.length} bytes  ${mark(knownAs)}`.trimEnd());
  if (keys.length + data.length === 0) lines.push('  the token contains no key and no data object');
  if (!hasSite) lines.push('  no site was named: to see which keys belong to a site, name it with --site DIR');
  return `${lines.join('\n')}\n`;
}

function keyTypeWords({ class: type, component, keyType }: ListedKey): string {
  if (type === 'secret') return 'secret key  ';
  const what = component === undefined ? `type 0x${keyType.toString(16)}` : COMPONENT_WORDS[component];
  return `${type} key  ${what}`;
}

/** The attributes of a private or secret key in words, without those that the token does not show. */
function protectionWords(key: ListedKey): string {
  const words: readonly (readonly [value: boolean | undefined, whenTrue: string, whenFalse: string])[] = [
    [key.sensitive, 'sensitive', 'NOT sensitive'],
    [key.extractable, 'EXTRACTABLE', 'not extractable'],
    [key.neverExtractable, 'never extractable', 'WAS extractable'],
    [key.maySign, 'signs', 'does not sign'],
    [key.otherUses, 'MORE uses', ''],
    [key.alwaysAuthenticate, 'PIN for each signature', ''],
  ];
  if (key.class === 'public') return '';
  return words
    .map(([value, whenTrue, whenFalse]) => (value === undefined ? '' : value ? whenTrue : whenFalse))
    .filter((word) => word !== '')
    .join(', ');
}

/** The stable form of `--json`: ids in hex, no numbers of this process. */
export function contentsDocument({ opened, keys, data }: TokenContents): Readonly<Record<string, unknown>> {
  return {
    token: { label: opened.token.label, serial: opened.token.serial, profile: opened.profile.id },
    keys: keys.map(({ ref: _ref, id, publicBytes, knownAs, ...key }) => ({
      ...key,
      id: toHex(id),
      publicKey: publicBytes === undefined ? null : toHex(publicBytes),
      knownAs: knownAs ?? null,
    })),
    data: data.map(({ label, bytes, knownAs }) => ({ label, bytes: bytes.length, knownAs: knownAs ?? null })),
  };
}
