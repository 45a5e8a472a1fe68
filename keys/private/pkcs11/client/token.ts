/** An opened token: the keys and data objects in it. */
import { concatBytes, equalBytes } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import type { Algorithm } from '../../../../formats/cose-algorithm.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import { importPublicKey, type PublicKey } from '../../../public/public-key.ts';
import { selfTest, type SigningKey } from '../../signing-key.ts';
import { CKF_GENERATE_KEY_PAIR, CKF_SIGN, CKM_AES_GCM } from '../shared/constants.ts';
import type { HostClient } from './host-client.ts';
import type {
  DataObjectDescription,
  Component,
  KeyName,
  KeyObjectDescription,
  NewKeyName,
} from '../shared/host-protocol.ts';
import { selectPrivateKey } from './select-private-key.ts';
import { TokenConnection, type OpenedToken } from './token-connection.ts';
import { TokenKey, TokenPart, type Refs } from './token-key.ts';
import type { TokenOptions } from './token-options.ts';

const SELF_TEST_RANDOM_BYTES = 32;

export interface KeyToOpen extends KeyName {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  /** Of `hsm-wrapped` custody: the encrypted ML-DSA seed as `generateKey` gave it. */
  readonly wrappedSeed?: Uint8Array;
}

export interface KeyToGenerate extends NewKeyName {
  readonly alg: Algorithm;
  readonly purpose: KeyPurpose;
  /** Default `hsm`. `hsm-wrapped` must be asked for: its ML-DSA seed is in the host's memory while it is used. */
  readonly custody?: 'hsm' | 'hsm-wrapped';
}

export interface GeneratedKey {
  readonly key: SigningKey;
  /**
   * Of `hsm-wrapped` custody: to be kept with the site; without it the key is lost, and it is worth nothing without
   * the token.
   */
  readonly wrappedSeed?: Uint8Array;
}

/** 32 random bytes; a parameter, so that tests can fix it. */
export type RandomSource = (length: number) => Uint8Array;

/** Opens the one token that the URI means, and logs in. The caller closes it. */
export async function openToken(options: TokenOptions, random: RandomSource): Promise<Token> {
  return new Token(await TokenConnection.open(options), random);
}

export class Token {
  readonly connection: TokenConnection;
  readonly #random: RandomSource;

  constructor(connection: TokenConnection, random: RandomSource) {
    this.connection = connection;
    this.#random = random;
  }

  get opened(): OpenedToken {
    return this.connection.opened;
  }

  /** All keys of the token, or those under a name. */
  listKeys(name: KeyName = {}): Promise<readonly KeyObjectDescription[]> {
    return this.connection.ask('keys', name);
  }

  /** True where the profile knows how and the token lists the mechanisms. */
  has(component: Component): boolean {
    const { profile, mechanisms } = this.opened;
    const numbers = component === 'ed25519' ? profile.ed25519 : profile.mldsa65;
    if (numbers === undefined) return false;
    const flagsOf = (type: number): number => mechanisms.find((mechanism) => mechanism.type === type)?.flags ?? 0;
    return (flagsOf(numbers.keyPairGen) & CKF_GENERATE_KEY_PAIR) !== 0 && (flagsOf(numbers.sign) & CKF_SIGN) !== 0;
  }

  /** True where the token can encrypt an ML-DSA seed, and so hold a composite key in `hsm-wrapped` custody. */
  canWrap(): boolean {
    return this.opened.profile.wrapping !== 'none' && this.opened.mechanisms.some(({ type }) => type === CKM_AES_GCM);
  }

