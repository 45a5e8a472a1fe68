/** Split custody: Ed25519 in one token, ML-DSA in another, each with its own PIN holder. */
import { concatBytes, equalBytes } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import { importPublicKey } from '../../../public/public-key.ts';
import { selfTest, type SigningKey } from '../../signing-key.ts';
import type { NewKeyName } from '../shared/host-protocol.ts';
import { TokenKey } from './token-key.ts';
import type { GeneratedKey } from './generate-key.ts';
import type { KeyToOpen, RandomSource } from './open-key.ts';
import type { Token } from './token.ts';

export interface SplitTokens {
  readonly ed25519: Token;
  readonly mldsa65: Token;
}

/**
 * Opens a composite key whose components are in two tokens, and proves that together they sign for the public key.
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

export interface GeneratedSplitKey extends Omit<GeneratedKey, 'made' | 'wrappedSeed'> {
  readonly made: readonly GeneratedKey['made'][];
}

/**
 * Makes both components under one name. If the second one fails, the first one is destroyed again.
 *
 * @throws VtlicError `configuration_invalid` where the tokens change the name to two different ones
 */
export async function generateSplitKey(
  tokens: SplitTokens,
  name: NewKeyName & { readonly purpose: KeyPurpose },
  random: RandomSource,
): Promise<GeneratedSplitKey> {
  checkTwoTokens(tokens);
  const mldsa65 = await tokens.mldsa65.generateComponent('mldsa65', name);
  const made = [mldsa65.made];
  try {
    const ed25519 = await tokens.ed25519.generateComponent('ed25519', mldsa65.name);
    made.push(ed25519.made);
    if (ed25519.name.label !== mldsa65.name.label || !equalBytes(ed25519.name.id, mldsa65.name.id))
      throw new VtlicError(
        'configuration_invalid',
        `${tokens.ed25519.connection.name} did not give the key the name that was asked for, so nobody could find ` +
          'the two components of the split key together',
        { hint: 'take another token for one of the components: --keystore, --ml-dsa-keystore' },
      );
    const bytes = concatBytes(mldsa65.publicBytes, ed25519.publicBytes);
    const publicKey = importPublicKey('ed25519+ml-dsa-65', bytes, { forSite: true });
    const key = await openSplitKey(tokens, { ...mldsa65.name, purpose: name.purpose, publicKey }, random);
    return { key, name: mldsa65.name, made };
  } catch (error) {
    let last = error;
    for (const objects of made) last = await objects.removedAfter(last);
    throw last;
  }
}

/** By what the tokens say of themselves: one token can be reached by two modules. */
function checkTwoTokens({ ed25519, mldsa65 }: SplitTokens): void {
  const [a, b] = [ed25519.opened.token, mldsa65.opened.token];
  const differ = (['serial', 'label', 'manufacturer', 'model'] as const).some((name) => a[name] !== b[name]);
  if (differ || (a.serial === '' && a.slotDescription !== b.slotDescription)) return;
  throw new VtlicError(
    'configuration_invalid',
    `split custody needs two tokens, but both components are in ${ed25519.connection.name}`,
    { hint: 'name another token for one of the components' },
  );
}
