/** Split custody: Ed25519 in one token, ML-DSA in another, each with its own PIN holder. */
import { concatBytes } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import { importPublicKey } from '../../../public/public-key.ts';
import { selfTest, type SigningKey } from '../../signing-key.ts';
import type { NewKeyName } from '../shared/host-protocol.ts';
import { TokenKey } from './token-key.ts';
import type { KeyToOpen, RandomSource, Token } from './token.ts';

export interface SplitTokens {
  readonly ed25519: Token;
  readonly mldsa65: Token;
}

/**
 * Opens a composite key whose components lie in two tokens, and proves that together they sign for the public key.
 *
 * @throws VtlicError `configuration_invalid` where both are one token: then one PIN would be enough
 */
export async function openSplitKey(
  tokens: SplitTokens,
  wanted: Omit<KeyToOpen, 'wrappedSeed'>,
  random: RandomSource,
): Promise<SigningKey> {
  checkTwoTokens(tokens);
  if (wanted.publicKey.mldsa65 === undefined)
    throw new VtlicError('configuration_invalid', 'only a composite key can be split over two tokens');
  const parts = [tokens.mldsa65.partOf(wanted, ['mldsa65']), tokens.ed25519.partOf(wanted, ['ed25519'])];
  const key = new TokenKey({ publicKey: wanted.publicKey, purpose: wanted.purpose, custody: 'split' }, parts);
  await selfTest(key, random(32));
  return key;
}

/**
 * Makes both components under one name. A component that was made before the other failed stays, and its name is then
 * taken.
 */
export async function generateSplitKey(
  tokens: SplitTokens,
  name: NewKeyName & { readonly purpose: KeyPurpose },
  random: RandomSource,
): Promise<SigningKey> {
  checkTwoTokens(tokens);
  const mldsa65 = await tokens.mldsa65.generateComponent('mldsa65', name);
  const ed25519 = await tokens.ed25519.generateComponent('ed25519', name);
  const publicKey = importPublicKey('ed25519+ml-dsa-65', concatBytes(mldsa65, ed25519), { forSite: true });
  return openSplitKey(tokens, { label: name.label, id: name.id, purpose: name.purpose, publicKey }, random);
}

/** By what the tokens say of themselves: one token can be reached by two modules. */
function checkTwoTokens({ ed25519, mldsa65 }: SplitTokens): void {
  const [a, b] = [ed25519.opened.token, mldsa65.opened.token];
  if (a.serial !== b.serial || a.label !== b.label || a.manufacturer !== b.manufacturer || a.model !== b.model) return;
  throw new VtlicError(
    'configuration_invalid',
    `split custody needs two tokens, but both components are in ${ed25519.connection.name}`,
    { hint: 'name another token for one of the components' },
  );
}
