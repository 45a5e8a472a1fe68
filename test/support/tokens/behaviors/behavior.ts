/** How a device behaves that is not here: lines for the fault proxy (`fault-proxy/device.c`), and what is expected. */
import type { TokenProfile } from '../../../../keys/private/pkcs11/shared/profiles.ts';

/** What `key generate` can make: `--algorithm ed25519`, the default, and `--wrapped`. */
export type Generated = 'ed25519' | 'composite' | 'wrapped';

export interface Behavior {
  readonly name: string;
  /** The row of the table in docs/hsm.md. */
  readonly row: TokenProfile['id'];
  /** Where the behavior was read: a file of the vendor's published source, or a page of the vendor's manual. */
  readonly sources: readonly string[];
  readonly device: readonly string[];
  /** The module behind the proxy; default kryoptic. */
  readonly module?: 'softhsm' | 'kryoptic';
  readonly label: string;
  /** Fits what the device wants of a PIN. */
  readonly pin: string;
  /** As CKA_EC_POINT comes; default raw. */
  readonly point?: 'Der';
  readonly generates: readonly Generated[];
  /** A pair that another role made with the vendor's own tool: adopted where the device generates none. */
  readonly adopts?: { readonly label: string; readonly id: string };
  /** Whether the anchor and the claims can be data objects in the token. */
  readonly dataObjects: boolean;
  /** Wrong PINs until it locks; 0: never, or not shown by its flags. */
  readonly tries: number;
  /** `none`: needs no PIN; `kept`: another program's login is in the way. */
  readonly login?: 'none' | 'kept';
}

/** PKCS#11 numbers in the lines (OASIS PKCS#11 3.2, pkcs11t.h). */
export const CKR = {
  functionFailed: '0x6',
  argumentsBad: '0x7',
  attributeTypeInvalid: '0x12',
  attributeValueInvalid: '0x13',
  actionProhibited: '0x1b',
  functionNotSupported: '0x54',
  mechanismInvalid: '0x70',
  pinIncorrect: '0xa0',
  templateInconsistent: '0xd1',
  tokenWriteProtected: '0xe2',
  userAlreadyLoggedIn: '0x100',
  userNotLoggedIn: '0x101',
  userTypeInvalid: '0x103',
  userAnotherAlreadyLoggedIn: '0x104',
  curveNotSupported: '0x140',
} as const;
export const CKA = { signRecover: '0x109', derive: '0x10c', publicKeyInfo: '0x129', application: '0x10' } as const;
export const CKO_DATA = '0x0';

/** Mechanisms of the modules behind the proxy. */
export const CKM = {
  edwardsPairs: '0x1055',
  eddsa: '0x1057',
  mlDsaPairs: '0x1c',
  mlDsa: '0x1d',
  aesKeys: '0x1080',
  aesGcm: '0x1087',
} as const;

export const mechanisms = (...types: readonly string[]): readonly string[] => types.map((type) => `mechanism ${type}`);
