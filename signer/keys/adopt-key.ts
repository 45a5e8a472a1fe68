/**
 * Adopts a key that is in a token already: finds it, checks its attributes, proves that it signs, claims it for this
 * ledger, and writes it into `site.json`. It makes nothing in the token except the claim.
 */
import { concatBytes, equalBytes, toHex } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { VtlicError } from '../../formats/error.ts';
import { findComponents, type FoundComponent, type Token } from '../../keys/private/pkcs11/client/index.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import type { Runtime } from '../runtime.ts';
import type { KeyRecord, TokenObject } from '../site/site.ts';
import { checkNewKeyName, isRecorded, recordKey, tokenStores, withSiteLocked } from './generate-key.ts';
import { tokenKeystoreOf, type KeyAccess } from './keystores.ts';
import { claimed, openObject, openTokens } from './token-keystore.ts';
import type { SecretSource } from './token-pool.ts';

/** What `vtlic key adopt` was asked for. */
export interface KeyToAdopt {
  readonly name: string;
  readonly purpose: KeyPurpose;
  readonly keystore: string;
  /** The keystore of the ML-DSA component, for split custody. */
  readonly mldsaKeystore?: string;
  /** CKA_ID */
  readonly id?: Uint8Array;
  /** CKA_LABEL */
  readonly label?: string;
  /** The algorithm that the officer expects; a key with another one is not adopted. */
  readonly algorithm?: Algorithm;
  readonly makeDefault: boolean;
}

export function adoptKey(
  folder: string,
  wanted: KeyToAdopt,
  secrets: SecretSource,
  ledgerId: string,
  runtime: Runtime,
): Promise<KeyRecord> {
  return withSiteLocked(folder, 'vtlic key adopt', secrets, runtime, (access) => adoptLocked(access, wanted, ledgerId));
}

async function adoptLocked(access: KeyAccess, wanted: KeyToAdopt, ledgerId: string): Promise<KeyRecord> {
  const { site } = access;
  checkNewKeyName(site, wanted.name);
  const stores = tokenStores(site, tokenKeystoreOf(site, wanted.keystore), wanted.mldsaKeystore);
  const tokens = await openTokens(stores, access);
  const { publicKey, object } = await findAdoptable(tokens, wanted);
  const same = site.config.keys.find((key) => key.publicKey.kid === publicKey.kid);
  if (same !== undefined)
    throw new VtlicError('usage', `this site has that key already: it is called ${same.name}`, {
      hint: `sign with it: --key ${same.name}`,
    });
  const opened = await openObject(tokens, object, { publicKey, purpose: wanted.purpose }, access);
  // The key was in the token before, so it stays there after a failure.
  const keep = async (failure: unknown): Promise<unknown> => failure;
  const made = await claimed(tokens[0], opened, object, access, { name: wanted.name, ledgerId, discard: keep });
  try {
    return recordKey(access, opened, wanted, object);
  } catch (error) {
    throw isRecorded(site, wanted.name) ? error : await made.undo(error);
  } finally {
    await opened.close();
  }
}

/** Finds the key and checks its attributes; `openObject` proves that it signs. */
export async function findAdoptable(
  tokens: readonly [Token, ...Token[]],
  wanted: Pick<KeyToAdopt, 'id' | 'label' | 'algorithm' | 'mldsaKeystore'>,
): Promise<{ readonly publicKey: PublicKey; readonly object: TokenObject }> {
  const { alg, bytes, object } = keyOf(await findIn(tokens, wanted), wanted);
  return { publicKey: importPublicKey(alg, bytes, { forSite: true }), object };
}

async function findIn(
  [ed25519, mldsa65]: readonly [Token, ...Token[]],
  { id, label }: Pick<KeyToAdopt, 'id' | 'label'>,
): Promise<readonly FoundComponent[]> {
  const name = { ...(id === undefined ? {} : { id }), ...(label === undefined ? {} : { label }) };
  if (mldsa65 === undefined) return findComponents(ed25519.connection, name);
  return [
    ...(await findComponents(mldsa65.connection, name, 'mldsa65')),
    ...(await findComponents(ed25519.connection, name, 'ed25519')),
  ];
}

function keyOf(
  found: readonly FoundComponent[],
  { algorithm, mldsaKeystore }: Pick<KeyToAdopt, 'algorithm' | 'mldsaKeystore'>,
): { readonly alg: Algorithm; readonly bytes: Uint8Array; readonly object: TokenObject } {
  const [first] = found;
  if (first === undefined) throw new VtlicError('internal', 'a key without components was found');
  const alg: Algorithm = found.length === 2 ? 'ed25519+ml-dsa-65' : 'ed25519';
  if (found.length === 1 && first.component !== 'ed25519')
    throw new VtlicError('key_not_found', 'the token has only the ML-DSA-65 component of a composite key', {
      hint: 'name the token of the Ed25519 component with --keystore, and this one with --ml-dsa-keystore',
    });
  if (algorithm !== undefined && algorithm !== alg)
    throw new VtlicError('key_not_found', `the key in the token is ${alg}, and ${algorithm} was asked for`, {
      hint: 'leave --algorithm out, or name another key with --id HEX',
    });
  const { name } = first;
  if (found.some((other) => other.name.label !== name.label || !equalBytes(other.name.id, name.id)))
    throw new VtlicError('configuration_invalid', 'the two components of the key have different labels or ids', {
      hint: "give both the same label and id with the maker's tool",
    });
  return {
    alg,
    bytes: concatBytes(...found.map(({ publicBytes }) => publicBytes)),
    object: { label: name.label, id: toHex(name.id), ...(mldsaKeystore === undefined ? {} : { mldsaKeystore }) },
  };
}
