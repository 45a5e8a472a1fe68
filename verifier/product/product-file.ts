/**
 * The module by which a product tells `vtlic-product` what is compiled into it (docs/runtime.md, "The command of an
 * operator"): the same module that its server gives to `openLicense`, so that both judge by the same facts.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../index.ts';
import type { Environment, LicenseOptions } from '../runtime/index.ts';

export interface ProductFile {
  readonly options: LicenseOptions;
  readonly databaseId: string | undefined;
}

const HINT =
  'Give --product the module of the product that exports the options of openLicense, all but environment, as default.';

/** @throws VtlicError `usage` naming the file, for a module that cannot be loaded or that is no such module */
export async function loadProduct(path: string, environment: Environment): Promise<ProductFile> {
  let loaded: { readonly default?: unknown; readonly databaseId?: unknown };
  try {
    loaded = (await import(pathToFileURL(resolve(path)).href)) as typeof loaded;
  } catch (error) {
    const why = cleanText(error instanceof Error ? error.message : 'it threw something that is not an error', 300);
    throw new VtlicError('usage', `the module cannot be loaded: ${why}`, { file: path, hint: HINT, cause: error });
  }
  const { default: given, databaseId } = loaded;
  if (!isRecord(given)) throw wrong(path, 'default', 'an object');
  for (const member of ['issuer', 'product'])
    if (typeof given[member] !== 'string') throw wrong(path, member, 'a text');
  for (const member of ['keys', 'freeTier']) if (!isRecord(given[member])) throw wrong(path, member, 'an object');
  if (databaseId !== undefined && typeof databaseId !== 'string') throw wrong(path, 'databaseId', 'a text');
  // The other members are checked where they are used.
  return { options: { ...(given as unknown as LicenseOptions), environment }, databaseId };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function wrong(file: string, field: string, expected: string): VtlicError {
  return new VtlicError('usage', `the member ${field} should be ${expected}`, { file, field, hint: HINT });
}