  /**
   * Opens a key: finds exactly one private key for each component, and proves that they sign for the expected public
   * key.
   *
   * @throws VtlicError `key_not_found`, `key_ambiguous`, `self_check_failed`, and what signing throws
   */
  async openKey(wanted: KeyToOpen): Promise<SigningKey> {
    const { publicKey, purpose, wrappedSeed } = wanted;
    const custody = wrappedSeed === undefined ? 'hsm' : 'hsm-wrapped';
    const key = new TokenKey({ publicKey, purpose, custody }, [this.partOf(wanted, componentsOf(publicKey))]);
    await selfTest(key, this.#random(SELF_TEST_RANDOM_BYTES));
    return key;
  }

  /** The part of a key that lies in this token; `splitKey` puts two together. */
  partOf(wanted: KeyToOpen, components: readonly Component[]): TokenPart {
    return new TokenPart(this.connection, components, (host) => this.#resolve(host, wanted, components));
  }

  /**
   * Makes a key in the token and proves it: private components sensitive, not extractable and not readable, one
   * signature made and judged by both providers. Nothing is left in the token where that fails.
   *
   * @throws VtlicError `key_ambiguous` where the name is taken, `configuration_invalid` where the token cannot do it
   */
  async generateKey(wanted: KeyToGenerate): Promise<GeneratedKey> {
    const custody = wanted.custody ?? 'hsm';
    this.#checkNewName(wanted);
    this.#checkAbility(wanted.alg, custody);
    await this.#checkFree(wanted);
    try {
      return custody === 'hsm-wrapped' ? await this.#generateWrapped(wanted) : await this.#generateInside(wanted);
    } catch (error) {
      await this.#discard(wanted);
      throw error;
    }
  }

  /** One component of a split key, made in this token and proved. */
  async generateComponent(component: Component, name: NewKeyName): Promise<Uint8Array> {
    this.#checkNewName(name);
    if (!this.has(component)) throw this.#unable(component);
    await this.#checkFree(name);
    try {
      return await this.#makeComponent(component, name);
    } catch (error) {
      await this.#discard(name);
      throw error;
    }
  }

  /** Every data object of this toolkit under the label; two where a change was cut off. */
  async readData(label: string): Promise<readonly DataObjectDescription[]> {
    this.#checkData();
    return this.connection.ask('listData', { label });
  }

  /** Makes a private data object and reads it back. */
  async createData(label: string, bytes: Uint8Array): Promise<DataObjectDescription> {
    this.#checkData();
    return this.connection.ask('createData', { label, bytes });
  }

  /** @param object of `readData` or `createData` in this run */
  async destroyData(object: DataObjectDescription): Promise<void> {
    this.#checkData();
    const { connection } = this;
    const limit = connection.limits.other;
    await connection.retryWhenGone(async (host) => {
      // The number may be of a host that has ended since: what is meant is looked for by its content, on the host that
      // destroys it.
      const found = await connection.request(host, 'listData', { label: object.label }, limit);
      const same = found.find(({ bytes }) => equalBytes(bytes, object.bytes));
      if (same !== undefined) await connection.request(host, 'destroy', { ref: same.ref }, limit);
    });
  }

  random(length: number): Promise<Uint8Array> {
    return this.connection.ask('random', { length });
  }

  /** Names of the secret attributes of a private key that the token gives out; empty as it should be. */
  readableSecrets(key: KeyObjectDescription): Promise<readonly string[]> {
    return this.connection.ask('readSecrets', { ref: key.ref });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  async #generateInside(wanted: KeyToGenerate): Promise<GeneratedKey> {
    const mldsa65 = wanted.alg === 'ed25519' ? new Uint8Array() : await this.#makeComponent('mldsa65', wanted);
    const ed25519 = await this.#makeComponent('ed25519', wanted);
    const publicKey = importPublicKey(wanted.alg, concatBytes(mldsa65, ed25519), { forSite: true });
    return { key: await this.openKey({ label: wanted.label, id: wanted.id, purpose: wanted.purpose, publicKey }) };
  }

  async #generateWrapped(wanted: KeyToGenerate): Promise<GeneratedKey> {
    const name = { label: wanted.label, id: wanted.id };
    const ed25519 = await this.#makeComponent('ed25519', wanted);
    const { mldsa65, wrapped } = await this.connection.ask(
      'makeWrappedSeed',
      { ...name, ed25519 },
      this.connection.limits.keyGeneration,
    );
    const publicKey = importPublicKey(wanted.alg, concatBytes(mldsa65, ed25519), { forSite: true });
    const wrappedSeed = Uint8Array.from(wrapped);
    // Opened from its wrapped form, as every later run does it: what cannot be read back is not handed out.
    return { key: await this.openKey({ ...name, purpose: wanted.purpose, publicKey, wrappedSeed }), wrappedSeed };
  }

  /** Makes a pair and checks its private side; its public bytes. */
  async #makeComponent(component: Component, { label, id }: NewKeyName): Promise<Uint8Array> {
    const { connection } = this;
    const described = await connection.ask(
      'generateComponent',
      { component, label, id },
      connection.limits.keyGeneration,
    );
    const readable = await this.readableSecrets(described);
    const fault = privateFault(described, readable);
    if (fault !== undefined)
      throw new VtlicError('self_check_failed', `${connection.name} made a private key that ${fault}`, {
        hint: 'the key was destroyed; this token cannot hold keys safely with its present settings',
      });
    if (described.publicBytes === undefined)
      throw new VtlicError('signing_failed', `${connection.name} gives no public key for the key that it made`, {
        hint: 'look at the token with `vtlic hsm doctor`',
      });
    return described.publicBytes;
  }

