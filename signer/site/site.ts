/**
 * The folder of a site, and its `site.json`: who issues, where keys are kept, which key has which purpose. It is read
 * once into a frozen value.
 */
import { statSync } from 'node:fs';
import { decodeBase64, encodeBase64 } from '../../formats/base64.ts';
import { isAlgorithm, type Algorithm } from '../../formats/cose-algorithm.ts';
import { fromHex, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObjectReader, type JsonValueReader, readObject } from '../../formats/json/index.ts';
import { isId } from '../../formats/license/id.ts';
import { isPresent, parseJsonFile, readLimited, replaceDurably, sha256Hex } from '../../files/index.ts';
import type { Custody } from '../../keys/private/signing-key.ts';
import { isKeyPurpose, type KeyPurpose } from '../../keys/public/key-purpose.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { join } from 'node:path';
import { readKeystore, type KeystoreConfig } from './keystore-config.ts';

export type { FileKeystore, KeystoreConfig, TokenKeystore } from './keystore-config.ts';

const SCHEMA = 'vtlic-site/2';

/**
 * Sites of version 0.1.0 call a key's purpose its `job`. They are read as they are; the next write is in the new
 * schema.
 */
const SCHEMA_WITH_JOBS = 'vtlic-site/1';
const MAX_BYTES = 4 << 20;
const CUSTODIES: ReadonlySet<string> = new Set<Custody>(['hsm', 'hsm-wrapped', 'split', 'software']);

export interface SiteConfig {
  readonly issuer: string;
  readonly keystores: ReadonlyMap<string, KeystoreConfig>;
  readonly keys: readonly KeyRecord[];
  /** Name of the key that signs licenses when no other is named. */
  readonly defaultKey?: string;
}

export interface Site {
  readonly paths: SitePaths;
  readonly config: SiteConfig;
  /** SHA-256 of site.json as read, hex. */
  readonly digest: string;
}

/**
 * What `site.json` says of a key. The kid is recomputed from the public key, and must be the one that is written there.
 */
export interface KeyRecord {
  readonly name: string;
  readonly purpose: KeyPurpose;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKey;
  /** Name of the keystore that contains the private key. */
  readonly keystore: string;
  readonly custody: Custody;
  /** RFC 3339, UTC. */
  readonly made: string;
  /** Since when it no longer signs; RFC 3339, UTC. */
  readonly retired?: string;
  /** Of a key in a token. */
  readonly object?: TokenObject;
}

/** How a key is found in its token, and what is stored outside the token. */
export interface TokenObject {
  /** CKA_LABEL */
  readonly label: string;
  /** CKA_ID, hex */
  readonly id: string;
  /** Custody `hsm-wrapped`: the ML-DSA seed, encrypted under a key of the token. It is useless without that key. */
  readonly wrappedSeed?: Uint8Array;
  /** Custody `split`: the keystore of the ML-DSA component. */
  readonly mldsaKeystore?: string;
}

/** Where the parts of a site are (docs/site.md, "What is in the folder"). */
export interface SitePaths {
  readonly folder: string;
  readonly site: string;
  readonly catalog: string;
  readonly ledger: string;
  readonly keys: string;
  readonly plans: string;
  readonly out: string;
  readonly keysets: string;
}

export function sitePaths(folder: string): SitePaths {
  return Object.freeze({
    folder,
    site: join(folder, 'site.json'),
    catalog: join(folder, 'catalog.json'),
    ledger: join(folder, 'ledger.sqlite'),
    keys: join(folder, 'keys'),
    plans: join(folder, 'plans'),
    out: join(folder, 'out'),
    keysets: join(folder, 'keysets'),
  });
}

/** @throws VtlicError `configuration_invalid` if the folder contains no site, or its `site.json` is faulty. */
export function openSite(folder: string): Site {
  const paths = sitePaths(folder);
  if (!isPresent(paths.site, 'configuration_invalid')) {
    throw new VtlicError('configuration_invalid', 'there is no site.json: this folder is not a site', {
      file: folder,
      hint: 'name the site with --site DIR or VTLIC_SITE, or make one with: vtlic init DIR --issuer ID',
    });
  }
  const bytes = readLimited(paths.site, MAX_BYTES, 'json_malformed', 'configuration_invalid');
  return Object.freeze({
    paths,
    config: parseSite(bytes, paths.site),
    digest: sha256Hex(bytes),
  });
}

