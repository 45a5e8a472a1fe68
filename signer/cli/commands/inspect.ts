/** `vtlic inspect FILE`: what a file says of itself. Verifies nothing, and says so. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { dearmor } from '../../../formats/armor.ts';
import { decodeCoseSign1, TYP, type CoseSign1 } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import type { License } from '../../../formats/license/license.ts';
import { readLicenseFile, sha256Hex } from '../../../files/index.ts';
import { formatRows, licenseRows } from '../../summary/license-summary.ts';
import type { Io } from '../io.ts';

interface InspectOptions {
  readonly json?: boolean;
}

interface Inspected {
  readonly cose: CoseSign1;
  readonly license: License;
  readonly bytes: number;
}

function inspect(path: string): Inspected {
  const file = readLicenseFile(path);
  try {
    const bytes = dearmor('VTLIC', file);
    const cose = decodeCoseSign1(bytes, TYP.license);
    return { cose, license: decodeLicense(cose.payload), bytes: bytes.length };
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

export function defineInspect(command: Command, io: Io): void {
  command.option('--json', 'the result as one JSON document').action((name: string, options: InspectOptions) => {
    const { cose, license, bytes } = inspect(resolve(io.cwd, name));
    io.err(`NOT VERIFIED: anybody could have written this. To verify it: ${io.name} verify FILE --product P`);
    if (options.json === true) {
      io.out(
        jsonLine({
          schema: 'vtlic-inspect/1',
          verified: false,
          algorithm: cose.alg,
          kid: cose.kid,
          bytes,
          signatureBytes: cose.signature.length,
          payloadSha256: sha256Hex(cose.payload),
          license,
        }),
      );
      return;
    }
    const rows = [
      ...licenseRows(license),
      ['algorithm', cose.alg] as const,
      ['key id', cose.kid] as const,
      ['payload', `${cose.payload.length} bytes, SHA-256 ${sha256Hex(cose.payload)}`] as const,
      ['signature', `${cose.signature.length} bytes`] as const,
    ];
    io.out(`${formatRows(rows).join('\n')}\n`);
  });
}
