/** The texts in which a component of a key is given: SPKI PEM, or base64 of its bytes. */
import { decodeBase64 } from '../../../formats/base64.ts';
import { VtlicError } from '../../../formats/error.ts';
import { ED25519_PUBLIC_KEY_BYTES, MLDSA65_PUBLIC_KEY_BYTES } from '../provider.ts';
import { explainBase64OfDer } from './explain-der.ts';
import { decodePem } from './pem.ts';
import { refusePrivateText } from './private-key-marks.ts';
import { type ComponentKind, decodeSpki } from './spki.ts';

const BLANK = ' \t\r\n';

const BYTES: Readonly<Record<ComponentKind, number>> = {
  ed25519: ED25519_PUBLIC_KEY_BYTES,
  'ml-dsa-65': MLDSA65_PUBLIC_KEY_BYTES,
};

/** Without the blanks and line ends around it. `trim()` would also take a byte order mark and a no-break space away. */
export function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANK.includes(text.charAt(start))) start++;
  while (end > start && BLANK.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * The bytes of exactly one component of the wanted kind, written as an SPKI PEM block or as canonical base64 of the
 * bytes. Whether an Ed25519 key is a good one is for its import to say.
 *
 * @throws VtlicError `key_invalid` for anything else
 */
export function decodeComponentText(text: string, kind: ComponentKind): Uint8Array {
  refusePrivateText(text);
  if (text.startsWith('-----BEGIN')) return componentOfPem(text, kind);
  const bytes = decodeBase64(text);
  if (bytes?.length === BYTES[kind]) return bytes;
  const notPublic = bytes === undefined ? undefined : explainBase64OfDer(bytes);
  if (notPublic !== undefined) throw notPublic;
  const came = bytes === undefined ? 'it is neither' : `it is base64 of ${bytes.length} bytes`;
  throw new VtlicError(
    'key_invalid',
    `the ${kind} key should be an SPKI PEM block or canonical base64 of ${BYTES[kind]} bytes, but ${came}`,
  );
}

function componentOfPem(text: string, kind: ComponentKind): Uint8Array {
  const components = decodePem(text).flatMap(decodeSpki);
  const [component] = components;
  if (component === undefined || components.length > 1)
    throw new VtlicError('key_invalid', `expected one ${kind} key, found ${components.length} keys`);
  const found = component.kind === 'composite' ? 'a composite in one piece' : `an ${component.kind} key`;
  if (component.kind !== kind)
    throw new VtlicError(
      'key_invalid',
      `the PEM block should contain an ${kind} key, but it contains ${found}`,
      component.kind === 'composite' ? { hint: 'Give its two components: vtlic key export NAME --form env' } : {},
    );
  return component.bytes;
}
