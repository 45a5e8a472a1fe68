/**
 * The bare loop: a token's module in this process, called through `pkcs11js` with nothing of the toolkit around it but
 * its constants. argv: MODULE ID (hex). Messages from the parent: the PIN, then {count}; answers: 'ready', then
 * milliseconds.
 */
import { createRequire } from 'node:module';
import * as ck from '../keys/private/pkcs11/shared/constants.ts';
import { plainMechanism, signWithContext } from '../keys/private/pkcs11/token-host/mechanism.ts';
import { COMPOSITE_LABEL } from '../keys/public/composite.ts';
import { MLDSA65_SIGNATURE_BYTES } from '../keys/public/provider.ts';
import type { Binding } from '../keys/private/pkcs11/token-host/native-binding.ts';

export interface BareJob {
  readonly count: number;
}

const [module = '', id = ''] = process.argv.slice(2);
const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Binding };
const p11 = new PKCS11();
p11.load(module);
p11.C_Initialize({ flags: ck.CKF_OS_LOCKING_OK });
const [slot] = p11.C_GetSlotList(true);
if (slot === undefined) throw new Error('no token');
const first = p11.C_OpenSession(slot, ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION);
/** As long as a composite's M'. */
const message = Buffer.alloc(127, 7);
const withContext = signWithContext(ck.CKM_ML_DSA, COMPOSITE_LABEL);
const keys: { ed25519?: Buffer; mldsa65?: Buffer } = {};

function logIn(pin: string): void {
  p11.C_Login(first, ck.CKU_USER, pin);
  const template = [
    { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
    { type: ck.CKA_ID, value: Buffer.from(id, 'hex') },
  ];
  p11.C_FindObjectsInit(first, template);
  for (const key of p11.C_FindObjects(first, 8)) {
    const type = p11.C_GetAttributeValue(first, key, [{ type: ck.CKA_KEY_TYPE }])[0]?.value?.readUInt32LE();
    keys[type === ck.CKK_ML_DSA ? 'mldsa65' : 'ed25519'] = key;
  }
  p11.C_FindObjectsFinal(first);
}

function run({ count }: BareJob): number {
  const { ed25519, mldsa65 } = keys;
  if (ed25519 === undefined || mldsa65 === undefined) throw new Error('the key is not in the token');
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    p11.C_SignInit(first, plainMechanism(ck.CKM_EDDSA), ed25519);
    p11.C_Sign(first, message, Buffer.alloc(64));
    p11.C_SignInit(first, withContext, mldsa65);
    p11.C_Sign(first, message, Buffer.alloc(MLDSA65_SIGNATURE_BYTES));
  }
  return performance.now() - begun;
}

process.on('message', (said: string | BareJob) => {
  if (typeof said === 'string') {
    logIn(said);
    process.send?.('ready');
  } else process.send?.(run(said));
});
// An ordinary exit with a module loaded may crash (two C++ runtimes in one process).
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
