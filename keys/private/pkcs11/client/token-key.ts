/** A signing key whose components are in tokens: both in one, one with a wrapped seed beside it, or in two. */
import { concatBytes } from '../../../../formats/bytes.ts';
import { ALGORITHMS } from '../../../../formats/cose-algorithm.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { compositeMessage } from '../../../public/composite.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import { ED25519_SIGNATURE_BYTES, MLDSA65_SIGNATURE_BYTES } from '../../../public/provider.ts';
import type { PublicKey } from '../../../public/public-key.ts';
import type { Custody, SignatureMaker, SigningKey } from '../../signing-key.ts';
import { COMPONENT_WORDS } from './abilities.ts';
import type { HostClient } from './host-client.ts';
import type { Component } from '../shared/host-protocol.ts';
import type { TokenConnection } from './token-connection.ts';

/** Components of one token, as that token's present host numbers them. */
export type Refs = Readonly<Partial<Record<Component, number>>>;

/** The part of a key that one token signs with. */
export class TokenPart {
  readonly connection: TokenConnection;
  readonly components: readonly Component[];
  readonly #resolve: (host: HostClient) => Promise<Refs>;
  #refs: { readonly host: HostClient; readonly refs: Promise<Refs> } | undefined;

  /** @param resolve finds the components anew on a host: numbers are valid for one host process only */
  constructor(
    connection: TokenConnection,
    components: readonly Component[],
    resolve: (host: HostClient) => Promise<Refs>,
  ) {
    this.connection = connection;
    this.components = components;
    this.#resolve = resolve;
  }

  /** Signatures of this part's components over the message, in the order of `components`, each of its right length. */
  async sign(message: Uint8Array): Promise<readonly Uint8Array[]> {
    const { connection, components } = this;
    const signatures = await connection.retryWhenGone(async (host) => {
      const refs = await this.#on(host);
      const parts = components.map((component) => ({ ref: refs[component] ?? -1, message }));
      return connection.request(host, 'sign', { parts }, connection.limits.sign);
    });
    components.forEach((component, i) => {
      const wanted = component === 'ed25519' ? ED25519_SIGNATURE_BYTES : MLDSA65_SIGNATURE_BYTES;
      const came = signatures[i]?.length;
      if (came === wanted) return;
      throw new VtlicError(
        'signing_failed',
        `${connection.name} made an ${COMPONENT_WORDS[component]} signature of ${came ?? 0} bytes (C_Sign), ` +
          `and it should have ${wanted}`,
        { hint: 'the signature was thrown away; look at the token with: vtlic hsm doctor KEYSTORE' },
      );
    });
    return signatures;
  }

  async ready(): Promise<void> {
    await this.connection.retryWhenGone((host) => this.#on(host));
  }

  #on(host: HostClient): Promise<Refs> {
    if (this.#refs?.host !== host) {
      const refs = this.#resolve(host);
      this.#refs = { host, refs };
      // A host on which the key was not found is asked again next time.
      refs.catch(() => {
        // Another host may have replaced these numbers by now.
        if (this.#refs?.refs === refs) this.#refs = undefined;
      });
    }
    return this.#refs.refs;
  }
}

export interface TokenKeyFacts {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  readonly custody: Exclude<Custody, 'software'>;
}

export class TokenKey implements SigningKey {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  readonly custody: Exclude<Custody, 'software'>;
  readonly signedBy: SignatureMaker;
  readonly #parts: readonly TokenPart[];
  #closed = false;

  /** @param parts one, or for split custody two */
  constructor(facts: TokenKeyFacts, parts: readonly TokenPart[]) {
    this.publicKey = facts.publicKey;
    this.purpose = facts.purpose;
    this.custody = facts.custody;
    // With a wrapped seed node:crypto makes the ML-DSA component, so that noble must judge it.
    this.signedBy = facts.custody === 'hsm-wrapped' ? 'node' : 'token';
    this.#parts = parts;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw new VtlicError('signing_failed', `the token key ${this.publicKey.kid} is closed`);
    const composite = this.publicKey.mldsa65 !== undefined;
    const signed = composite ? compositeMessage(message) : Uint8Array.from(message);
    const made = new Map<Component, Uint8Array>();
    await Promise.all(
      this.#parts.map(async (part) => {
        const signatures = await part.sign(signed);
        part.components.forEach((component, i) => made.set(component, signatures[i] ?? new Uint8Array()));
      }),
    );
    const order: readonly Component[] = composite ? ['mldsa65', 'ed25519'] : ['ed25519'];
    const signature = concatBytes(...order.map((component) => made.get(component) ?? new Uint8Array()));
    if (signature.length !== ALGORITHMS[this.publicKey.alg].signatureBytes)
      throw new VtlicError('internal', 'a token key lacks a component');
    return signature;
  }

  /** The tokens stay open: they may contain more keys of this run. Close them with `Token.close()`. */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
