/** Keys in tokens, over PKCS#11. The tokens are the run's and outlive the key. */
import { fromHex, toHex } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { VtlicError } from '../../formats/error.ts';
import {
  checkNewComponent,
  checkNewKey,
  generateSplitKey,
  newKeyId,
  openSplitKey,
  type OpenedToken,
  type SplitTokens,
  type Token,
} from '../../keys/private/pkcs11/client/index.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import type { KeyRecord, TokenObject, TokenKeystore } from '../site/site.ts';
import { fileExists } from '../ledger/index.ts';
import type { KeyAccess } from './keystores.ts';
import {
  checkClaimInToken,
  claimInToken,
  makeClaim,
  tokenClaimFile,
  withdrawClaim,
  type KeyClaim,
} from './key-claim.ts';

export interface NewTokenKey {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly purpose: KeyPurpose;
  /** Of a composite key in tokens: the keystore of its ML-DSA component, for split custody. */
  readonly mldsaKeystore?: string;
  /** Encrypt the ML-DSA seed under a key of the token, which cannot store the seed itself. */
  readonly wrapped: boolean;
}

export interface MadeTokenKey {
  readonly key: SigningKey;
  readonly object: TokenObject;
  /**
   * Takes back what was made, where the site cannot take the key.
   *
   * @returns the error to report: it names what could not be removed from the token
   */
  readonly undo: (error: unknown) => Promise<unknown>;
}

/**
 * Opens the tokens one after another: their PIN holders sit at one keyboard.
 *
 * @param check called for each token, by its place in `stores`, before its PIN is asked for
 */
export async function openTokens(
  stores: readonly TokenKeystore[],
  { secrets, tokens }: Pick<KeyAccess, 'secrets' | 'tokens'>,
  check: (opened: OpenedToken, place: number) => void = () => {},
): Promise<readonly [Token, ...Token[]]> {
  const [first, ...others] = stores;
  if (first === undefined) throw new VtlicError('internal', 'a key in no token was to be opened');
  const open = (store: TokenKeystore): Promise<Token> =>
    tokens.open(store, secrets, undefined, (opened) => {
      check(opened, stores.indexOf(store));
    });
  // The tokens whose PIN a person types are opened first: without a terminal, the run ends before any other login.
  for (const store of stores) if (secrets.asks(store.name)) await open(store);
  const opened: [Token, ...Token[]] = [await open(first)];
  for (const store of others) opened.push(await open(store));
  return opened;
}

function pair([ed25519, mldsa65]: readonly Token[]): SplitTokens {
  if (ed25519 === undefined || mldsa65 === undefined)
    throw new VtlicError('internal', 'split custody needs two tokens');
  return { ed25519, mldsa65 };
}

/** @param stores the keystore of the key, and for split custody that of its ML-DSA component */
export async function openFromToken(
  stores: readonly TokenKeystore[],
  record: KeyRecord,
  access: KeyAccess,
  ledgerId: string,
): Promise<SigningKey> {
  const { object } = record;
  if (object === undefined) throw new VtlicError('internal', `the key ${record.name} has no object in a token`);
  const tokens = await openTokens(stores, access);
  const [token] = tokens;
  const claim = { kid: record.publicKey.kid, ledger: ledgerId };
  await claimInToken(token, claim, tokenClaimFile(access.site.paths, record.name), access.runtime);
  return openObject(tokens, object, record, access);
}

/** Finds the objects of a key and proves that they sign. */
export function openObject(
  tokens: readonly [Token, ...Token[]],
  object: TokenObject,
  { publicKey, purpose }: Pick<KeyRecord, 'publicKey' | 'purpose'>,
  { runtime }: Pick<KeyAccess, 'runtime'>,
): Promise<SigningKey> {
  const id = fromHex(object.id) ?? new Uint8Array();
  const wanted = { ...(object.label === '' ? {} : { label: object.label }), id, publicKey, purpose };
  const [token] = tokens;
  if (object.mldsaKeystore !== undefined) return openSplitKey(pair(tokens), wanted, runtime.random);
  return token.openKey({ ...wanted, ...(object.wrappedSeed === undefined ? {} : { wrappedSeed: object.wrappedSeed }) });
}

/** Makes a key in the tokens of `stores`: its label is the key's name, its id is drawn. */
export async function generateInToken(
  stores: readonly TokenKeystore[],
  wanted: NewTokenKey,
  access: KeyAccess,
  ledgerId: string,
): Promise<MadeTokenKey> {
  const { random } = access.runtime;
  const label = wanted.name;
  const custody = wanted.wrapped ? 'hsm-wrapped' : 'hsm';
  const tokens = await openTokens(stores, access, (opened, place) => {
    if (stores.length === 1) checkNewKey(opened, { label, alg: wanted.algorithm, custody });
    else checkNewComponent(opened, place === 0 ? 'ed25519' : 'mldsa65', label);
  });
  const [token] = tokens;
  const connections = tokens.map(({ connection }) => connection);
  const name = { label, id: await newKeyId(connections, random), purpose: wanted.purpose };
  const made =
    tokens.length > 1
      ? await generateSplitKey(pair(tokens), name, random)
      : await token.generateKey({ ...name, alg: wanted.algorithm, custody });
  const object: TokenObject = {
    label: made.name.label,
    id: toHex(made.name.id),
    ...('wrappedSeed' in made && made.wrappedSeed !== undefined ? { wrappedSeed: made.wrappedSeed } : {}),
    ...(wanted.mldsaKeystore === undefined ? {} : { mldsaKeystore: wanted.mldsaKeystore }),
  };
  const discard = async (failure: unknown): Promise<unknown> => {
    let last = failure;
    for (const objects of [made.made].flat()) last = await objects.removedAfter(last);
    return last;
  };
  return claimed(token, made.key, object, access, { name: wanted.name, ledgerId, discard });
}

interface Claiming {
  readonly name: string;
  readonly ledgerId: string;
  /** Removes the key itself from the token; the error to report. */
  readonly discard: (error: unknown) => Promise<unknown>;
}

/** Claims a key for the ledger of the site. The result's `undo` takes the claim back. */
export async function claimed(
  token: Token,
  key: SigningKey,
  object: TokenObject,
  { site, runtime }: KeyAccess,
  { name, ledgerId, discard }: Claiming,
): Promise<MadeTokenKey> {
  const claim: KeyClaim = { kid: key.publicKey.kid, ledger: ledgerId };
  const file = tokenClaimFile(site.paths, name);
  const existed = fileExists(file);
  let begun = false;
  const undo = async (failure: unknown): Promise<unknown> =>
    discard(begun ? await withdrawClaim(token, claim, existed ? undefined : file, failure) : failure);
  try {
    begun = !(await checkClaimInToken(token, claim, file));
    if (begun) await makeClaim(token, claim, file, runtime);
  } catch (error) {
    throw await undo(error);
  }
  return { key, object, undo };
}
