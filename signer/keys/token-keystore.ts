/** Keys in tokens, over PKCS#11: one login a token and run, and the token host ends with the key. */
import { fromHex, toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { generateSplitKey, openSplitKey } from '../../keys/private/pkcs11/split-key.ts';
import { openToken, type Token } from '../../keys/private/pkcs11/token.ts';
import type { TokenDescription } from '../../keys/private/pkcs11/token-description.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { cleanText } from '../../formats/clean-text.ts';
import type { KeyRecord, TokenObject } from '../site/key-record.ts';
import type { TokenKeystore } from '../site/keystore-config.ts';
import type { World } from '../world.ts';
import { claimInToken } from './token-claim.ts';
import type { NewKey } from './new-key.ts';
import type { SecretSource } from './secret-source.ts';

const OBJECT_ID_BYTES = 16;

export interface MadeTokenKey {
  readonly key: SigningKey;
  readonly object: TokenObject;
}

/** Logs in to the token of a keystore. The caller closes it. */
export function openTokenOf(store: TokenKeystore, secrets: SecretSource, world: World, settings: { readonly allowUntested?: boolean } = {}): Promise<Token> {
  const uri = parsePkcs11Uri(store.uri);
  return openToken(
    {
      uri,
      ...(uri.pinSourceFile === undefined ? { pin: (token: TokenDescription) => secrets.take(store.name, `PIN of token ${cleanText(token.label, 64)} (serial ${cleanText(token.serial, 64)}), keystore ${store.name}: `) } : {}),
      ...(secrets.lastTrySerial === undefined ? {} : { lastTrySerial: secrets.lastTrySerial }),
      ...(world.tokenLimits === undefined ? {} : { limits: world.tokenLimits }),
      allowUntested: settings.allowUntested ?? secrets.allowUntested ?? false,
      notify: (sentence) => {
        world.tell(`${store.name}: ${sentence}`);
      },
      moduleSaid: (line) => {
        world.tell(`${store.name}: the module says: ${line}`);
      },
    },
    world.random,
  );
}

/** A key that takes its tokens with it when it is closed. */
function closingTokens(key: SigningKey, tokens: readonly Token[]): SigningKey {
  return {
    publicKey: key.publicKey,
    job: key.job,
    custody: key.custody,
    signedBy: key.signedBy,
    sign: (message) => key.sign(message),
    close: async () => {
      await key.close();
      await closeAll(tokens);
    },
  };
}

async function closeAll(tokens: readonly Token[]): Promise<void> {
  for (const token of tokens) await token.close();
}

/** Opens tokens one after another (their PIN holders sit at one keyboard), and closes them all if `use` fails. */
async function withTokens<T>(stores: readonly TokenKeystore[], secrets: SecretSource, world: World, use: (tokens: readonly Token[]) => Promise<T>): Promise<T> {
  const tokens: Token[] = [];
  try {
    for (const store of stores) tokens.push(await openTokenOf(store, secrets, world));
    return await use(tokens);
  } catch (error) {
    await closeAll(tokens);
    throw error;
  }
}

function pair(tokens: readonly Token[]): { readonly ed25519: Token; readonly mldsa65: Token } {
  const [ed25519, mldsa65] = tokens;
  if (ed25519 === undefined || mldsa65 === undefined) throw new VtlicError('internal', 'split custody needs two tokens');
  return { ed25519, mldsa65 };
}

/** @param stores the keystore of the key, and for split custody that of its ML-DSA half */
export function openFromToken(stores: readonly TokenKeystore[], record: KeyRecord, secrets: SecretSource, ledgerId: string, world: World): Promise<SigningKey> {
  const { object } = record;
  if (object === undefined) throw new VtlicError('internal', `the key ${record.name} has no object in a token`);
  const id = fromHex(object.id) ?? new Uint8Array();
  const wanted = { label: object.label, id, publicKey: record.publicKey, job: record.job };
  return withTokens(stores, secrets, world, async (tokens) => {
    const [token] = tokens;
    if (token === undefined) throw new VtlicError('internal', 'no token was opened');
    await claimInToken(token, { kid: record.publicKey.kid, ledger: ledgerId }, world);
    const key =
      record.custody === 'split'
        ? await openSplitKey(pair(tokens), wanted, world.random)
        : await token.openKey({ ...wanted, ...(object.wrappedSeed === undefined ? {} : { wrappedSeed: object.wrappedSeed }) });
    return closingTokens(key, tokens);
  });
}

/** Makes a key in the tokens of `stores`; label is the key's name, the id is random. */
export function generateInToken(stores: readonly TokenKeystore[], wanted: NewKey, secrets: SecretSource, ledgerId: string, world: World): Promise<MadeTokenKey> {
  const id = world.random(OBJECT_ID_BYTES);
  const name = { label: wanted.name, id, job: wanted.job };
  const object: TokenObject = { label: wanted.name, id: toHex(id) };
  return withTokens(stores, secrets, world, async (tokens) => {
    const [token, second] = tokens;
    if (token === undefined) throw new VtlicError('internal', 'no token was opened');
    if (second !== undefined) {
      const key = await generateSplitKey(pair(tokens), name, world.random);
      await claimInToken(token, { kid: key.publicKey.kid, ledger: ledgerId }, world);
      return { key: closingTokens(key, tokens), object: { ...object, mldsaKeystore: wanted.mldsaKeystore ?? '' } };
    }
    const made = await token.generateKey({ ...name, alg: wanted.algorithm, custody: wanted.wrapped ? 'hsm-wrapped' : 'hsm' });
    await claimInToken(token, { kid: made.key.publicKey.kid, ledger: ledgerId }, world);
    return { key: closingTokens(made.key, tokens), object: made.wrappedSeed === undefined ? object : { ...object, wrappedSeed: made.wrappedSeed } };
  });
}
