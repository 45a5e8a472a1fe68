/**
 * Makes keys in a token and checks them: private components are sensitive, not extractable and not readable, and both
 * providers verify one signature. If a step fails, it destroys what it made; the error names what it could not destroy,
 * and how to remove it.
 */
import { concatBytes, toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import type { Algorithm } from '../../../../formats/cose-algorithm.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import { importPublicKey } from '../../../public/public-key.ts';
import type { SigningKey } from '../../signing-key.ts';
import type { Component, KeyName, KeyObjectDescription, NewKeyName } from '../shared/host-protocol.ts';
import { checkNewComponent, checkNewKey, checkNewName } from './abilities.ts';
import type { HostClient } from './host-client.ts';
import { openKey, privateFault, type KeyToOpen, type RandomSource } from './open-key.ts';
import type { TokenConnection } from './token-connection.ts';
import type { OpenedToken } from './token-options.ts';

export interface KeyToGenerate extends NewKeyName {
  readonly alg: Algorithm;
  readonly purpose: KeyPurpose;
  /** Default `hsm`. `hsm-wrapped` must be asked for: its ML-DSA seed is in the host's memory while it is used. */
  readonly custody?: 'hsm' | 'hsm-wrapped';
}

export interface GeneratedKey {
  readonly key: SigningKey;
  /**
   * Of `hsm-wrapped` custody: the encrypted seed, which the site stores. The key is lost without it, and it is useless
   * without the token.
   */
  readonly wrappedSeed?: Uint8Array;
  /** The name by which the token finds it again: some tokens change what they are given. */
  readonly name: NewKeyName;
  /** Destroys it again, where the site cannot take it. */
  readonly made: NewObjects;
}

export interface GeneratedComponent {
  readonly publicBytes: Uint8Array;
  readonly name: NewKeyName;
  readonly made: NewObjects;
}

const ID_BYTES = 16;
const MAX_DRAWS = 32;

/**
 * An id that is free in these tokens, and fits all of them. An id of two bytes may be taken, so several are tried; zero
 * and the highest number have another meaning for a YubiHSM.
 */
export async function newKeyId(connections: readonly TokenConnection[], random: RandomSource): Promise<Uint8Array> {
  const length = Math.min(ID_BYTES, ...connections.map(({ opened }) => opened.profile.maxIdBytes));
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const id = random(length);
    if (length >= ID_BYTES) return id;
    const isSpecial = id.every((byte) => byte === 0) || id.every((byte) => byte === 0xff);
    const taken = await Promise.all(connections.map((connection) => connection.ask('keys', { id })));
    if (!isSpecial && taken.every((keys) => keys.length === 0)) return id;
  }
  const [connection] = connections;
  throw new VtlicError('key_ambiguous', `${connection?.name ?? 'the token'} has no free key id`, {
    hint: 'remove keys that nobody uses; see them with: vtlic hsm keys KEYSTORE',
  });
}

/** @throws VtlicError `key_ambiguous` where the name is taken, `configuration_invalid` where the token cannot do it */
export async function generateKey(
  connection: TokenConnection,
  wanted: KeyToGenerate,
  random: RandomSource,
): Promise<GeneratedKey> {
  checkNewKey(connection.opened, wanted);
  checkNewName(connection.opened, wanted);
  await checkFree(connection, wanted);
  const made = new NewObjects(connection, wanted);
  try {
    return wanted.custody === 'hsm-wrapped'
      ? await generateWrapped(connection, wanted, made, random)
      : await generateInside(connection, wanted, made, random);
  } catch (error) {
    throw await made.removedAfter(error);
  }
}

/** One component of a split key, made in this token and proved. */
export async function generateComponent(
  connection: TokenConnection,
  component: Component,
  wanted: NewKeyName,
): Promise<GeneratedComponent> {
  checkNewComponent(connection.opened, component, wanted.label);
  checkNewName(connection.opened, wanted);
  await checkFree(connection, wanted);
  const made = new NewObjects(connection, wanted);
  try {
    const publicBytes = await makeComponent(connection, component, wanted, made);
    return { publicBytes, name: made.name, made };
  } catch (error) {
    throw await made.removedAfter(error);
  }
}