export function parseSite(bytes: Uint8Array, file: string): SiteConfig {
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'configuration_invalid', file });
  const schema = root.required('schema');
  const version = schema.string();
  if (version !== SCHEMA && version !== SCHEMA_WITH_JOBS) throw schema.fault(`should be "${SCHEMA}"`);
  const purposeMember = version === SCHEMA ? 'purpose' : 'job';
  const issuer = idOf(root.required('issuer'));
  const keystores = new Map<string, KeystoreConfig>();
  for (const [name, value] of root.object('keystores').entries()) {
    if (!isId(name)) throw value.fault('has a name that is not an id');
    keystores.set(name, readKeystore(name, value.object()));
  }
  const keys: KeyRecord[] = [];
  for (const value of root.array('keys')) {
    const record = keyRecord(value.object(), keystores, purposeMember);
    if (keys.some((other) => other.name === record.name))
      throw value.fault(`is a second key of the name ${record.name}`);
    if (keys.some((other) => other.publicKey.kid === record.publicKey.kid))
      throw value.fault('is the same key as another one');
    keys.push(Object.freeze(record));
  }
  const defaultKeyReader = root.member('defaultKey');
  const defaultKey = defaultKeyReader?.string();
  if (
    defaultKeyReader !== undefined &&
    !keys.some((key) => key.name === defaultKey && key.purpose === 'license' && key.retired === undefined)
  )
    throw defaultKeyReader.fault('should be the name of a key with the purpose license that is not retired');
  root.end();
  return Object.freeze({
    issuer,
    keystores,
    keys: Object.freeze(keys),
    ...(defaultKey === undefined ? {} : { defaultKey }),
  });
}

function idOf(value: JsonValueReader): string {
  const text = value.string();
  if (!isId(text)) throw value.fault('should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)');
  return text;
}

function keyRecord(
  reader: JsonObjectReader,
  keystores: ReadonlyMap<string, KeystoreConfig>,
  purposeMember: 'purpose' | 'job',
): KeyRecord {
  const name = idOf(reader.required('name'));
  const purposeReader = reader.required(purposeMember);
  const purpose = purposeReader.string();
  if (!isKeyPurpose(purpose)) throw purposeReader.fault('is not a purpose that a key can have');
  const algorithmReader = reader.required('algorithm');
  const algorithm = algorithmReader.string();
  if (!isAlgorithm(algorithm)) throw algorithmReader.fault('should be "ed25519" or "ed25519+ml-dsa-65"');
  const publicKeyReader = reader.required('publicKey');
  const bytes = decodeBase64(publicKeyReader.string());
  if (bytes === undefined) throw publicKeyReader.fault('should be canonical base64');
  let publicKey;
  try {
    publicKey = importPublicKey(algorithm, bytes, { forSite: true });
  } catch (error) {
    throw publicKeyReader.fault(
      `is not a valid public key: ${error instanceof Error ? error.message : 'it cannot be read'}`,
    );
  }
  const kid = reader.required('kid');
  if (kid.string() !== publicKey.kid) throw kid.fault(`should be ${publicKey.kid}, the thumbprint of this public key`);
  const keystoreReader = reader.required('keystore');
  if (!keystores.has(keystoreReader.string()))
    throw keystoreReader.fault('names a keystore that this site does not have');
  const custodyReader = reader.required('custody');
  const custody = custodyReader.string();
  if (!CUSTODIES.has(custody)) throw custodyReader.fault('should be hsm, hsm-wrapped, split or software');
  const store = keystoreReader.string();
  const isToken = keystores.get(store)?.type === 'pkcs11';
  if (isToken === (custody === 'software'))
    throw custodyReader.fault(
      `cannot be used with the keystore ${store}, which is ${isToken ? 'a token' : 'a folder of files'}`,
    );
  const object = isToken ? tokenObject(reader.object('object'), custody as Custody, keystores) : undefined;
  const record: KeyRecord = {
    name,
    purpose,
    algorithm,
    publicKey,
    keystore: store,
    custody: custody as Custody,
    made: reader.string('made'),
    ...(reader.member('retired') === undefined ? {} : { retired: reader.string('retired') }),
    ...(object === undefined ? {} : { object }),
  };
  reader.end();
  return record;
}

function tokenObject(
  reader: JsonObjectReader,
  custody: Custody,
  keystores: ReadonlyMap<string, KeystoreConfig>,
): TokenObject {
  const label = reader.string('label');
  const id = reader.required('id');
  if ((fromHex(id.string())?.length ?? 0) === 0) throw id.fault('should be hex digits, two for each byte');
  let object: TokenObject = { label, id: id.string().toLowerCase() };
  if (custody === 'hsm-wrapped') {
    const seed = reader.required('wrappedSeed');
    const wrappedSeed = decodeBase64(seed.string());
    if (wrappedSeed === undefined) throw seed.fault('should be canonical base64');
    object = { ...object, wrappedSeed };
  } else if (custody === 'split') {
    const other = reader.required('mldsaKeystore');
    if (keystores.get(other.string())?.type !== 'pkcs11')
      throw other.fault('should name another pkcs11 keystore of this site');
    object = { ...object, mldsaKeystore: other.string() };
  }
  reader.end();
  return Object.freeze(object);
}

