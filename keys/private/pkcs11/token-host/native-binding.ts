/**
 * The native binding `pkcs11js`: the calls that this toolkit uses, as types of our own, because the package is optional
 * and the type check must pass without it. Only the token host loads the binding, which does not load a module yet.
 */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { LoadFault } from './host-errors.ts';

export interface BindingAttribute {
  readonly type: number;
  readonly value?: number | boolean | string | Buffer;
}

/**
 * A parameter object of a wrong shape makes the binding free memory that it never set (seen in 2.1.7): only the shapes
 * of `mechanism.ts` are ever passed.
 */
export interface BindingMechanism {
  readonly mechanism: number;
  readonly parameter?: {
    readonly type: number;
    readonly iv: Buffer;
    readonly data?: Buffer;
    readonly aad?: Buffer;
    readonly ivBits?: number;
    readonly tagBits?: number;
  };
}

interface BindingVersion {
  readonly major: number;
  readonly minor: number;
}

export interface Binding {
  load(path: string): void;
  C_Initialize(options: { flags: number }): void;
  C_Finalize(): void;
  C_GetInfo(): {
    cryptokiVersion: BindingVersion;
    manufacturerID: string;
    libraryDescription: string;
    libraryVersion: BindingVersion;
  };
  C_GetSlotList(tokenPresent: boolean): Buffer[];
  C_GetSlotInfo(slot: Buffer): { slotDescription: string; manufacturerID: string; flags: number };
  C_GetTokenInfo(slot: Buffer): {
    label: string;
    manufacturerID: string;
    model: string;
    serialNumber: string;
    flags: number;
    minPinLen: number;
    maxPinLen: number;
    hardwareVersion: BindingVersion;
    firmwareVersion: BindingVersion;
  };
  C_GetMechanismList(slot: Buffer): number[];
  C_GetMechanismInfo(slot: Buffer, mechanism: number): { minKeySize: number; maxKeySize: number; flags: number };
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_CloseSession(session: Buffer): void;
  C_CloseAllSessions(slot: Buffer): void;
  C_Login(session: Buffer, userType: number, pin: string): void;
  C_Logout(session: Buffer): void;
  C_FindObjectsInit(session: Buffer, template: BindingAttribute[]): void;
  C_FindObjects(session: Buffer, most: number): Buffer[];
  C_FindObjectsFinal(session: Buffer): void;
  C_GetAttributeValue(
    session: Buffer,
    object: Buffer,
    template: BindingAttribute[],
  ): { type: number; value?: Buffer }[];
  C_CreateObject(session: Buffer, template: BindingAttribute[]): Buffer;
  C_DestroyObject(session: Buffer, object: Buffer): void;
  C_GenerateRandom(session: Buffer, out: Buffer): Buffer;
  C_GenerateKey(session: Buffer, mechanism: BindingMechanism, template: BindingAttribute[]): Buffer;
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: BindingMechanism,
    publicTemplate: BindingAttribute[],
    privateTemplate: BindingAttribute[],
  ): { privateKey: Buffer; publicKey: Buffer };
  C_SignInit(session: Buffer, mechanism: BindingMechanism, key: Buffer): void;
  C_Sign(session: Buffer, data: Buffer, out: Buffer): Buffer;
  C_EncryptInit(session: Buffer, mechanism: BindingMechanism, key: Buffer): void;
  C_Encrypt(session: Buffer, data: Buffer, out: Buffer): Buffer;
  C_DecryptInit(session: Buffer, mechanism: BindingMechanism, key: Buffer): void;
  C_Decrypt(session: Buffer, data: Buffer, out: Buffer): Buffer;
}

/** @throws LoadFault `no-addon` if the addon does not load, `platform` if its memory layout here is not known */
export function loadBinding(): Binding {
  // The ML-DSA context goes through a parameter whose layout is known only for 64-bit little-endian Unix.
  if (process.platform === 'win32' || endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) {
    throw new LoadFault('platform', `${process.platform} ${process.arch}`);
  }
  try {
    const addon = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Binding };
    return new addon.PKCS11();
  } catch (error) {
    throw new LoadFault('no-addon', error instanceof Error ? error.message : 'the addon pkcs11js did not load');
  }
}
