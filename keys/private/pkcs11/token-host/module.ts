/**
 * The narrow seam: every PKCS#11 call that this toolkit makes, over a loaded module. No other file calls the binding,
 * and of its types only that of a mechanism leaves this one. Runs only in the token host.
 *
 * Every call blocks this process until the module returns. The client ends a host that takes too long.
 */
import { loadBinding, type Binding, type BindingAttribute, type BindingMechanism } from './native-binding.ts';
import { CallFault, LoadFault } from './host-errors.ts';
import * as ck from '../shared/constants.ts';
import { returnCodeInWords, returnCodeOf } from '../shared/return-codes.ts';
import type {
  MechanismDescription,
  ModuleDescription,
  SlotDescription,
  TokenDescription,
} from '../shared/token-description.ts';

declare const handleOf: unique symbol;
/** CK_SESSION_HANDLE and CK_OBJECT_HANDLE as the module gave them. */
export type SessionHandle = Buffer & { readonly [handleOf]: 'session' };
export type ObjectHandle = Buffer & { readonly [handleOf]: 'object' };

export type Template = readonly (readonly [type: number, value: number | boolean | string | Uint8Array])[];

export type Mechanism = BindingMechanism;

export interface SignatureOrder {
  readonly key: ObjectHandle;
  readonly mechanism: Mechanism;
  readonly message: Uint8Array;
  /** Room for the signature; what comes back may be shorter. */
  readonly maxBytes: number;
  /** Between C_SignInit and C_Sign, for a key that wants the PIN each time. */
  readonly contextLogin?: (() => void) | undefined;
}

const MAX_OBJECTS_PER_CALL = 64;
/** More objects than this under one search is not a token of ours; the search ends there. */
const MAX_OBJECTS = 4096;

export class Pkcs11Module {
  readonly #binding: Binding;
  readonly #slots = new Map<number, Buffer>();
  readonly #slotDescriptions = new Map<number, string>();

  private constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** Loads a module into this process, which must be a token host, and initializes it. */
  static load(path: string): Pkcs11Module {
    const binding = loadBinding();
    try {
      binding.load(path);
    } catch (error) {
      // The library is a PKCS#11 module, but its C_GetFunctionList failed.
      const fault = asCallFault('C_GetFunctionList', error);
      if (fault instanceof CallFault) throw fault;
      const text = error instanceof Error ? error.message : '';
      throw new LoadFault(/C_GetFunctionList|undefined symbol/.test(text) ? 'not-pkcs11' : 'no-library', text);
    }
    const module = new Pkcs11Module(binding);
    module.#call('C_Initialize', () => binding.C_Initialize({ flags: ck.CKF_OS_LOCKING_OK }));
    return module;
  }

  describe(): ModuleDescription {
    const info = this.#call('C_GetInfo', () => this.#binding.C_GetInfo());
    return {
      cryptokiVersion: versionText(info.cryptokiVersion),
      manufacturer: trimmed(info.manufacturerID),
      description: trimmed(info.libraryDescription),
      libraryVersion: versionText(info.libraryVersion),
    };
  }