function encodeTokenObject({ wrappedSeed, ...rest }: TokenObject): Readonly<Record<string, string | undefined>> {
  return { ...rest, ...(wrappedSeed === undefined ? {} : { wrappedSeed: encodeBase64(wrappedSeed) }) };
}

export function encodeSite(config: SiteConfig): Uint8Array {
  return utf8(
    `${JSON.stringify(
      {
        schema: SCHEMA,
        issuer: config.issuer,
        keystores: Object.fromEntries(
          [...config.keystores].map(([name, store]) => [
            name,
            store.type === 'file'
              ? { type: 'file', path: store.path }
              : { type: 'pkcs11', uri: store.uri, environment: store.environment },
          ]),
        ),
        keys: config.keys.map((key) => ({
          name: key.name,
          purpose: key.purpose,
          algorithm: key.algorithm,
          kid: key.publicKey.kid,
          publicKey: encodeBase64(key.publicKey.bytes),
          keystore: key.keystore,
          custody: key.custody,
          made: key.made,
          ...(key.retired === undefined ? {} : { retired: key.retired }),
          ...(key.object === undefined ? {} : { object: encodeTokenObject(key.object) }),
        })),
        ...(config.defaultKey === undefined ? {} : { defaultKey: config.defaultKey }),
      },
      null,
      2,
    )}\n`,
  );
}

/**
 * Replaces `site.json` atomically. The new text is parsed back first: a site is never left with a file that it cannot
 * read.
 */
export function writeSite(paths: SitePaths, config: SiteConfig): void {
  const bytes = encodeSite(config);
  parseSite(bytes, paths.site);
  replaceDurably(paths.site, bytes, 0o644);
}

/** @throws VtlicError `key_not_found` with the names that there are. */
export function findSiteKey(site: Site, name: string): KeyRecord {
  const found = site.config.keys.find((key) => key.name === name || key.publicKey.kid === name);
  if (found !== undefined) return found;
  const names = site.config.keys.map((key) => key.name).join(', ') || 'none yet';
  throw new VtlicError('key_not_found', `this site has no key of that name; it has: ${names}`, {
    file: site.paths.site,
    hint: 'see: vtlic key list',
  });
}

/** @throws VtlicError `usage` for a key that is retired */
export function requireSigning(key: KeyRecord): void {
  if (key.retired !== undefined)
    throw new VtlicError('usage', `the key ${key.name} was retired on ${key.retired} and cannot sign`, {
      hint: `name another key; see: vtlic key list; to take this one back: vtlic key retire ${key.name} --undo`,
    });
}

/** The key that signs licenses: the one named, else the site's default. */
export function licenseKey(site: Site, name: string | undefined): KeyRecord {
  const wanted = name ?? site.config.defaultKey;
  if (wanted === undefined)
    throw new VtlicError(
      'key_not_found',
      site.config.keys.some((key) => key.purpose === 'license')
        ? 'this site has no default key for licenses'
        : 'this site has no key that signs licenses yet',
      {
        file: site.paths.site,
        hint: 'choose one: vtlic key default NAME; or make one with: vtlic key generate --name NAME',
      },
    );
  const key = findSiteKey(site, wanted);
  if (key.purpose !== 'license')
    throw new VtlicError('usage', `the key ${key.name} has the purpose ${key.purpose} and cannot sign licenses`, {
      hint: 'one key has one purpose: name a key with the purpose license',
    });
  requireSigning(key);
  return key;
}

/**
 * What a run of another user makes belongs to that user, and the owner of the site cannot change it any more. Called
 * before anything is written.
 *
 * @param user the effective user id; undefined if the platform has none
 * @throws VtlicError `configuration_invalid`
 */
export function requireSiteOwner(
  { folder }: Pick<SitePaths, 'folder'>,
  user: number | undefined = process.geteuid?.(),
): void {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
  if (user === undefined || owner === undefined || owner === user) return;
  throw new VtlicError(
    'configuration_invalid',
    `this command runs as user ${user}, but the site belongs to user ${owner}: the files that it ` +
      'makes would lock the owner out; nothing was written',
    { file: folder, hint: `run it as the owner, without sudo or with: sudo -u '#${owner}' vtlic …` },
  );
}
