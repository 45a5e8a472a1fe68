/** Private data objects, which hold the ledger's anchor and the claim of a key. */
import * as ck from '../shared/constants.ts';
import type { ObjectHandle, Pkcs11Module, SessionHandle } from './module.ts';

/** CKA_APPLICATION of all data objects of this toolkit. */
export const APPLICATION = 'vtlic';

export interface DataObject {
  readonly handle: ObjectHandle;
  readonly bytes: Uint8Array;
}

/** Every object of this toolkit with the label; two of them where a change was cut off in the middle. */
export function findData(module: Pkcs11Module, session: SessionHandle, label: string): DataObject[] {
  const handles = module.find(session, [
    [ck.CKA_CLASS, ck.CKO_DATA],
    [ck.CKA_TOKEN, true],
    // A public object can be made by anybody without the PIN.
    [ck.CKA_PRIVATE, true],
    [ck.CKA_APPLICATION, APPLICATION],
    [ck.CKA_LABEL, label],
  ]);
  return handles.map((handle) => ({ handle, bytes: module.readShown(session, handle, ck.CKA_VALUE) }));
}

/** Makes an object and reads it back: what is returned is what the token holds. */
export function createData(module: Pkcs11Module, session: SessionHandle, label: string, bytes: Uint8Array): DataObject {
  const handle = module.createObject(session, [
    [ck.CKA_CLASS, ck.CKO_DATA],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, true],
    [ck.CKA_APPLICATION, APPLICATION],
    [ck.CKA_LABEL, label],
    [ck.CKA_VALUE, bytes],
  ]);
  return { handle, bytes: module.readShown(session, handle, ck.CKA_VALUE) };
}
