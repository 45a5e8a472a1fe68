/** From a URI's `module-path` and `module-name` to the file of one PKCS#11 module. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { Pkcs11Uri } from '../uri/uri.ts';

/** Where systems put PKCS#11 modules; a `module-name` without a path is searched for here and nowhere else. */
export const MODULE_FOLDERS: readonly string[] = Object.freeze([
  '/usr/lib/x86_64-linux-gnu/pkcs11',
  '/usr/lib/aarch64-linux-gnu/pkcs11',
  '/usr/lib64/pkcs11',
  '/usr/lib/pkcs11',
  '/usr/local/lib/pkcs11',
]);

/**
 * @returns the absolute path of a file, as it is shown and loaded; whether it is a module is seen when the token host
 *   loads it
 * @throws VtlicError `configuration_invalid` where the URI names no module, none is found or more than one,
 *   `module_unusable` where the file is missing or unreadable
 */
export function resolveModule(uri: Pkcs11Uri, folders: readonly string[] = MODULE_FOLDERS): string {
  const { modulePath, moduleName } = uri;
  if (modulePath === undefined && moduleName === undefined) {
    throw new VtlicError('configuration_invalid', 'the PKCS#11 URI names no module', {
      field: 'module-path',
      hint: "add ?module-path=/PATH of your token's PKCS#11 module",
    });
  }
  if (modulePath === undefined) return moduleNamed(moduleName ?? '', folders);
  const isFolder = isDirectory(modulePath);
  if (moduleName === undefined) {
    if (!isFolder) return modulePath;
    throw new VtlicError('configuration_invalid', `the module-path ${cleanText(modulePath)} is a folder`, {
      field: 'module-path',
      hint: 'add module-name=NAME, or write the path of the module itself',
    });
  }
  if (isFolder) return moduleNamed(moduleName, [modulePath]);
  throw new VtlicError(
    'configuration_invalid',
    'the PKCS#11 URI has a module-name beside a module-path that is not a folder',
    { field: 'module-name', hint: 'leave module-name out' },
  );
}

/** The file without links, by which two paths are known to be one module; of what is not there, the path. */
export function moduleFile(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw new VtlicError('module_unusable', `the PKCS#11 module ${cleanText(path)} cannot be read`, {
      field: 'module-path',
      hint: "install the token's software, or correct module-path",
      cause,
    });
  }
}

/** RFC 7512 §2.3: without "lib" before or ".so" behind it, in either case. */
function moduleNamed(name: string, folders: readonly string[]): string {
  const wanted = name.toLowerCase();
  // By the file itself: links in two folders are no second module.
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const file of filesOf(folder)) {
      const path = join(folder, file);
      if (/^(?:lib)?(.+?)\.(?:so|dylib)$/.exec(file.toLowerCase())?.[1] === wanted && !files.has(moduleFile(path)))
        files.set(moduleFile(path), path);
    }
  }
  const found = [...files.values()];
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const where = folders.map((folder) => cleanText(folder)).join(', ');
  const paths = found.map((path) => cleanText(path)).join(', ');
  const message =
    found.length === 0
      ? `no PKCS#11 module "${cleanText(name)}" is in ${where}`
      : `more than one PKCS#11 module is named "${cleanText(name)}": ${paths}`;
  throw new VtlicError('configuration_invalid', message, {
    field: 'module-name',
    hint: 'write module-path=/PATH of the module instead',
  });
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