  /** Slots with a token. A slot that the module cannot read is listed with its fault. */
  slots(): SlotDescription[] {
    const handles = this.#call('C_GetSlotList', () => this.#binding.C_GetSlotList(true));
    return handles.map((handle) => {
      const slotId = Number(handle.readBigUInt64LE());
      const slot = { slotId, description: '', manufacturer: '' };
      // Slot numbers beyond 2^53 may fall together here, and a login to the wrong slot burns a try.
      if (this.#slots.get(slotId)?.equals(handle) === false)
        return { ...slot, fault: `C_GetSlotList, the slot number ${hexOf(handle)} cannot be told from another` };
      this.#slots.set(slotId, handle);
      try {
        const info = this.#call('C_GetSlotInfo', () => this.#binding.C_GetSlotInfo(handle));
        slot.description = trimmed(info.slotDescription);
        slot.manufacturer = trimmed(info.manufacturerID);
        this.#slotDescriptions.set(slotId, slot.description);
        return { ...slot, token: this.token(slotId) };
      } catch (error) {
        if (error instanceof CallFault) return { ...slot, fault: `${error.call}, ${returnCodeInWords(error.rv)}` };
        throw error;
      }
    });
  }

  token(slotId: number): TokenDescription {
    const info = this.#call('C_GetTokenInfo', () => this.#binding.C_GetTokenInfo(this.#slot(slotId)));
    return {
      label: trimmed(info.label),
      manufacturer: trimmed(info.manufacturerID),
      model: trimmed(info.model),
      serial: trimmed(info.serialNumber),
      slotDescription: this.#slotDescriptions.get(slotId) ?? '',
      flags: info.flags,
      minPinLength: info.minPinLen,
      maxPinLength: info.maxPinLen,
      hardwareVersion: versionText(info.hardwareVersion),
      firmwareVersion: versionText(info.firmwareVersion),
    };
  }

  /** The mechanisms of `wanted` that the token lists. A mechanism that it does not describe has no flags here. */
  mechanisms(slotId: number, wanted: readonly number[]): MechanismDescription[] {
    const slot = this.#slot(slotId);
    const listed = this.#call('C_GetMechanismList', () => this.#binding.C_GetMechanismList(slot));
    return [...new Set(wanted)]
      .filter((type) => listed.includes(type))
      .map((type) => {
        try {
          const info = this.#call('C_GetMechanismInfo', () => this.#binding.C_GetMechanismInfo(slot, type));
          return { type, flags: info.flags };
        } catch (error) {
          if (error instanceof CallFault) return { type };
          throw error;
        }
      });
  }

  openSession(slotId: number, access: 'read' | 'write'): SessionHandle {
    const slot = this.#slot(slotId);
    const flags = access === 'write' ? ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION : ck.CKF_SERIAL_SESSION;
    return this.#call('C_OpenSession', () => this.#binding.C_OpenSession(slot, flags)) as SessionHandle;
  }

  closeSession(session: SessionHandle): void {
    this.#call('C_CloseSession', () => this.#binding.C_CloseSession(session));
  }

  /**
   * @param pin undefined where the token has its own pad: the binding cannot pass a null pointer, so the length is 0
   */
  login(session: SessionHandle, userType: number, pin: Uint8Array | undefined): void {
    // The binding takes the PIN as a string, which cannot be wiped: it lives in this process, never in the officer's.
    const text = pin === undefined ? '' : Buffer.from(pin.buffer, pin.byteOffset, pin.length).toString('utf8');
    this.#call('C_Login', () => this.#binding.C_Login(session, userType, text));
  }

  logout(session: SessionHandle): void {
    this.#call('C_Logout', () => this.#binding.C_Logout(session));
  }

  find(session: SessionHandle, template: Template): ObjectHandle[] {
    const found: ObjectHandle[] = [];
    this.#call('C_FindObjectsInit', () => this.#binding.C_FindObjectsInit(session, bindingTemplate(template)));
    try {
      while (found.length < MAX_OBJECTS) {
        const more = this.#call('C_FindObjects', () => this.#binding.C_FindObjects(session, MAX_OBJECTS_PER_CALL));
        if (more.length === 0) break;
        found.push(...(more as ObjectHandle[]));
      }
    } finally {
      this.#call('C_FindObjectsFinal', () => this.#binding.C_FindObjectsFinal(session));
    }
    return found;
  }

  /** An attribute's bytes, or undefined where the object has none or does not show it. */
  read(session: SessionHandle, object: ObjectHandle, attribute: number): Uint8Array | undefined {
    try {
      return this.readShown(session, object, attribute);
    } catch (error) {
      if (error instanceof CallFault && NOT_SHOWN.includes(error.rv)) return undefined;
      throw error;
    }
  }

  /** The same of an attribute that the object must have: one that is not shown is a fault. */
  readShown(session: SessionHandle, object: ObjectHandle, attribute: number): Uint8Array {
    const [result] = this.#call('C_GetAttributeValue', () =>
      this.#binding.C_GetAttributeValue(session, object, [{ type: attribute }]),
    );
    return Uint8Array.from(result?.value ?? []);
  }

