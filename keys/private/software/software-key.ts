import { sign, type KeyObject, type SignKeyObjectInput } from 'node:crypto';
import { concatBytes } from '../../../formats/bytes.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import { VtlicError } from '../../../formats/error.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../public/composite.ts';
import type { KeyPurpose } from '../../public/key-purpose.ts';
import { importPublicKey, type PublicKey } from '../../public/public-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { ed25519Component, mldsa65Component } from './private-key-objects.ts';

const SEED_BYTES = 32;

/** A private key in this process' memory, which signs with node:crypto: ML-DSA hedged, in libuv's threads. */
export class SoftwareKey implements SigningKey {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  readonly custody = 'software';
  readonly signedBy = 'node';
  #ed25519: KeyObject | undefined;
  #mldsa65: KeyObject | undefined;

  /**
   * @param seeds 32 bytes, or 64 for the composite (ML-DSA's, then Ed25519's); the caller wipes them.
   */
  constructor(alg: Algorithm, purpose: KeyPurpose, seeds: Uint8Array) {
    this.purpose = purpose;
    if (alg === 'ed25519') {
      const component = ed25519Component(seeds);
      this.#ed25519 = component.privateKey;
      this.publicKey = importPublicKey(alg, component.publicBytes, { forSite: true });
      return;
    }
    const mldsa65 = mldsa65Component(seeds.subarray(0, SEED_BYTES));
    const ed25519 = ed25519Component(seeds.subarray(SEED_BYTES));
    this.#mldsa65 = mldsa65.privateKey;
    this.#ed25519 = ed25519.privateKey;
    this.publicKey = importPublicKey(alg, concatBytes(mldsa65.publicBytes, ed25519.publicBytes), { forSite: true });
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.#ed25519 === undefined)
      throw new VtlicError('signing_failed', `the software key ${this.publicKey.kid} is closed`);
    if (this.#mldsa65 === undefined) return signWith(this.#ed25519, message);
    const both = compositeMessage(message);
    const [mldsa65, ed25519] = await Promise.all([
      signWith({ key: this.#mldsa65, context: COMPOSITE_LABEL }, both),
      signWith(this.#ed25519, both),
    ]);
    return concatBytes(mldsa65, ed25519);
  }

  close(): Promise<void> {
    this.#ed25519 = undefined;
    this.#mldsa65 = undefined;
    return Promise.resolve();
  }
}

function signWith(key: KeyObject | SignKeyObjectInput, message: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    sign(null, message, key, (error, signature) => {
      if (error === null) resolve(Uint8Array.from(signature));
      else
        reject(
          new VtlicError('signing_failed', 'node:crypto made no signature with the software key', { cause: error }),
        );
    });
  });
}
