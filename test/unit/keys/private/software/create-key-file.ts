/**
 * Run by key-file.test.ts in a process of its own: makes a composite key file at the given path and prints the code of
 * what is thrown.
 */
import { randomBytes } from 'node:crypto';
import { utf8 } from '../../../../../formats/bytes.ts';
import { VtlicError } from '../../../../../formats/error.ts';
import { createKeyFile } from '../../../../../keys/private/software/key-file.ts';

const [, , path = ''] = process.argv;
try {
  await createKeyFile(
    path,
    'ed25519+ml-dsa-65',
    'license',
    utf8('passphrase'),
    (length) => Uint8Array.from(randomBytes(length)),
    { workFactor: 4 },
  );
  process.stdout.write('written');
} catch (error) {
  process.stdout.write(error instanceof VtlicError ? error.code : String(error));
}
