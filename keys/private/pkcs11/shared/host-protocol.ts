/**
 * What goes over the pipe between the officer's process and the token host: plain values, one request, one reply.
 *
 * The host has a vendor's code in it, so the officer's side trusts nothing of it: `host-reply.ts` checks each
 * reply.
 */
import type { TokenProfile } from './profiles.ts';
import type {
  MechanismDescription,
  ModuleDescription,
  SlotDescription,
  TokenDescription,
} from './token-description.ts';

/** One component of a key, by what it signs with. */
export type Component = 'ed25519' | 'mldsa65';

/** How a component is named inside a token. An absent member matches every key. */
export interface KeyName {
  readonly label?: string;
  readonly id?: Uint8Array;
}

/** A new component's name: both go on the private and the public object. */
export interface NewKeyName {
  readonly label: string;
  readonly id: Uint8Array;
}

/** An object of a token that is or may be a component of a key. */
export interface KeyObjectDescription {
  /** Valid for this host process only. */
  readonly ref: number;
  readonly class: 'private' | 'public' | 'secret';
  /** CKK_* */
  readonly keyType: number;
  /** What the profile's numbers make of it; absent for a key that this toolkit does not use. */
  readonly component?: Component;
  readonly label: string;
  readonly id: Uint8Array;
  /** Raw, 32 or 1952 bytes, of whatever form the token gave it in; absent where it gave none that is understood. */
  readonly publicBytes?: Uint8Array;
  /** Of private and secret keys; absent where the token does not say. */
  readonly sensitive?: boolean;
  readonly extractable?: boolean;
  readonly alwaysSensitive?: boolean;
  readonly neverExtractable?: boolean;
  readonly maySign?: boolean;
  /** Of a private key: it may decrypt, unwrap, derive or sign with recovery. */
  readonly otherUses?: boolean;
  readonly alwaysAuthenticate?: boolean;
}

/** A pair that was just made: its private key, and the number of its public key. */
export interface NewComponent {
  readonly key: KeyObjectDescription;
  readonly publicRef: number;
}

export interface SignPart {
  readonly ref: number;
  readonly message: Uint8Array;
}

export interface DataObjectDescription {
  readonly ref: number;
  readonly label: string;
  readonly bytes: Uint8Array;
}

export interface WrappedSeedOpened {
  /** Signs with the seed, inside the host. */
  readonly ref: number;
  /** 1952 bytes */
  readonly mldsa65: Uint8Array;
}

/** The body of an operation that takes nothing. */
type NoBody = Readonly<Record<string, never>>;

export interface HostOperations {
  load: { request: { readonly path: string }; reply: ModuleDescription };
  slots: { request: NoBody; reply: readonly SlotDescription[] };
  /** Those of `types` that the token lists. */
  mechanisms: {
    request: { readonly slotId: number; readonly types: readonly number[] };
    reply: readonly MechanismDescription[];
  };
  token: { request: { readonly slotId: number }; reply: TokenDescription };
  open: {
    request: { readonly slotId: number; readonly profile: TokenProfile };
    reply: true;
  };
  /** The reply is CKR_OK, or what C_Login returned: a refusal is an answer, and no fault of the call. */
  login: { request: { readonly pin: Uint8Array | undefined }; reply: number };
  keys: { request: KeyName; reply: readonly KeyObjectDescription[] };
  generateComponent: { request: NewKeyName & { readonly component: Component }; reply: NewComponent };
  /** Names of the secret attributes that the token gave out after all; empty for a key that stays inside. */
  readSecrets: { request: { readonly ref: number }; reply: readonly string[] };
  destroy: { request: { readonly ref: number }; reply: true };
  sign: { request: { readonly parts: readonly SignPart[] }; reply: readonly Uint8Array[] };
  makeWrappedSeed: {
    request: NewKeyName & { readonly ed25519: Uint8Array };
    reply: WrappedSeedOpened & { readonly wrapped: Uint8Array; readonly wrappingKeyRef: number };
  };
  openWrappedSeed: {
    request: { readonly name: KeyName; readonly wrapped: Uint8Array; readonly kid: string };
    reply: WrappedSeedOpened;
  };
  /** All data objects of this toolkit, or those under a label. */
  listData: { request: { readonly label?: string }; reply: readonly DataObjectDescription[] };
  createData: { request: { readonly label: string; readonly bytes: Uint8Array }; reply: DataObjectDescription };
  /** Makes and destroys a public data object, so that the token counts as changed. Needs no login. */
  touch: { request: NoBody; reply: true };
  random: { request: { readonly length: number }; reply: Uint8Array };
  close: { request: NoBody; reply: true };
}

export type OperationName = keyof HostOperations;

/** The PKCS#11 calls of each operation, for the sentence about a call that did not return. */
export const CALLS_OF: Readonly<Record<OperationName, string>> = {
  load: 'C_Initialize',
  slots: 'C_GetSlotList or C_GetTokenInfo',
  mechanisms: 'C_GetMechanismList or C_GetMechanismInfo',
  token: 'C_GetTokenInfo',
  open: 'C_OpenSession',
  login: 'C_Login',
  keys: 'C_FindObjects or C_GetAttributeValue',
  generateComponent: 'C_GenerateKeyPair',
  readSecrets: 'C_GetAttributeValue',
  destroy: 'C_DestroyObject',
  sign: 'C_SignInit or C_Sign',
  makeWrappedSeed: 'C_GenerateKey, C_GenerateRandom or C_Encrypt',
  openWrappedSeed: 'C_FindObjects or C_Decrypt',
  listData: 'C_FindObjects or C_GetAttributeValue',
  createData: 'C_CreateObject',
  touch: 'C_CreateObject or C_DestroyObject',
  random: 'C_GenerateRandom',
  close: 'C_Logout or C_Finalize',
};

export interface HostRequest<Name extends OperationName = OperationName> {
  readonly id: number;
  readonly operation: Name;
  readonly body: HostOperations[Name]['request'];
}

/** Why the host did not do it. `text` is the dynamic linker's, the binding's or ours: cleaned before it is shown. */
export type HostFault =
  | { readonly kind: 'call'; readonly call: string; readonly rv: number }
  | {
      readonly kind: 'load';
      readonly why: 'no-addon' | 'no-library' | 'not-pkcs11' | 'platform';
      readonly text: string;
    }
  | {
      readonly kind: 'refused';
      readonly why: 'key_not_found' | 'key_ambiguous' | 'configuration_invalid' | 'keyfile_corrupt' | 'signing_failed';
      readonly text: string;
    }
  | { readonly kind: 'context-pin'; readonly rv: number }
  | { readonly kind: 'defect'; readonly text: string };

/** The id of the host's first word, which answers nothing. */
export const READY_ID = 0;

export type HostReply =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly fault: HostFault };