async function generateInside(
  connection: TokenConnection,
  wanted: KeyToGenerate,
  made: NewObjects,
  random: RandomSource,
): Promise<GeneratedKey> {
  const mldsa65 =
    wanted.alg === 'ed25519' ? new Uint8Array() : await makeComponent(connection, 'mldsa65', wanted, made);
  const ed25519 = await makeComponent(connection, 'ed25519', wanted, made);
  const publicKey = importPublicKey(wanted.alg, concatBytes(mldsa65, ed25519), { forSite: true });
  const { name } = made;
  const key = await openKey(connection, { ...name, purpose: wanted.purpose, publicKey }, random);
  return { key, name, made };
}

async function generateWrapped(
  connection: TokenConnection,
  wanted: KeyToGenerate,
  made: NewObjects,
  random: RandomSource,
): Promise<GeneratedKey> {
  const ed25519 = await makeComponent(connection, 'ed25519', wanted, made);
  const { name } = made;
  const { mldsa65, wrapped } = await made.add(async (host) => {
    const body = { ...name, ed25519 };
    const seed = await connection.request(host, 'makeWrappedSeed', body, connection.limits.keyGeneration);
    return { refs: [seed.wrappingKeyRef], result: seed };
  });
  const publicKey = importPublicKey(wanted.alg, concatBytes(mldsa65, ed25519), { forSite: true });
  const wrappedSeed = Uint8Array.from(wrapped);
  // Opens the key from its wrapped form, as every later run does, so that a key which cannot be opened again is not
  // returned.
  const toOpen: KeyToOpen = { ...name, purpose: wanted.purpose, publicKey, wrappedSeed };
  return { key: await openKey(connection, toOpen, random), wrappedSeed, name, made };
}

/** Makes a pair and checks its private side; its public bytes. */
async function makeComponent(
  connection: TokenConnection,
  component: Component,
  { label, id }: NewKeyName,
  made: NewObjects,
): Promise<Uint8Array> {
  const key = await made.add(async (host) => {
    const body = { component, label, id };
    const pair = await connection.request(host, 'generateComponent', body, connection.limits.keyGeneration);
    return { refs: [pair.key.ref, pair.publicRef], result: pair.key };
  });
  const fault = privateFault(key, await connection.ask('readSecrets', { ref: key.ref }));
  if (fault !== undefined)
    throw new VtlicError('self_check_failed', `${connection.name} made a private key that ${fault}`, {
      hint: "change the settings of the token with its maker's tool, or take another token: this one protects no keys",
    });
  made.named(key);
  if (key.publicBytes !== undefined) return key.publicBytes;
  throw new VtlicError('signing_failed', `${connection.name} gives no public key for the key that it made`, {
    hint: "see the token's manual: CKA_EC_POINT, CKA_VALUE and CKA_PUBLIC_KEY_INFO were asked for",
  });
}

async function checkFree(connection: TokenConnection, { label, id }: NewKeyName): Promise<void> {
  const taken = [...(await connection.ask('keys', { label })), ...(await connection.ask('keys', { id }))];
  if (taken.length === 0) return;
  throw new VtlicError('key_ambiguous', `${connection.name} has a key named "${cleanText(label, 64)}" already`, {
    hint: 'take another name: --name NAME; keys are never replaced',
  });
}

const REMOVE = 'remove it: ';

/** True if a failed generation left something in the token; the hint then says how to remove it. */
export function leftObjects({ hint }: VtlicError): boolean {
  return hint?.startsWith(REMOVE) === true;
}

/** What is left in a token, in words, and the commands that remove it. */
export interface LeftInToken {
  readonly what: string;
  readonly remedy: string;
}

/** The same failure, which also says what is left in the token, and how to remove it. */
export function namingWhatIsLeft(failure: VtlicError, { what, remedy }: LeftInToken): VtlicError {
  return new VtlicError(failure.code, `${failure.message}; ${what}`, {
    ...failure.place,
    hint: leftObjects(failure) ? `${failure.hint} ; ${remedy}` : REMOVE + remedy,
    cause: failure,
  });
}

/** What one generation made in a token, to be destroyed again if it fails. Its label and id were free before. */
export class NewObjects {
  readonly #connection: TokenConnection;
  readonly #wanted: NewKeyName;
  readonly #made: { readonly host: HostClient; readonly refs: readonly number[] }[] = [];
  /** True once something was asked of the token that may have made an object. */
  #begun = false;
  #shown: NewKeyName | undefined;

