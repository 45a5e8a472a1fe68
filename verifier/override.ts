/** The environment's override of the built-in keys, for rotation (docs/format.md, "The override"). */
import { concatBytes } from '../formats/bytes.ts';
import { cleanText } from '../formats/clean-text.ts';
import { VtlicError } from '../formats/error.ts';
import { decodeComponentText, trimBlank } from '../keys/public/encodings/component-text.ts';
import type { ComponentKind } from '../keys/public/encodings/spki.ts';
import { importPublicKey, type PublicKey } from '../keys/public/public-key.ts';
import { indexOfTrust, makeTrust, refuseSharedComponents, type Trust, type TrustedKey } from './trust.ts';

/** The variables as they are in the environment. Unset and blank are both absent: compose files pass blanks. */
export interface OverrideVariables {
  readonly LICENSE_PUBLIC_KEY?: string | undefined;
  readonly LICENSE_MLDSA_PUBLIC_KEY?: string | undefined;
  readonly LICENSE_REQUIRE_COMPOSITE?: string | undefined;
}

type KeyVariable = 'LICENSE_PUBLIC_KEY' | 'LICENSE_MLDSA_PUBLIC_KEY';

const FILE_SCHEME = 'file:';
const MAX_KEY_FILE_BYTES = 64 * 1024;

/**
 * The trust with the override laid over what is built in. The issuing keys are then exactly those of the override;
 * roots, revocations and policy stay, and a kid that is known keeps its purpose and status. Without the variables: the
 * built-in trust.
 *
 * @param readFile reads the file of a `file:PATH` item; what it throws becomes `configuration_invalid`
 * @throws VtlicError `configuration_invalid` naming the variable and the item: never a silent return to built-in keys
 */
export function trustFromOverride(
  env: OverrideVariables,
  builtIn: Trust,
  readFile: (path: string) => Uint8Array,
): Trust {
  const requireComposite = readRequireComposite(env.LICENSE_REQUIRE_COMPOSITE) || builtIn.requireComposite;
  const keys = readOverrideKeys(env, readFile);
  if (keys === undefined)
    return requireComposite === builtIn.requireComposite ? builtIn : makeTrust({ ...builtIn, requireComposite });
  // Over both sources: a component of a built-in composite must not come back as a key of its own.
  refuseSharedComponents([...builtIn.keys.map(({ key }) => key), ...keys]);
  const { byKid } = indexOfTrust(builtIn);
  const issuing = keys.map((key): TrustedKey => byKid.get(key.kid) ?? { key, purpose: 'license', status: 'active' });
  const kept = builtIn.keys.filter(({ purpose }) => purpose !== 'license');
  return makeTrust({ ...builtIn, requireComposite, keys: [...kept, ...issuing] });
}

function readRequireComposite(value: string | undefined): boolean {
  const text = trimBlank(value ?? '');
  if (text === '') return false;
  if (text === '1') return true;
  throw new VtlicError(
    'configuration_invalid',
    `LICENSE_REQUIRE_COMPOSITE should be 1 or unset, but it is "${cleanText(text, 40)}"`,
    {
      field: 'LICENSE_REQUIRE_COMPOSITE',
    },
  );
}

/** Undefined where neither variable is there. */
function readOverrideKeys(
  env: OverrideVariables,
  readFile: (path: string) => Uint8Array,
): readonly PublicKey[] | undefined {
  const ed25519Items = itemsOf(env.LICENSE_PUBLIC_KEY);
  const mldsa65Items = itemsOf(env.LICENSE_MLDSA_PUBLIC_KEY);
  if (ed25519Items === undefined) {
    if (mldsa65Items === undefined) return undefined;
    throw invalid(
      'LICENSE_PUBLIC_KEY',
      undefined,
      'is missing, but LICENSE_MLDSA_PUBLIC_KEY is set: each of its items belongs to an item of LICENSE_PUBLIC_KEY',
    );
  }
  if (mldsa65Items !== undefined && mldsa65Items.length !== ed25519Items.length) {
    throw invalid(
      'LICENSE_MLDSA_PUBLIC_KEY',
      undefined,
      `should have as many items as LICENSE_PUBLIC_KEY (${ed25519Items.length}), but it has ${mldsa65Items.length}`,
    );
  }
  return ed25519Items.map((item, i) => {
    const number = i + 1;
    const ed25519 = readItem('LICENSE_PUBLIC_KEY', number, item, 'ed25519', readFile);
    const other = mldsa65Items?.[i] ?? '';
    if (other === '') return importItem('LICENSE_PUBLIC_KEY', number, () => importPublicKey('ed25519', ed25519));
    const mldsa65 = readItem('LICENSE_MLDSA_PUBLIC_KEY', number, other, 'ml-dsa-65', readFile);
    return importItem('LICENSE_PUBLIC_KEY', number, () =>
      importPublicKey('ed25519+ml-dsa-65', concatBytes(mldsa65, ed25519)),
    );
  });
}

function itemsOf(value: string | undefined): readonly string[] | undefined {
  if (value === undefined || trimBlank(value) === '') return undefined;
  return value.split(',').map(trimBlank);
}

function readItem(
  variable: KeyVariable,
  number: number,
  item: string,
  kind: ComponentKind,
  readFile: (path: string) => Uint8Array,
): Uint8Array {
  if (item === '') throw invalid(variable, number, 'is empty');
  const text = item.startsWith(FILE_SCHEME)
    ? readItemFile(variable, number, item.slice(FILE_SCHEME.length), readFile)
    : item;
  return importItem(variable, number, () => decodeComponentText(text, kind));
}

function readItemFile(
  variable: KeyVariable,
  number: number,
  path: string,
  readFile: (path: string) => Uint8Array,
): string {
  let bytes: Uint8Array;
  try {
    bytes = readFile(path);
  } catch (error) {
    throw invalid(variable, number, `names the file ${cleanText(path)}, which cannot be read`, error);
  }
  if (bytes.length > MAX_KEY_FILE_BYTES)
    throw invalid(variable, number, `names the file ${cleanText(path)}, which is far too large for a public key`);
  return trimBlank(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
}

/** A key that is refused is a fault of the configuration; the error names its variable and item. */
function importItem<T>(variable: KeyVariable, number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'key_invalid')
      throw invalid(variable, number, `is refused: ${error.message}`, error);
    throw error;
  }
}

function invalid(variable: KeyVariable, number: number | undefined, fault: string, cause?: unknown): VtlicError {
  const item = number === undefined ? '' : `item ${number} of `;
  return new VtlicError('configuration_invalid', `${item}${variable} ${fault}`, {
    field: variable,
    hint: 'Give public keys as SPKI PEM, as base64 of exactly 32 (Ed25519) or 1952 bytes (ML-DSA-65), or as file:PATH.',
    cause,
  });
}
