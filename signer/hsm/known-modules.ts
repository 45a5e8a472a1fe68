/** Where the PKCS#11 modules of the token families lie after an ordinary installation. */
import { existsSync } from 'node:fs';

const PLACES: readonly string[] = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so',
  '/usr/lib/aarch64-linux-gnu/opencryptoki/libopencryptoki.so',
  '/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so',
  '/usr/lib/aarch64-linux-gnu/pkcs11/yubihsm_pkcs11.so',
  '/usr/lib/pkcs11/libnethsm_pkcs11.so',
  '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
  '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
];

export function knownModules(): string[] {
  return PLACES.filter((path) => existsSync(path));
}
