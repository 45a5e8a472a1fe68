/**
 * `npm run vectors:release`: the vectors as files that can be handed on, and a signed document with their digests.
 *
 *     npm run vectors:release -- new-key KEY.age KEY.pub --passphrase-file FILE
 *     npm run vectors:release -- sign FOLDER --key KEY.age --public-key KEY.pub --passphrase-file FILE
 *     npm run vectors:release -- verify FOLDER --public-key KEY.pub
 *
 * The document is a COSE_Sign1 like a license, with the typ of releases. Its payload is a map: file name → size and
 * SHA-256 (docs/vectors.md).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { decodeCbor, encodeCbor, isCborBytes, isCborMap, type CborValue } from '../../formats/cbor/index.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, sha256Hex } from '../../files/index.ts';
import { createKeyFile, openKeyFile } from '../../keys/private/software/key-file.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { exportPublicKey, parsePublicKeys } from '../../keys/public/encodings/public-key-file.ts';
import { nobleProvider } from '../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { gzip, tar } from './archive.ts';
import { pathsBelow, readCases, VECTORS, VECTORS_VERSION } from './files.ts';

export const DOCUMENT = 'release.cose';
const NAME = `vtlic-vectors-${VECTORS_VERSION}`;

/** File name → bytes of what is handed on. Reads the vectors against their manifest first. */
export function releaseFiles(): ReadonlyMap<string, Uint8Array> {
  readCases();
  const bytesOf = (path: string): Uint8Array => Uint8Array.from(readFileSync(path));
  const license = bytesOf(join(VECTORS, '../LICENSE'));
  const vectors = pathsBelow(VECTORS).map((path) => [`v1/${path}`, bytesOf(join(VECTORS, path))] as const);
  const description = {
    name: 'vtlic-vectors',
    version: VECTORS_VERSION,
    description: 'Test vectors for verifiers of .vtlic license files. Data only.',
    license: 'CC0-1.0',
  };
  const inFolder = (folder: string, more: readonly (readonly [string, Uint8Array])[]): Uint8Array =>
    tar(
      new Map(
        [...more, ['LICENSE', license] as const, ...vectors].map(([path, bytes]) => [`${folder}/${path}`, bytes]),
      ),
    );
  return new Map([
    [`${NAME}.tar`, inFolder(NAME, [])],
    [
      `${NAME}.tgz`,
      gzip(inFolder('package', [['package.json', utf8(`${JSON.stringify(description, undefined, 2)}\n`)]])),
    ],
  ]);
}

/** The signed document about these files. @throws VtlicError `self_check_failed` for a signature that is not valid */
export async function signRelease(files: ReadonlyMap<string, Uint8Array>, key: SigningKey): Promise<Uint8Array> {
  if (key.purpose !== 'release')
    throw new VtlicError('usage', `the key has the purpose ${key.purpose}, expected release`);
  const payload = encodeCbor(
    new Map(
      [...files].map(([name, bytes]): [string, CborValue] => [
        name,
        new Map<CborValue, CborValue>([
          ['size', bytes.length],
          ['sha256', fromHex(sha256Hex(bytes)) ?? new Uint8Array()],
        ]),
      ]),
    ),
  );
  const { alg, kid } = key.publicKey;
  const protectedBytes = encodeProtected(alg, kid, TYP.release);
  const signature = await key.sign(sigStructure(protectedBytes, payload));
  const document = encodeCoseSign1(protectedBytes, payload, signature);
  const fault = releaseFault(document, files, key.publicKey);
  if (fault !== undefined) throw new VtlicError('self_check_failed', `the signed release is not valid: ${fault}`);
  return document;
}

