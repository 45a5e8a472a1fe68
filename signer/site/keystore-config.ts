/** The keystores of `site.json`: where the private keys of a site are. */
import { VtlicError } from '../../formats/error.ts';
import type { JsonObjectReader, JsonValueReader } from '../../formats/json/index.ts';
import { declarationFault, type ModuleEnvironment } from '../../keys/private/pkcs11/shared/module-environment.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';

/** Where keys are kept, as `site.json` says. */
export type KeystoreConfig = FileKeystore | TokenKeystore;

/** Encrypted files in a folder. */
export interface FileKeystore {
  readonly type: 'file';
  readonly name: string;
  /** Relative to the site, or absolute. */
  readonly path: string;
}

/** A token named by an RFC 7512 URI (never by a slot number: those change). */
export interface TokenKeystore {
  readonly type: 'pkcs11';
  readonly name: string;
  readonly uri: string;
  /** Variables of the environment that its module needs. */
  readonly environment?: ModuleEnvironment;
}

export function readKeystore(name: string, reader: JsonObjectReader): KeystoreConfig {
  const type = reader.required('type');
  const kind = type.string();
  if (kind !== 'file' && kind !== 'pkcs11') throw type.fault('should be "file" or "pkcs11"');
  const value: KeystoreConfig =
    kind === 'file' ? { type: kind, name, path: reader.string('path') } : tokenKeystore(name, reader);
  reader.end();
  return Object.freeze(value);
}

function tokenKeystore(name: string, reader: JsonObjectReader): TokenKeystore {
  const uri = uriOf(reader.required('uri'));
  const environment = reader.member('environment');
  return {
    type: 'pkcs11',
    name,
    uri,
    ...(environment === undefined ? {} : { environment: moduleEnvironment(environment.object()) }),
  };
}

/** `{"NAME": "value"}` sets a variable for the module, `{"NAME": true}` passes the officer's own. */
function moduleEnvironment(reader: JsonObjectReader): ModuleEnvironment {
  const declared: Record<string, string | true> = {};
  for (const [name, value] of reader.entries()) {
    const given = value.node.kind === 'boolean' && value.boolean() ? true : value.string();
    const fault = declarationFault(name, given);
    if (fault !== undefined) throw value.fault(fault, 'see docs/hsm.md, "The environment of a module"');
    declared[name] = given;
  }
  return Object.freeze(declared);
}

function uriOf(value: JsonValueReader): string {
  const text = value.string();
  try {
    parsePkcs11Uri(text);
    return text;
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw value.fault(`cannot be used: ${error.message}`, error.hint);
  }
}
