/**
 * The environment filter of the token host: it passes the variables by which modules find their configuration, those
 * that a keystore declares, and nothing else of the officer's environment. `NODE_OPTIONS` and the like could load code
 * into the process that has the PIN; modules do not need the others.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { namesFile, type ModuleEnvironment } from '../shared/module-environment.ts';
import { PROFILES } from '../shared/profiles.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** HOME and the XDG folders: per-user configuration. LANG and LC_ALL: UTF-8 labels. TMPDIR: lock files of modules. */
const ALWAYS: readonly string[] = ['HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'LANG', 'LC_ALL', 'TMPDIR'];

/** Variables of modules that have no row in the table: passed only where a keystore declares them. */
const OTHERS: readonly string[] = [
  'CKNFAST_LOADSHARING',
  'CS_PKCS11_R3_CFG',
  'KMS_PKCS11_CONFIG',
  'NFAST_HOME',
  'OPENSC_CONF',
  'P11_KIT_SERVER_ADDRESS',
  'PKCS11SPY',
  'TPM2_PKCS11_STORE',
];

const MAX_SHOWN = 200;

/** The names of all variables that are passed on where they are set, without being declared. */
export function passedVariables(): readonly string[] {
  return [...new Set([...ALWAYS, ...PROFILES.flatMap((profile) => profile.environment)])];
}

export function hostEnvironment(environment: Environment, declared: ModuleEnvironment = {}): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of passedVariables()) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  for (const [name, given] of Object.entries(declared)) {
    const value = given === true ? environment[name] : given;
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

/** One line for each variable that a keystore declares: its name, and what it is now. */
export function describeDeclared(environment: Environment, declared: ModuleEnvironment): readonly string[] {
  return Object.entries(declared).map(([name, given]) => {
    const value = given === true ? environment[name] : given;
    if (value === undefined) return `${name} is not set`;
    const fault = fileFault(name, value);
    return fault ?? `${name}=${cleanText(value, MAX_SHOWN)}${given === true ? ' (of the environment)' : ''}`;
  });
}

/**
 * Checks, before a module is loaded, that the variables which its keystore declares are set, and that the files which
 * they name can be read.
 *
 * @throws VtlicError `configuration_invalid` with the names
 */
export function checkDeclared(environment: Environment, declared: ModuleEnvironment): void {
  const missing = Object.keys(declared).filter((name) => declared[name] === true && environment[name] === undefined);
  if (missing.length > 0)
    throw new VtlicError(
      'configuration_invalid',
      `the PKCS#11 module needs ${missing.join(' and ')}, which the keystore declares but the environment does not set`,
      { field: missing[0] ?? '', hint: `set it as the maker's manual says: export ${missing[0] ?? ''}=…` },
    );
  for (const [name, given] of Object.entries(declared)) {
    const value = given === true ? environment[name] : given;
    const fault = value === undefined ? undefined : fileFault(name, value);
    if (fault !== undefined)
      throw new VtlicError('configuration_invalid', `the configuration of the PKCS#11 module is missing: ${fault}`, {
        field: name,
        hint: `correct ${name}, or make the file that it names`,
      });
  }
}

/** Why a module may find no token: configuration files that cannot be read, and variables that are not passed. */
export function environmentFaults(environment: Environment, declared: ModuleEnvironment = {}): readonly string[] {
  const files = passedVariables()
    .filter(namesFile)
    .flatMap((name) => fileFault(name, environment[name]) ?? []);
  const held = OTHERS.filter((name) => environment[name] !== undefined && declared[name] === undefined).map(
    (name) => `${name} is set and not passed to the module: a keystore declares it in site.json, a command by --env`,
  );
  return [...files, ...held];
}

/** A relative path is one from the folder in which the command runs, as for the maker's own tools. */
function fileFault(name: string, value: string | undefined): string | undefined {
  // Kryoptic's variable may name a database (.sql), which does not exist before the token is initialized.
  if (value === undefined || !namesFile(name) || value.endsWith('.sql')) return undefined;
  const path = resolve(value);
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isDirectory() ? `${name} names ${cleanText(path, MAX_SHOWN)}, which is a folder` : undefined;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = isMissing ? 'which is not there' : 'which cannot be read';
    return `${name} names ${cleanText(path, MAX_SHOWN)}, ${why}`;
  }
}
