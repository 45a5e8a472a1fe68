/** An opened token: the keys and data objects in it. */
import { equalBytes } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { SigningKey } from '../../signing-key.ts';
import type {
  Component,
  DataObjectDescription,
  KeyName,
  KeyObjectDescription,
  NewKeyName,
} from '../shared/host-protocol.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import { canWrap, hasComponent } from './abilities.ts';
import {
  generateComponent,
  generateKey,
  type GeneratedComponent,
  type GeneratedKey,
  type KeyToGenerate,
} from './generate-key.ts';
import { HostFailure } from './host-client.ts';
import { openKey, partOf, type KeyToOpen, type RandomSource } from './open-key.ts';
import { TokenConnection } from './token-connection.ts';
import type { TokenPart } from './token-key.ts';
import type { OpenedToken, TokenOptions } from './token-options.ts';

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

  has(component: Component): boolean {
    return hasComponent(this.opened, component);
  }

  canWrap(): boolean {
    return canWrap(this.opened);
  }

  openKey(wanted: KeyToOpen): Promise<SigningKey> {
    return openKey(this.connection, wanted, this.#random);
  }

  /** The part of a key that is in this token; `splitKey` puts two together. */
  partOf(wanted: KeyToOpen, components: readonly Component[]): TokenPart {
    return partOf(this.connection, wanted, components);
  }

  generateKey(wanted: KeyToGenerate): Promise<GeneratedKey> {
    return generateKey(this.connection, wanted, this.#random);
  }

  generateComponent(component: Component, name: NewKeyName): Promise<GeneratedComponent> {
    return generateComponent(this.connection, component, name);
  }

  /** Every data object of this toolkit, or those under a label: two where a change was cut off. */
  async readData(label?: string): Promise<readonly DataObjectDescription[]> {
    this.#checkData();
    return this.connection.ask('listData', label === undefined ? {} : { label });
  }

  /** The same, with every object that another process had made before, whatever the token's module remembers. */
  async readDataAnew(label: string): Promise<readonly DataObjectDescription[]> {
    this.#checkData();
    await this.connection.readAnew();
    return this.readData(label);
  }

  /**
   * Makes a private data object and reads it back.
   *
   * @throws VtlicError `configuration_invalid` where the token takes none, by its profile or by its answer
   */
  async createData(label: string, bytes: Uint8Array): Promise<DataObjectDescription> {
    this.#checkData();
    try {
      return await this.connection.ask('createData', { label, bytes });
    } catch (error) {
      if (error instanceof VtlicError && takesNoData(error)) throw this.#noData(error);
      throw error;
    }
  }

  /** @param object of `readData` or `createData` in this run */
  async destroyData(object: DataObjectDescription): Promise<void> {
    this.#checkData();
    const { connection } = this;
    const limit = connection.limits.other;
    await connection.retryWhenGone(async (host) => {
      // The number may be one of a host that has ended since, so the host that destroys the object finds it by its
      // content.
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

  #checkData(): void {
    if (this.opened.profile.dataObjects === 'none') throw this.#noData();
  }

  #noData(cause?: VtlicError): VtlicError {
    const said = cause === undefined ? 'cannot store data objects' : `did not store a data object: ${cause.message}`;
    return new VtlicError('configuration_invalid', `${this.connection.name} (${this.opened.profile.name}) ${said}`, {
      hint: 'name another place for the anchor: a file on another disk, or a second token, token:KEYSTORE',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Return codes of tokens that take no data objects, or none in their present state. */
const NO_DATA: readonly number[] = [
  'CKR_ACTION_PROHIBITED',
  'CKR_ATTRIBUTE_TYPE_INVALID',
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_SESSION_READ_ONLY',
  'CKR_TEMPLATE_INCOMPLETE',
  'CKR_TEMPLATE_INCONSISTENT',
  'CKR_TOKEN_WRITE_PROTECTED',
].map(returnCodeOf);

function takesNoData({ cause }: VtlicError): boolean {
  const why = cause instanceof HostFailure ? cause.why : undefined;
  return why?.kind === 'fault' && why.fault.kind === 'call' && NO_DATA.includes(why.fault.rv);
}
