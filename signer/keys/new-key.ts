import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';

/** What `vtlic key generate` was asked for. */
export interface NewKey {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly purpose: KeyPurpose;
  readonly keystore: string;
  /** Of a composite key in tokens: the keystore of its ML-DSA component, for split custody. */
  readonly mldsaKeystore?: string;
  /** Encrypt the ML-DSA seed under a key of the token, which cannot hold it itself. */
  readonly wrapped: boolean;
  /** Sign licenses with it from now on, unless another is named. */
  readonly makeDefault: boolean;
}
