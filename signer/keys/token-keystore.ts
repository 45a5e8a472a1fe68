/** Keys in tokens, over PKCS#11. The tokens are the run's and outlive the key. */
import { fromHex, toHex } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { VtlicError } from '../../formats/error.ts';
import {
  generateSplitKey,
  openSplitKey,
  type SplitTokens,
  type Token,
} from '../../keys/private/pkcs11/client/index.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import type { KeyRecord, TokenObject, TokenKeystore } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import type { KeyAccess } from './keystores.ts';
import { claimInToken } from './key-claim.ts';

const OBJECT_ID_BYTES = 16;

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
}

export type TokenAccess = Pick<KeyAccess, 'secrets' | 'tokens' | 'runtime'>;

/** One after another: their PIN holders sit at one keyboard. */
async function openAll(
  stores: readonly TokenKeystore[],
  { secrets, tokens }: TokenAccess,
): Promise<readonly [Token, ...Token[]]> {
  const [first, ...others] = stores;
  if (first === undefined) throw new VtlicError('internal', 'a key in no token was to be opened');
  // First those for which a person is asked: without a terminal, the run ends before any other login.
  for (const store of stores) if (secrets.asks(store.name)) await tokens.open(store, secrets);
  const opened: [Token, ...Token[]] = [await tokens.open(first, secrets)];
  for (const store of others) opened.push(await tokens.open(store, secrets));
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
  access: TokenAccess,
  ledgerId: string,
): Promise<SigningKey> {
  const { object } = record;
  const { runtime } = access;
  if (object === undefined) throw new VtlicError('internal', `the key ${record.name} has no object in a token`);
  const id = fromHex(object.id) ?? new Uint8Array();
  const wanted = { label: object.label, id, publicKey: record.publicKey, purpose: record.purpose };
  const tokens = await openAll(stores, access);
  const [token] = tokens;
  await claimInToken(token, { kid: record.publicKey.kid, ledger: ledgerId }, runtime);
  if (record.custody === 'split') return openSplitKey(pair(tokens), wanted, runtime.random);
  return token.openKey({ ...wanted, ...(object.wrappedSeed === undefined ? {} : { wrappedSeed: object.wrappedSeed }) });
}

/** Makes a key in the tokens of `stores`; label is the key's name, the id is random. */
export async function generateInToken(
  stores: readonly TokenKeystore[],
  wanted: NewTokenKey,
  access: TokenAccess,
  ledgerId: string,
): Promise<MadeTokenKey> {
  const { runtime } = access;
  const id = runtime.random(OBJECT_ID_BYTES);
  const name = { label: wanted.name, id, purpose: wanted.purpose };
  const object: TokenObject = { label: wanted.name, id: toHex(id) };
  const tokens = await openAll(stores, access);
  const [token] = tokens;
  if (tokens.length > 1) {
    const key = await generateSplitKey(pair(tokens), name, runtime.random);
    await claimNew(token, key, ledgerId, runtime);
    return { key, object: { ...object, mldsaKeystore: wanted.mldsaKeystore ?? '' } };
  }
  const made = await token.generateKey({
    ...name,
    alg: wanted.algorithm,
    custody: wanted.wrapped ? 'hsm-wrapped' : 'hsm',
  });
  await claimNew(token, made.key, ledgerId, runtime);
  return {
    key: made.key,
    object: made.wrappedSeed === undefined ? object : { ...object, wrappedSeed: made.wrappedSeed },
  };
}

function claimNew(token: Token, key: SigningKey, ledgerId: string, runtime: Runtime): Promise<void> {
  return claimInToken(token, { kid: key.publicKey.kid, ledger: ledgerId }, runtime);
}
