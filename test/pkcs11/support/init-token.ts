/**
 * Initializes the first free slot of a module: argv is MODULE LABEL SO-PIN PIN. A process of its own, since it loads a
 * module. These PINs are for tests: real ones never go on a command line.
 */
import { createRequire } from 'node:module';

interface Admin {
  load(path: string): void;
  C_Initialize(options: { flags: number }): void;
  C_GetSlotList(present: boolean): Buffer[];
  C_GetTokenInfo(slot: Buffer): { flags: number };
  C_InitToken(slot: Buffer, pin: string, label: string): void;
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_Login(session: Buffer, user: number, pin: string): void;
  C_InitPIN(session: Buffer, pin: string): void;
}

const CKF_TOKEN_INITIALIZED = 0x400;
const [module = '', label = '', soPin = '', pin = ''] = process.argv.slice(2);
const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Admin };
const admin = new PKCS11();
admin.load(module);
admin.C_Initialize({ flags: 2 });
const slot = admin.C_GetSlotList(false).find((handle) => {
  try {
    return (admin.C_GetTokenInfo(handle).flags & CKF_TOKEN_INITIALIZED) === 0;
  } catch {
    return true;
  }
});
if (slot === undefined) throw new Error('no slot is free');
// The binding passes the label's memory as it is: the 32 bytes that PKCS#11 reads must all be there.
admin.C_InitToken(slot, soPin, label.padEnd(32));
const session = admin.C_OpenSession(slot, 6);
admin.C_Login(session, 0, soPin);
admin.C_InitPIN(session, pin);
process.stdout.write('done\n', () => process.kill(process.pid, 'SIGKILL'));