/** Why the document is not one about exactly these files by this key; undefined where it is. */
export function releaseFault(
  document: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  key: PublicKey,
): string | undefined {
  const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(document, TYP.release);
  if (kid !== key.kid || alg !== key.alg) return `it is signed by the key ${kid}, expected ${key.kid}`;
  const signed = sigStructure(protectedBytes, payload);
  for (const provider of [nodeProvider, nobleProvider])
    if (!verifySignature(key, signed, signature, provider)) return 'its signature is not valid';
  const listed = decodeCbor(payload);
  if (!isCborMap(listed)) return 'its payload is no map of files';
  for (const [name, facts] of listed) {
    if (typeof name !== 'string') return 'its payload has a key that is no file name';
    const bytes = files.get(name);
    if (bytes === undefined) return `the file ${name} is missing`;
    const digest = isCborMap(facts) ? facts.get('sha256') : undefined;
    if (!isCborBytes(digest) || toHex(digest) !== sha256Hex(bytes)) return `the file ${name} is another one`;
  }
  const extra = [...files.keys()].find((name) => !listed.has(name));
  return extra === undefined ? undefined : `the file ${extra} is not listed`;
}

const LF = 0x0a;
const USAGE = 'usage: npm run vectors:release -- new-key | sign | verify (see conformance/vectors/release.ts)';

async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { key: { type: 'string' }, 'public-key': { type: 'string' }, 'passphrase-file': { type: 'string' } },
  });
  const [act, first, second] = positionals;
  const needed = (name: keyof typeof values): string => {
    const value = values[name];
    if (value === undefined) throw new VtlicError('usage', `--${name} is missing`, { hint: USAGE });
    return value;
  };
  const withPassphrase = async <T>(use: (passphrase: Uint8Array) => Promise<T>): Promise<T> => {
    const bytes = readWhole(needed('passphrase-file'));
    try {
      return await use(bytes.at(-1) === LF ? bytes.subarray(0, -1) : bytes);
    } finally {
      bytes.fill(0);
    }
  };
  const publicKey = (): PublicKey => {
    const path = needed('public-key');
    const bytes = readWhole(path);
    try {
      const [key] = parsePublicKeys(bytes);
      if (key !== undefined) return key;
    } catch (error) {
      throw error instanceof VtlicError ? error.at({ file: path }) : error;
    }
    throw new VtlicError('usage', 'the file has no public key', { file: path });
  };
  if (act === 'new-key' && first !== undefined && second !== undefined) {
    if (existsSync(second))
      throw new VtlicError('output_exists', 'a file of this name exists, and it is not written over', { file: second });
    const random = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
    const key = await withPassphrase((passphrase) =>
      createKeyFile(first, 'ed25519+ml-dsa-65', 'release', passphrase, random),
    );
    writeFileSync(second, exportPublicKey(key.publicKey, 'pem'), { flag: 'wx' });
    await key.close();
    process.stdout.write(`${key.publicKey.kid}\n`);
  } else if (act === 'sign' && first !== undefined) {
    const files = releaseFiles();
    const path = needed('key');
    const key = await withPassphrase((passphrase) => openKeyFile(path, publicKey(), 'release', passphrase));
    const document = await signRelease(files, key);
    await key.close();
    mkdirSync(first, { recursive: true });
    for (const [name, bytes] of [...files, [DOCUMENT, document] as const]) writeFileSync(join(first, name), bytes);
    process.stdout.write(`${[...files.keys(), DOCUMENT].join('\n')}\n`);
  } else if (act === 'verify' && first !== undefined) {
    const document = readWhole(join(first, DOCUMENT));
    const names = pathsBelow(first).filter((name) => name !== DOCUMENT);
    const files = new Map(names.map((name) => [name, readWhole(join(first, name))]));
    const fault = releaseFault(document, files, publicKey());
    process.stdout.write(fault === undefined ? 'the release is whole and signed by this key\n' : `refused: ${fault}\n`);
    process.exitCode = fault === undefined ? 0 : 20;
  } else throw new VtlicError('usage', USAGE);
}

function readWhole(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (error) {
    throw describeFileError(error, 'file_unreadable', path);
  }
}

/** One sentence, and the next step where it is known; exit code 2. */
function report(error: unknown): void {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (!(error instanceof VtlicError) && !isUsage) throw error;
  const hint = error instanceof VtlicError ? error.hint : USAGE;
  const file = error instanceof VtlicError ? error.place.file : undefined;
  const place = file === undefined ? '' : `${cleanText(file, 1000)}: `;
  process.stderr.write(`${place}${cleanText(error.message, 1000)}\n${hint === undefined ? '' : `  → ${hint}\n`}`);
  process.exitCode = 2;
}

if (import.meta.main) await main(process.argv.slice(2)).catch(report);
