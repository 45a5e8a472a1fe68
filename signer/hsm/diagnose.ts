/**
 * What an officer runs before a ceremony: opens the token of a keystore and has it examined, with the site's keys in
 * it. It asks for one PIN, makes some test signatures, and makes and destroys a data object and keys; nothing stays.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import {
  type Check,
  describeDeclared,
  examineToken,
  type KeyToOpen,
  moduleFile,
  type Token,
} from '../../keys/private/pkcs11/client/index.ts';
import { TokenPool, type SecretSource } from '../keys/token-pool.ts';
import type { KeyRecord, TokenKeystore } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import { predictAdoption, predictGeneration, predictIssue, type PredictedSite } from './predictions.ts';

/** Where the PKCS#11 modules of the token families are after an ordinary installation. */
const LIBRARIES: readonly string[] = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
];

const PLACES: readonly string[] = [
  ...LIBRARIES.flatMap((folder) => [
    `${folder}/softhsm/libsofthsm2.so`,
    `${folder}/pkcs11/libsofthsm2.so`,
    `${folder}/pkcs11/libopencryptoki.so`,
    `${folder}/opencryptoki/libopencryptoki.so`,
    `${folder}/pkcs11/yubihsm_pkcs11.so`,
    `${folder}/pkcs11/libnethsm_pkcs11.so`,
  ]),
  '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
  '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
];

/**
 * The modules that are installed in well-known places; of one that is there by several names, the first.
 *
 * @param root the folder that these places are in
 */
export function knownModules(root = '/'): string[] {
  const files = new Map<string, string>();
  for (const path of PLACES.map((place) => join(root, place)))
    if (existsSync(path) && !files.has(moduleFile(path))) files.set(moduleFile(path), path);
  return [...files.values()];
}

export interface Diagnosis {
  readonly checks: readonly Check[];
  /** The error that kept the token from being opened. */
  readonly stopped?: VtlicError;
}

/** The check that an error of opening belongs to. */
function stageOf(error: VtlicError): string {
  if (error.code.startsWith('token_')) return 'token';
  if (error.code.startsWith('pin_') || error.code === 'secret_missing') return 'login';
  return error.code === 'module_unusable' ? 'module' : 'opening';
}

/**
 * @param keys the keys of the site that are in this token
 * @param site whose commands are predicted, where there is one
 */
export async function diagnose(
  store: TokenKeystore,
  keys: readonly KeyRecord[],
  site: PredictedSite | undefined,
  secrets: SecretSource,
  runtime: Runtime,
): Promise<Diagnosis> {
  const tokens = new TokenPool(runtime);
  let token: Token;
  try {
    token = await tokens.open(store, allowingUntested(secrets));
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return {
      checks: [elsewhere({ name: stageOf(error), status: 'fail', says: error.message, remedy: error.hint ?? MANUAL })],
      stopped: error,
    };
  }
  try {
    const checks = await examineToken(token, {
      keys: keys.flatMap(keyToOpen),
      random: runtime.random,
      clock: () => performance.now(),
    });
    return {
      checks: [
        ...checks,
        ...environmentCheck(store),
        ...(await predictions(token, keys, site, runtime)),
        ...keys.flatMap(splitWarning),
      ].map(elsewhere),
    };
  } finally {
    await tokens.close();
  }
}

async function predictions(
  token: Token,
  keys: readonly KeyRecord[],
  site: PredictedSite | undefined,
  runtime: Runtime,
): Promise<readonly Check[]> {
  const checks = [await predictGeneration(token, runtime), ...(await predictAdoption(token, keys, site, runtime))];
  if (keys.length === 0) return [...checks, NO_KEY];
  for (const key of keys) if (key.custody !== 'split') checks.push(await predictIssue(token, key, site, runtime));
  return checks;
}

const MANUAL = "see docs/hsm.md, and the manual of the token's maker";

/** Replaces a remedy that names this very command. */
function elsewhere(check: Check): Check {
  return check.remedy?.includes('vtlic hsm doctor') === true ? { ...check, remedy: MANUAL } : check;
}

/** The variables that the keystore declares for its module, where it does. */
function environmentCheck({ environment }: TokenKeystore): readonly Check[] {
  if (environment === undefined) return [];
  const says = `the module gets ${describeDeclared(process.env, environment).join(', ')}`;
  return [{ name: 'environment', status: 'pass', says }];
}

/** What is not yet trusted is what this command is for. */
export function allowingUntested(secrets: SecretSource): SecretSource {
  return {
    asks: (name) => secrets.asks(name),
    take: (name, prompt, exactly) => secrets.take(name, prompt, exactly),
    typeSerial: async (prompt) => secrets.typeSerial?.(prompt),
    ...(secrets.lastTrySerial === undefined ? {} : { lastTrySerial: secrets.lastTrySerial }),
    allowUntested: true,
  };
}

const NO_KEY: Check = {
  name: 'issue',
  status: 'warn',
  says: 'no key of a site is in this token, so none can sign',
  remedy:
    'name the site with --site DIR, or make a key in this token: vtlic key generate --name NAME --keystore KEYSTORE',
  data: { outcome: 'key_not_found' },
};

function keyToOpen(record: KeyRecord): (KeyToOpen & { readonly name: string })[] {
  const { object } = record;
  if (object === undefined || record.custody === 'split') return [];
  const id = fromHex(object.id) ?? new Uint8Array();
  return [
    {
      name: record.name,
      label: object.label,
      id,
      publicKey: record.publicKey,
      purpose: record.purpose,
      ...(object.wrappedSeed === undefined ? {} : { wrappedSeed: object.wrappedSeed }),
    },
  ];
}

function splitWarning(record: KeyRecord): Check[] {
  if (record.custody !== 'split') return [];
  return [
    {
      name: `key ${record.name}`,
      status: 'warn',
      says: 'split custody: its other component is in another token, so it was not tried',
      remedy: `try the whole key with: vtlic key check ${record.name}`,
    },
  ];
}
