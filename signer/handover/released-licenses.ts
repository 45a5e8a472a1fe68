/** License files that left the site, read back for a restore: each genuine, by a key of this site. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { uuidToBytes } from '../../formats/license/id.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { describeFileError, readLicenseFile } from '../../files/index.ts';
import type { ReenteredBody } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';

export interface ReleasedFile {
  readonly file: string;
  readonly cose: Uint8Array;
  readonly license: ReenteredBody['license'];
}

/**
 * @param paths files, and folders that are searched for `*.vtlic`
 * @throws VtlicError naming the first file that is not a license of this site; nothing is passed over
 */
export function readReleased(site: Site, paths: readonly string[]): readonly ReleasedFile[] {
  const byId = new Map<string, ReleasedFile>();
  for (const file of paths.flatMap(filesAt)) {
    const read = readOne(site, file);
    byId.set(Buffer.from(read.license.licenseId).toString('hex'), read);
  }
  return Object.freeze([...byId.values()]);
}

function filesAt(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.vtlic'))
      .map((name) => join(path, name))
      .sort();
  } catch (error) {
    throw describeFileError(error, 'file_unreadable', path);
  }
}

function readOne(site: Site, file: string): ReleasedFile {
  try {
    const cose = dearmor('VTLIC', readLicenseFile(file));
    const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(cose, TYP.license);
    const key = site.config.keys.find(
      (record) => record.purpose === 'license' && record.publicKey.kid === kid,
    )?.publicKey;
    if (key === undefined) throw foreign(`this license is signed by the key ${kid}, which this site does not have`);
    if (key.alg !== alg || !verifySignature(key, sigStructure(protectedBytes, payload), signature))
      throw foreign('the signature of this license is not valid');
    const { iss, aud, sub, dep, ctr, cti } = decodeLicense(payload);
    const licenseId = uuidToBytes(cti);
    if (iss !== site.config.issuer || licenseId === undefined) throw foreign(`this license is of the issuer ${iss}`);
    return Object.freeze({
      file,
      cose,
      license: Object.freeze({ aud, sub, ...(dep === undefined ? {} : { dep }), ctr, licenseId, kid, payload }),
    });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file }) : error;
  }
}

function foreign(message: string): VtlicError {
  return new VtlicError('request_invalid', message, { hint: 'give only licenses that this site released' });
}