  async #resolve(host: HostClient, wanted: KeyToOpen, components: readonly Component[]): Promise<Refs> {
    const { connection } = this;
    const name = nameOf(wanted);
    const keys = await connection.request(host, 'keys', name, connection.limits.other);
    const refs: Partial<Record<Component, number>> = {};
    for (const component of components) {
      if (component === 'mldsa65' && wanted.wrappedSeed !== undefined) {
        const seed = await connection.request(
          host,
          'openWrappedSeed',
          { name, wrapped: wanted.wrappedSeed, kid: wanted.publicKey.kid },
          connection.limits.other,
        );
        refs[component] = seed.ref;
      } else {
        refs[component] = selectPrivateKey(component, keys, wanted, connection.name).ref;
      }
    }
    return refs;
  }

  async #checkFree(name: NewKeyName): Promise<void> {
    const taken = await this.connection.ask('keys', { label: name.label });
    if (taken.length === 0) return;
    throw new VtlicError(
      'key_ambiguous',
      `${this.connection.name} holds a key named "${cleanText(name.label, 64)}" already`,
      { hint: 'take another name; keys are never replaced' },
    );
  }

  #checkNewName({ label, id }: NewKeyName): void {
    const { profile } = this.opened;
    const labelBytes = Buffer.byteLength(label);
    if (labelBytes === 0 || labelBytes > profile.longestLabel)
      throw new VtlicError(
        'usage',
        `a key name for ${profile.name} should have 1 to ${profile.longestLabel} bytes, but has ${labelBytes}`,
      );
    if (id.length === 0 || id.length > profile.longestId)
      throw new VtlicError(
        'usage',
        `a key id for ${profile.name} should have 1 to ${profile.longestId} bytes, but has ${id.length}`,
      );
  }

  #checkAbility(alg: Algorithm, custody: 'hsm' | 'hsm-wrapped'): void {
    if (!this.has('ed25519')) throw this.#unable('ed25519');
    if (alg === 'ed25519') {
      if (custody === 'hsm-wrapped')
        throw new VtlicError(
          'configuration_invalid',
          'hsm-wrapped custody is for composite keys: an Ed25519 key lies in the token itself',
          { hint: 'leave the custody out' },
        );
      return;
    }
    if (custody === 'hsm') {
      if (!this.has('mldsa65')) throw this.#unable('mldsa65');
    } else if (!this.canWrap()) {
      throw new VtlicError(
        'configuration_invalid',
        `${this.connection.name} (${this.opened.profile.name}) cannot encrypt an ML-DSA seed: it has no AES-GCM that this toolkit can use`,
        { hint: 'keep the ML-DSA component in another token (split custody)' },
      );
    }
  }

  #unable(component: Component): VtlicError {
    const what = component === 'ed25519' ? 'Ed25519' : 'ML-DSA-65';
    const hint =
      component === 'ed25519'
        ? 'take another token'
        : this.canWrap()
          ? 'ask for hsm-wrapped custody, or keep the ML-DSA component in another token (split custody)'
          : 'keep the ML-DSA component in another token (split custody)';
    return new VtlicError(
      'configuration_invalid',
      `${this.connection.name} (${this.opened.profile.name}) has no ${what} keys that this toolkit can use`,
      { hint },
    );
  }

  #checkData(): void {
    if (this.opened.profile.dataObjects !== 'none') return;
    throw new VtlicError(
      'configuration_invalid',
      `${this.connection.name} (${this.opened.profile.name}) has no data objects`,
      { hint: 'keep the anchor in a file, or in a second token' },
    );
  }

  /** Destroys what a failed generation left under a name that was free before it. */
  async #discard(name: NewKeyName): Promise<void> {
    const { connection } = this;
    const limit = connection.limits.other;
    try {
      await connection.retryWhenGone(async (host) => {
        for (const { ref } of await connection.request(host, 'keys', { label: name.label, id: name.id }, limit))
          await connection.request(host, 'destroy', { ref }, limit);
      });
    } catch {
      // The first error says what happened; the component that stays behind is refused by name at the next try.
    }
  }
}

/** ML-DSA first, as in the signature: a token that lacks it says so before the other component is used. */
function componentsOf(publicKey: PublicKey): readonly Component[] {
  return publicKey.mldsa65 === undefined ? ['ed25519'] : ['mldsa65', 'ed25519'];
}

function nameOf({ label, id }: KeyName): KeyName {
  return { ...(label === undefined ? {} : { label }), ...(id === undefined ? {} : { id }) };
}

/** What is wrong with a private key's protection, to follow "a private key that". */
export function privateFault(key: KeyObjectDescription, readable: readonly string[]): string | undefined {
  if (readable.length > 0) return `can be read out (${readable.map((name) => cleanText(name, 20)).join(', ')})`;
  if (key.sensitive === false) return 'is not sensitive';
  if (key.extractable === true) return 'is extractable';
  if (key.neverExtractable === false) return 'was extractable once';
  if (key.otherUses === true) return 'may be used for more than signing';
  return undefined;
}
