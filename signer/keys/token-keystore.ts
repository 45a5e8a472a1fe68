/** Keys in a token, over PKCS#11. */
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyRecord } from '../site/key-record.ts';
import type { TokenKeystore } from '../site/keystore-config.ts';
import type { World } from '../world.ts';
import type { NewKey } from './new-key.ts';
import type { SecretSource } from './secret-source.ts';

export async function openFromToken(store: TokenKeystore, record: KeyRecord, _secrets: SecretSource, _world: World): Promise<SigningKey> {
  throw new VtlicError('internal', `${store.name} ${record.name}`);
}

export async function generateInToken(store: TokenKeystore, wanted: NewKey, _secrets: SecretSource, _world: World): Promise<SigningKey> {
  throw new VtlicError('internal', `${store.name} ${wanted.name}`);
}