  generateKeyPair(
    session: SessionHandle,
    mechanism: Mechanism,
    publicTemplate: Template,
    privateTemplate: Template,
  ): { publicKey: ObjectHandle; privateKey: ObjectHandle } {
    const pair = this.#call('C_GenerateKeyPair', () =>
      this.#binding.C_GenerateKeyPair(
        session,
        mechanism,
        bindingTemplate(publicTemplate),
        bindingTemplate(privateTemplate),
      ),
    );
    return { publicKey: pair.publicKey as ObjectHandle, privateKey: pair.privateKey as ObjectHandle };
  }

  generateKey(session: SessionHandle, mechanism: Mechanism, template: Template): ObjectHandle {
    return this.#call('C_GenerateKey', () =>
      this.#binding.C_GenerateKey(session, mechanism, bindingTemplate(template)),
    ) as ObjectHandle;
  }

  /** C_SignInit, the context login of a key that wants one, and C_Sign. */
  sign(session: SessionHandle, { key, mechanism, message, maxBytes, contextLogin }: SignatureOrder): Uint8Array {
    this.#call('C_SignInit', () => this.#binding.C_SignInit(session, mechanism, key));
    contextLogin?.();
    return this.#crypt('C_Sign', session, message, maxBytes);
  }

  encrypt(
    session: SessionHandle,
    key: ObjectHandle,
    mechanism: Mechanism,
    plain: Uint8Array,
    maxBytes: number,
  ): Uint8Array {
    this.#call('C_EncryptInit', () => this.#binding.C_EncryptInit(session, mechanism, key));
    return this.#crypt('C_Encrypt', session, plain, maxBytes);
  }

  decrypt(
    session: SessionHandle,
    key: ObjectHandle,
    mechanism: Mechanism,
    sealed: Uint8Array,
    maxBytes: number,
  ): Uint8Array {
    this.#call('C_DecryptInit', () => this.#binding.C_DecryptInit(session, mechanism, key));
    return this.#crypt('C_Decrypt', session, sealed, maxBytes);
  }

  createObject(session: SessionHandle, template: Template): ObjectHandle {
    return this.#call('C_CreateObject', () =>
      this.#binding.C_CreateObject(session, bindingTemplate(template)),
    ) as ObjectHandle;
  }

  destroyObject(session: SessionHandle, object: ObjectHandle): void {
    this.#call('C_DestroyObject', () => this.#binding.C_DestroyObject(session, object));
  }

  random(session: SessionHandle, length: number): Uint8Array {
    return Uint8Array.from(
      this.#call('C_GenerateRandom', () => this.#binding.C_GenerateRandom(session, Buffer.alloc(length))),
    );
  }

  finalize(slotId: number | undefined): void {
    if (slotId !== undefined)
      this.#call('C_CloseAllSessions', () => this.#binding.C_CloseAllSessions(this.#slot(slotId)));
    this.#call('C_Finalize', () => this.#binding.C_Finalize());
  }

  #crypt(
    call: 'C_Sign' | 'C_Encrypt' | 'C_Decrypt',
    session: SessionHandle,
    data: Uint8Array,
    maxBytes: number,
  ): Uint8Array {
    const [input, output] = [withByteBehind(data), Buffer.alloc(maxBytes)];
    try {
      return Uint8Array.from(this.#call(call, () => this.#binding[call](session, input, output)));
    } finally {
      output.fill(0);
      input.fill(0);
    }
  }

  #slot(slotId: number): Buffer {
    const slot = this.#slots.get(slotId);
    if (slot === undefined) throw new CallFault('C_GetSlotList', returnCodeOf('CKR_SLOT_ID_INVALID'));
    return slot;
  }

  #call<T>(call: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw asCallFault(call, error);
    }
  }
}

/**
 * A copy. Of an empty buffer the binding passes a null pointer, which modules refuse: there is always a byte behind
 * this one.
 */
function withByteBehind(data: Uint8Array): Buffer {
  const copy = Buffer.alloc(data.length + 1).subarray(0, data.length);
  copy.set(data);
  return copy;
}

const NOT_SHOWN: readonly number[] = [
  'CKR_ATTRIBUTE_SENSITIVE',
  'CKR_ATTRIBUTE_TYPE_INVALID',
  'CKR_INFORMATION_SENSITIVE',
].map(returnCodeOf);

/**
 * The binding puts "CKR_NAME:number" into its messages, and the number into `code` where it catches the error itself.
 */
function asCallFault(call: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CallFault) return error;
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'number' && code !== 0) return new CallFault(call, code);
  const number = /CKR_[A-Z0-9_]+:(\d+)/.exec(error.message)?.[1];
  return number === undefined ? error : new CallFault(call, Number(number));
}

function bindingTemplate(template: Template): BindingAttribute[] {
  return template.map(([type, value]) => ({
    type,
    value: typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value) : value,
  }));
}

function versionText(version: { readonly major: number; readonly minor: number }): string {
  return `${version.major}.${version.minor}`;
}

/** A CK_SLOT_ID as it is written in messages. */
function hexOf(handle: Buffer): string {
  return `0x${handle.readBigUInt64LE().toString(16)}`;
}

/** Without the blanks that pad the field; some modules end it with a NUL, behind which anything may lie. */
function trimmed(text: string): string {
  return text.replace(/\0.*$/s, '').replace(/ +$/, '');
}