  constructor(connection: TokenConnection, { label, id }: NewKeyName) {
    this.#connection = connection;
    this.#wanted = { label, id };
  }

  /** The name of the key as the token shows it, or as it was asked for. */
  get name(): NewKeyName {
    return this.#shown ?? this.#wanted;
  }

  named({ label, id }: KeyObjectDescription): void {
    this.#shown ??= { label, id: id.length === 0 ? this.#wanted.id : id };
  }

  async add<T>(make: (host: HostClient) => Promise<{ refs: readonly number[]; result: T }>): Promise<T> {
    return this.#connection.retryWhenGone(async (host) => {
      this.#begun = true;
      const { refs, result } = await make(host);
      this.#made.push({ host, refs });
      return result;
    });
  }

  /** Destroys everything; the error says what could not be destroyed, and how to remove it. */
  async removedAfter(error: unknown): Promise<unknown> {
    if (!this.#begun || !(error instanceof VtlicError)) return error;
    const left = await this.remove();
    return left === undefined ? error : namingWhatIsLeft(error, left);
  }

  /** @returns what is left in the token, and the commands that remove it; undefined where nothing is */
  async remove(): Promise<LeftInToken | undefined> {
    const connection = this.#connection;
    let left: readonly KeyObjectDescription[] | undefined;
    try {
      left = await connection.retryWhenGone((host) => this.#removeOn(host));
    } catch {
      // The token cannot be asked any more: what is in it is unknown.
    }
    if (left?.length === 0) return undefined;
    const names = left ?? [{ ...this.name, class: 'private' as const }];
    const listed = [...new Set(names.map(({ label, id }) => `"${cleanText(label, 64)}" (id ${toHex(id) || 'none'})`))];
    const state = left === undefined ? 'may still contain' : 'still contains';
    return {
      what: `${connection.name} ${state} what was made: the key ${listed.join(', ')}`,
      remedy: names.map((key) => removalCommand(connection.opened, key)).join(' ; '),
    };
  }

  /**
   * Removes what this host made by its number, and what an earlier host or a call without an answer made by its name.
   */
  async #removeOn(host: HostClient): Promise<readonly KeyObjectDescription[]> {
    const connection = this.#connection;
    const destroy = async (ref: number): Promise<void> => {
      try {
        await connection.request(host, 'destroy', { ref }, connection.limits.other);
      } catch (error) {
        // Some tokens destroy the public key with the private one; the search below shows what is left.
        if (!(error instanceof VtlicError)) throw error;
      }
    };
    const find = (name: KeyName): Promise<readonly KeyObjectDescription[]> =>
      connection.request(host, 'keys', name, connection.limits.other);
    for (const { host: maker, refs } of this.#made) if (maker === host) for (const ref of refs) await destroy(ref);
    for (const { ref } of await find(this.#wanted)) await destroy(ref);
    for (const { ref } of await find({ id: this.#wanted.id })) await destroy(ref);
    // Each object once: a command that removes it can be run once.
    const byId = (await find({ id: this.#wanted.id })).filter(({ label }) => label !== this.#wanted.label);
    return [...(await find({ label: this.#wanted.label })), ...byId];
  }
}

/** What a removal command needs to know of an object. */
export interface RemovableObject extends NewKeyName {
  readonly class: KeyObjectDescription['class'] | 'data';
}

const OBJECT_TYPES: Readonly<Record<RemovableObject['class'], string>> = {
  data: 'data',
  private: 'privkey',
  public: 'pubkey',
  secret: 'secrkey',
};

/** A command of OpenSC that removes an object from its token: this toolkit destroys only what it just made. */
export function removalCommand(
  { modulePath, token }: OpenedToken,
  { class: type, label, id }: RemovableObject,
): string {
  const name = id.length === 0 ? `--label ${quoted(label)}` : `--id ${toHex(id)}`;
  return (
    `pkcs11-tool --module ${quoted(modulePath)} --token-label ${quoted(token.label)} --login ` +
    `--delete-object --type ${OBJECT_TYPES[type]} ${name}`
  );
}

function quoted(word: string): string {
  const cleaned = cleanText(word, 1000);
  return /^[\w./:=@+-]+$/.test(cleaned) ? cleaned : `'${cleaned.replaceAll("'", "'\\''")}'`;
}
