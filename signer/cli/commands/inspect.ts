/** `vtlic inspect FILE`: what a file says of itself. Verifies nothing, and says so. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { dearmor, LICENSE_LIMITS } from '../../../formats/armor.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { decodeCoseSign1, TYP, type CoseSign1 } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import type { License } from '../../../formats/license/license.ts';
import { createDurably, readLicenseFile, readLimited, readStandardInput, sha256Hex } from '../../../files/index.ts';
import { MAX_PASTED_BYTES, type Normalized, normalizePasted, REPAIR_WORDS } from '../../../formats/normalize-pasted.ts';
import { formatRows, licenseRows } from '../../summary/license-summary.ts';
import type { Io } from '../io.ts';

interface InspectOptions {
  readonly json?: boolean;
  readonly mend?: string;
}

interface Inspected {
  readonly cose: CoseSign1;
  readonly license: License;
  readonly bytes: number;
}

function inspect(file: Uint8Array, path: string): Inspected {
  try {
    const bytes = dearmor('VTLIC', file);
    const cose = decodeCoseSign1(bytes, TYP.license);
    return { cose, license: decodeLicense(cose.payload), bytes: bytes.length };
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    const fault = error.at({ file: path });
    if (error.code !== 'armor_malformed') throw fault;
    throw new VtlicError(error.code, error.message, {
      ...fault.place,
      hint: 'see whether it can be mended: vtlic inspect FILE --mend NEW.vtlic',
      cause: error,
    });
  }
}

const HELP = `
--mend reads a license that a mail changed: with other line breaks, quoted with
> marks, in HTML, quoted-printable or UTF-16, or with text around it. It names
what was wrong, and writes the license in its right form to a new file. It does
not verify the license: run vtlic verify on the new file.

Examples:
  vtlic inspect acme.vtlic
  vtlic inspect mail.eml --mend acme.vtlic`;

function normalize(pasted: Uint8Array, path: string): Normalized {
  try {
    return normalizePasted(pasted);
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

/** @returns the license file that the text contains */
async function mend(io: Io, pasted: Uint8Array, path: string, target: string): Promise<Uint8Array> {
  const { file, repairs } = normalize(pasted, path);
  // A license that cannot be read is not written as if it were mended.
  inspect(file, path);
  await createDurably(target, file, 0o644);
  for (const repair of repairs) io.err(`repaired: ${REPAIR_WORDS[repair]}`);
  if (repairs.length === 0) io.err('there was nothing to repair: the file is as it was sent');
  io.err(`wrote ${cleanText(target, 1000)}`);
  return file;
}

export function defineInspect(command: Command, io: Io): void {
  command
    .option('--mend <new-file>', 'write the license in its right form to this new file, after a mail changed its text')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  command.action(async (name: string, options: InspectOptions) => {
    const path = name === '-' ? 'standard input' : resolve(io.cwd, name);
    const isMended = options.mend !== undefined;
    const limit = isMended ? MAX_PASTED_BYTES : LICENSE_LIMITS.fileBytes;
    const read =
      name === '-'
        ? readStandardInput(limit + 1)
        : isMended
          ? readLimited(path, limit, 'too_large')
          : readLicenseFile(path);
    const file = options.mend === undefined ? read : await mend(io, read, path, resolve(io.cwd, options.mend));
    const { cose, license, bytes } = inspect(file, path);
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
