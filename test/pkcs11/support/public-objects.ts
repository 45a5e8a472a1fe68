/**
 * Labels of the data objects that the tokens of a module show without a login. argv is MODULE, and LABEL and HEX for one
 * that is made first, public, as anybody can; a process of its own, since it loads a module. Prints one label a line, then
 * `done`.
 */
import {
  CKA_APPLICATION,
  CKA_CLASS,
  CKA_LABEL,
  CKA_PRIVATE,
  CKA_TOKEN,
  CKA_VALUE,
  CKF_TOKEN_INITIALIZED,
  CKO_DATA,
} from '../../../keys/private/pkcs11/shared/constants.ts';
import { APPLICATION } from '../../../keys/private/pkcs11/token-host/host-token.ts';
import { Pkcs11Module } from '../../../keys/private/pkcs11/token-host/module.ts';

const [path = '', label, hex = ''] = process.argv.slice(2);
const module = Pkcs11Module.load(path);
const sessions = module
  .slots()
  .filter(({ token }) => token !== undefined && (token.flags & CKF_TOKEN_INITIALIZED) !== 0)
  .map(({ slotId }) => module.openSession(slotId, 'write'));
const [first] = sessions;
if (first === undefined) throw new Error('there is no token');
let refused = false;
if (label !== undefined) {
  try {
    module.createObject(first, [
      [CKA_CLASS, CKO_DATA],
      [CKA_TOKEN, true],
      [CKA_PRIVATE, false],
      [CKA_APPLICATION, APPLICATION],
      [CKA_LABEL, label],
      [CKA_VALUE, Buffer.from(hex, 'hex')],
    ]);
  } catch {
    refused = true;
  }
}
const labels = sessions.flatMap((session) =>
  module
    .find(session, [[CKA_CLASS, CKO_DATA]])
    .map((handle) => Buffer.from(module.readShown(session, handle, CKA_LABEL)).toString('utf8')),
);
process.stdout.write(`${[...labels, ...(refused ? ['refused'] : []), 'done'].join('\n')}\n`, () =>
  process.kill(process.pid, 'SIGKILL'),
);
