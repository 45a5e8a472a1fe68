/**
 * Labels of the data objects that a token shows without a login. argv is MODULE; a process of its own, since it loads a module.
 * Prints one label a line, then `done`.
 */
import { CKA_CLASS, CKA_LABEL, CKF_TOKEN_INITIALIZED, CKO_DATA } from '../../../keys/private/pkcs11/constants.ts';
import { Pkcs11Module } from '../../../keys/private/pkcs11/module.ts';

const module = Pkcs11Module.load(process.argv[2] ?? '');
const slot = module.slots().find(({ token }) => token !== undefined && (token.flags & CKF_TOKEN_INITIALIZED) !== 0);
const session = module.openSession(slot?.slotId ?? -1);
const labels = module.find(session, [[CKA_CLASS, CKO_DATA]]).map((handle) => Buffer.from(module.readShown(session, handle, CKA_LABEL)).toString('utf8'));
process.stdout.write(`${[...labels, 'done'].join('\n')}\n`, () => process.kill(process.pid, 'SIGKILL'));
