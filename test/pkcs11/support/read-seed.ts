/**
 * Decrypts a wrapped ML-DSA seed with the token, as nobody but the token host ever does, and prints it in hex: so that
 * a test knows what must be nowhere. argv is MODULE TOKEN PIN LABEL KID WRAPPED (hex); a process of its own, since it
 * loads a module.
 */
import { fromHex, toHex } from '../../../formats/bytes.ts';
import { CKA_CLASS, CKA_LABEL, CKO_SECRET_KEY, CKU_USER } from '../../../keys/private/pkcs11/shared/constants.ts';
import { aesGcm } from '../../../keys/private/pkcs11/token-host/mechanism.ts';
import { Pkcs11Module } from '../../../keys/private/pkcs11/token-host/module.ts';
import { decodeWrappedSeed, wrappedSeedAssociatedData } from '../../../keys/private/pkcs11/token-host/wrapped-seed.ts';

const [path = '', tokenLabel = '', pin = '', label = '', kid = '', wrapped = ''] = process.argv.slice(2);
const module = Pkcs11Module.load(path);
const slot = module.slots().find(({ token }) => token?.label === tokenLabel);
const session = module.openSession(slot?.slotId ?? -1, 'read');
module.login(session, CKU_USER, Buffer.from(pin));
const [key] = module.find(session, [
  [CKA_CLASS, CKO_SECRET_KEY],
  [CKA_LABEL, label],
]);
if (key === undefined) throw new Error('no wrapping key');
const { iv, sealed } = decodeWrappedSeed(fromHex(wrapped) ?? new Uint8Array());
const seed = module.decrypt(session, key, aesGcm(iv, wrappedSeedAssociatedData(kid)), sealed, sealed.length);
process.stdout.write(`${toHex(seed)}\n`, () => process.kill(process.pid, 'SIGKILL'));
