/**
 * Every object in a token: argv is MODULE TOKEN PIN; a process of its own, since it loads a module. Prints one JSON
 * document: class, label and id (hex digits) of each.
 */
import { toHex } from '../../../formats/bytes.ts';
import {
  CKA_CLASS,
  CKA_ID,
  CKA_LABEL,
  CKA_TOKEN,
  CKO_DATA,
  CKO_PRIVATE_KEY,
  CKO_PUBLIC_KEY,
  CKO_SECRET_KEY,
  CKU_USER,
} from '../../../keys/private/pkcs11/shared/constants.ts';
import { Pkcs11Module } from '../../../keys/private/pkcs11/token-host/module.ts';

const CLASSES = { data: CKO_DATA, public: CKO_PUBLIC_KEY, private: CKO_PRIVATE_KEY, secret: CKO_SECRET_KEY };

const [path = '', tokenLabel = '', pin = ''] = process.argv.slice(2);
const module = Pkcs11Module.load(path);
const slot = module.slots().find(({ token }) => token?.label === tokenLabel);
const session = module.openSession(slot?.slotId ?? -1, 'read');
module.login(session, CKU_USER, Buffer.from(pin));
const objects = Object.entries(CLASSES).flatMap(([name, number]) =>
  module
    .find(session, [
      [CKA_CLASS, number],
      [CKA_TOKEN, true],
    ])
    .map((handle) => {
      const read = (attribute: number): Uint8Array => module.read(session, handle, attribute) ?? new Uint8Array();
      return { class: name, label: Buffer.from(read(CKA_LABEL)).toString('utf8'), id: toHex(read(CKA_ID)) };
    }),
);
process.stdout.write(`${JSON.stringify(objects)}\n`, () => process.kill(process.pid, 'SIGKILL'));
