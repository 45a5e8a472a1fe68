/**
 * What a root key signed last: version and payload digest, in a record beside the claim of the key. A root signs one
 * payload for a version, and none for a version below its last one (docs/keysets.md, "What binds signers").
 *
 * The record of a key file is the file `NAME.signed.json` beside it; that of a key in a token is a private data object
 * of the token, or a file of the site where the token takes none. It is written durably before the key signs. The
 * ledger has the same in its own entries: of both, the higher version counts, so that a root key signs no second
 * payload if only the record was restored or deleted. If both were restored, the anchor says up to which version
 * something was signed.
 */
import { dirname } from 'node:path';
import { concatBytes, fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import { isPresent, makeFolders, parseJsonFile, readLimited, replaceDurably } from '../../files/index.ts';
import type { Token } from '../../keys/private/pkcs11/client/index.ts';
import { keyFiles } from '../keys/file-keystore.ts';
import { tokenClaimFile } from '../keys/key-claim.ts';
import { keystoreOf, type KeyAccess, tokenKeystoreOf } from '../keys/keystores.ts';
import type { KeyRecord } from '../site/site.ts';
import { type KeysetVersion, readDigest } from './draft.ts';

const SCHEMA = 'vtlic-root-record/1';
const MAX_BYTES = 4096;
const TOKEN_PREFIX = `${SCHEMA} `;
const KID_DIGITS_IN_LABEL = 16;
const KID_BYTES = 32;
const VERSION_BYTES = 8;
const DIGEST_BYTES = 32;

/** Where the record of one root key is. */
export interface RootRecordStore {
  /** For messages. */
  readonly description: string;
  /** All that is there: two where a change was cut off. */
  read(): Promise<readonly KeysetVersion[]>;
  /** Durable on return. */
  write(next: KeysetVersion): Promise<void>;
}

/** @param access whose token pool has the token of the key open already, or opens it */
export async function rootRecordStore(access: KeyAccess, record: KeyRecord): Promise<RootRecordStore> {
  const { site, secrets, tokens } = access;
  const { kid } = record.publicKey;
  const store = keystoreOf(site, record.keystore);
  if (store.type === 'file') return fileStore(signedFile(keyFiles(site.paths, store, record.name).claim), kid);
  const token = await tokens.open(tokenKeystoreOf(site, record.keystore), secrets);
  return tokenStore(token, fileStore(signedFile(tokenClaimFile(site.paths, record.name)), kid), kid);
}

/** `NAME.signed.json` beside `NAME.claim.json`. */
function signedFile(claim: string): string {
  return claim.replace(/\.claim\.json$/, '.signed.json');
}

function fileStore(file: string, kid: string): RootRecordStore {
  return {
    description: file,
    read: () => Promise.resolve(isPresent(file, 'configuration_invalid') ? [readRecord(file, kid)] : []),
    write: ({ version, payloadDigest }) => {
      makeFolders(dirname(file), 0o700);
      const document = { schema: SCHEMA, kid, version, payloadSha256: payloadDigest };
      replaceDurably(file, utf8(`${JSON.stringify(document)}\n`), 0o600);
      return Promise.resolve();
    },
  };
}

function readRecord(file: string, kid: string): KeysetVersion {
  const bytes = readLimited(file, MAX_BYTES, 'json_malformed', 'configuration_invalid');
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'configuration_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const found = root.required('kid');
  if (readDigest(found) !== kid) throw found.fault(`should be ${kid}: this is the record of another root key`);
  const version = root.integer('version', { min: 1, max: MAX_COUNT });
  const payloadDigest = readDigest(root.required('payloadSha256'));
  root.end();
  return { version, payloadDigest };
}

function recordLabel(kid: string): string {
  return `vtlic-root-${kid.slice(0, KID_DIGITS_IN_LABEL)}`;
}

function tokenBytes(kid: string, { version, payloadDigest }: KeysetVersion): Uint8Array {
  const number = new Uint8Array(VERSION_BYTES);
  new DataView(number.buffer).setBigUint64(0, BigInt(version));
  const parts = [fromHex(kid), number, fromHex(payloadDigest)].map((part) => part ?? new Uint8Array());
  return concatBytes(utf8(TOKEN_PREFIX), ...parts);
}

function readTokenBytes(bytes: Uint8Array, kid: string): KeysetVersion {
  const prefix = utf8(TOKEN_PREFIX);
  const length = prefix.length + KID_BYTES + VERSION_BYTES + DIGEST_BYTES;
  const at = prefix.length + KID_BYTES;
  if (bytes.length === length && Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0) {
    const version = Number(new DataView(bytes.buffer, bytes.byteOffset + at, VERSION_BYTES).getBigUint64(0));
    if (toHex(bytes.subarray(prefix.length, at)) === kid && Number.isSafeInteger(version) && version > 0)
      return { version, payloadDigest: toHex(bytes.subarray(at + VERSION_BYTES)) };
  }
  throw new VtlicError(
    'configuration_invalid',
    `the token object ${recordLabel(kid)} is not a record of this root key`,
    {
      hint: 'find out who wrote it before this key signs anything',
    },
  );
}

/** @param file for a token that takes no data objects */
function tokenStore(token: Token, file: RootRecordStore, kid: string): RootRecordStore {
  const label = recordLabel(kid);
  const takesData = token.opened.profile.dataObjects !== 'none';
  return {
    description: takesData ? `the object ${label} of ${token.connection.name}` : file.description,
    read: async () => {
      const objects = takesData ? await token.readData(label) : [];
      return [...objects.map(({ bytes }) => readTokenBytes(bytes, kid)), ...(await file.read())];
    },
    write: async (next) => {
      if (!takesData) return file.write(next);
      const before = await token.readData(label);
      try {
        await token.createData(label, tokenBytes(kid, next));
      } catch (error) {
        if (!(error instanceof VtlicError) || error.code !== 'configuration_invalid') throw error;
        return file.write(next);
      }
      // The new object exists, and of two objects the one with the higher version counts.
      for (const object of before) await token.destroyData(object);
    },
  };
}

export interface SignedBefore {
  readonly kid: string;
  /** What the record and the ledger say that this key signed or was about to sign. */
  readonly known: readonly KeysetVersion[];
  /** The same of the other root keys of this site, as the ledger says. */
  readonly others: readonly (KeysetVersion & { readonly kid: string })[];
  /** Up to this version, a part of the ledger that a restore lost may have signed; 0 for none. */
  readonly lost: number;
}

/**
 * @throws VtlicError `ledger_conflict` for another payload of a version that a root key of this site signed, for a
 *   version below the last one of this key, and for one that a restore may have lost
 */
export function requireUnsigned(wanted: KeysetVersion, { kid, known, others, lost }: SignedBefore): void {
  const highest = [...known, ...others].reduce((most, { version }) => Math.max(most, version), lost);
  const next = `vtlic keyset draft --version ${highest + 1}`;
  const isOther = ({ version, payloadDigest }: KeysetVersion): boolean =>
    version === wanted.version && payloadDigest !== wanted.payloadDigest;
  const other = known.find(isOther);
  if (other !== undefined)
    throw new VtlicError(
      'ledger_conflict',
      `the root key ${kid} has signed version ${other.version} already, with the payload ${other.payloadDigest}, and ` +
        `never signs a second payload for it; this draft has the payload ${wanted.payloadDigest}`,
      { hint: `if nobody needs that draft, destroy its signatures, and draft this one anew: ${next}` },
    );
  const elsewhere = others.find(isOther);
  if (elsewhere !== undefined) throw signedHere(elsewhere, wanted, next);
  if (wanted.version <= lost)
    throw new VtlicError(
      'ledger_conflict',
      `the ledger of this site was restored, and a version up to ${lost} may have been signed in the part that was ` +
        `lost: no root key of this site signs version ${wanted.version}`,
      { hint: `adopt the published keysets: vtlic keyset adopt CHAIN; then draft it anew: ${next}` },
    );
  const last = known.reduce((most, { version }) => Math.max(most, version), 0);
  const again = known.some(({ payloadDigest }) => payloadDigest === wanted.payloadDigest);
  if (wanted.version >= last || again) return;
  throw new VtlicError(
    'ledger_conflict',
    `the root key ${kid} has signed version ${last} already, and never signs a lower one; this is ${wanted.version}`,
    { hint: `draft it anew: ${next}` },
  );
}

/** @param next the command that makes a draft with a number that is free */
export function signedHere(
  { kid, version, payloadDigest }: SignedBefore['others'][number],
  wanted: KeysetVersion,
  next: string,
): VtlicError {
  return new VtlicError(
    'ledger_conflict',
    `the root key ${kid} of this site has signed version ${version} already, with the payload ${payloadDigest}; a ` +
      `site never signs a second payload for a version, and this draft has the payload ${wanted.payloadDigest}`,
    { hint: `take the draft that was signed; or if nobody needs it, destroy its signatures, and draft anew: ${next}` },
  );
}
