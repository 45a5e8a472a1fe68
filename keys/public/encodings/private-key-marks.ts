/**
 * The marks of private keys. A file that contains a private key is never taken as a file of public keys, wherever in it
 * the private key is: the person who gave the file has to know at once that a secret is no longer where it belongs.
 */
import { VtlicError } from '../../../formats/error.ts';
import type { JsonNode } from '../../../formats/json/index.ts';

/** In the order in which they are named: the more specific one first. */
const TEXT_MARKS: readonly (readonly [mark: RegExp, what: string])[] = [
  [/-----BEGIN OPENSSH PRIVATE/i, 'an OpenSSH private key'],
  [/-----BEGIN ENCRYPTED PRIVATE/i, 'an encrypted private key in PEM'],
  [/----[- ]BEGIN [^\r\n-]{0,64}PRIVATE/i, 'a private key in PEM'],
  [/PuTTY-User-Key-File-/i, 'a PuTTY private key'],
  [/AGE-SECRET-KEY-/i, 'an age identity'],
  [/-----BEGIN AGE ENCRYPTED FILE-----/, 'an armored age file, which is how private keys are kept'],
  [/^age-encryption\.org\/v/, 'an age file, which is how this toolkit keeps private keys'],
  [/untrusted comment: [^\r\n]{0,128}secret key/i, 'a minisign or signify secret key'],
];

/** The parameters of private and symmetric keys in the IANA registry "JSON Web Key Parameters". */
const PRIVATE_PARAMETERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']);

/** @throws VtlicError `key_invalid` where a text contains the mark of a private key */
export function refusePrivateText(text: string): void {
  for (const [mark, what] of TEXT_MARKS) if (mark.test(text)) throw privateKeyFound(what);
}

/**
 * Walks a whole JSON document: objects at every depth, members that a reader of JWKs passes over, their names, and the
 * texts in them.
 *
 * @throws VtlicError `key_invalid` with the place of the private key
 */
export function refusePrivateMembers(node: JsonNode): void {
  if (node.kind === 'string') {
    refuseMarks(node.value, node);
  } else if (node.kind === 'array') {
    for (const item of node.items) refusePrivateMembers(item);
  } else if (node.kind === 'object') {
    for (const { name, nameLine, nameColumn, value } of node.members) {
      if (PRIVATE_PARAMETERS.has(name))
        throw privateKeyFound(`a JWK with the private parameter "${name}"`).at({ line: nameLine, column: nameColumn });
      refuseMarks(name, { line: nameLine, column: nameColumn });
      refusePrivateMembers(value);
    }
  }
}

function refuseMarks(text: string, { line, column }: { readonly line: number; readonly column: number }): void {
  for (const [mark, what] of TEXT_MARKS) if (mark.test(text)) throw privateKeyFound(what).at({ line, column });
}

/** @param what the form of it; never a byte of the key */
export function privateKeyFound(what: string): VtlicError {
  return new VtlicError('key_invalid', `the file contains a private key (${what}), where a public key was expected`, {
    hint: 'Give the public key (vtlic key export NAME), and keep this file secret.',
  });
}
