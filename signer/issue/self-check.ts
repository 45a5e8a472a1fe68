/**
 * Signed → self-checked: the license is read back from its bytes, by our decoder and by one of another project, and a
 * provider that did not make its signature verifies it.
 */
import { dearmor } from '../../formats/armor.ts';
import { decodeCbor, decodeTaggedCbor, type CborValue } from '../../formats/cbor/index.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { isCryptoUnavailable, type Provider } from '../../keys/public/provider.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { makeTrust, type Trust, verify } from '../../verifier/index.ts';
import { Decoder, Tag } from 'cbor-x/index-no-eval';

const COSE_SIGN1_TAG = 18;

/** The license that will be released, and what was planned. */
export interface Output {
  /** The armored file. */
  readonly file: Uint8Array;
  /** The bytes that the ledger will record. */
  readonly cose: Uint8Array;
  /** The claims as they were planned. */
  readonly payload: Uint8Array;
}

export function selfCheckFailed(fault: string, cause?: unknown): VtlicError {
  return new VtlicError('self_check_failed', `our own output failed its check and was not released: ${fault}`, {
    hint: 'keep this ledger as it is and report it (SECURITY.md); the counter is void',
    cause,
  });
}

/**
 * @param provider another than the one that signed
 * @returns a function that names what is wrong with a license of this key; undefined where nothing is. It throws only
 *   `crypto_unavailable`, which is not a fault of the license.
 */
export function makeSelfCheck(key: PublicKey, provider: Provider): (output: Output) => string | undefined {
  const trust = makeTrust({ keys: [{ key, purpose: 'license', status: 'active' }] });
  return (output) => {
    try {
      return findFault(output, key, trust, provider);
    } catch (error) {
      if (isCryptoUnavailable(error)) throw error;
      return error instanceof Error ? error.message : 'it cannot be read back';
    }
  };
}

function findFault(
  { file, cose, payload }: Output,
  key: PublicKey,
  trust: Trust,
  provider: Provider,
): string | undefined {
  if (Buffer.compare(dearmor('VTLIC', file), cose) !== 0) return 'the file holds other bytes than the ledger will';
  const parsed = decodeCoseSign1(cose, TYP.license);
  if (Buffer.compare(parsed.payload, payload) !== 0) return 'the payload is not the one that was planned';
  if (parsed.kid !== key.kid || parsed.alg !== key.alg) return 'the header names another key';
  if (!secondDecoderAgrees(cose, decodeTaggedCbor(cose).value, COSE_SIGN1_TAG))
    return 'cbor-x reads the file differently';
  if (!secondDecoderAgrees(parsed.payload, decodeCbor(parsed.payload))) return 'cbor-x reads the claims differently';
  if (!secondDecoderAgrees(parsed.protectedBytes, decodeCbor(parsed.protectedBytes)))
    return 'cbor-x reads the header differently';
  const license = decodeLicense(payload);
  const verdict = verify(file, trust, {
    issuer: license.iss,
    product: license.aud,
    ...(license.dep === undefined ? {} : { deployment: license.dep }),
    ...(license.hosts === undefined ? {} : { hosts: license.hosts }),
    ...(license.upd === undefined ? {} : { buildDate: license.upd - 1 }),
    now: license.nbf,
    defaultGrace: 0,
    provider,
  });
  if (!verdict.ok) return `the verifier says ${verdict.reason}`;
  return verdict.state === 'active' ? undefined : `the verifier says ${verdict.state} at its first second`;
}

/** cbor-x checks our own CBOR decoder. Its main entry would load a native addon (SECURITY.md, "Dependencies"). */
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });

function same(ours: CborValue, theirs: unknown): boolean {
  if (typeof ours === 'number') return typeof theirs === 'bigint' ? BigInt(ours) === theirs : ours === theirs;
  if (typeof ours === 'string' || typeof ours === 'boolean') return ours === theirs;
  if (ours instanceof Uint8Array) return theirs instanceof Uint8Array && Buffer.compare(ours, theirs) === 0;
  if (ours instanceof Map) {
    if (!(theirs instanceof Map) || theirs.size !== ours.size) return false;
    const entries: unknown[] = [...theirs.entries()];
    return [...ours.entries()].every(([key, value], i) => {
      const entry: unknown = entries[i];
      return Array.isArray(entry) && same(key as CborValue, entry[0]) && same(value as CborValue, entry[1]);
    });
  }
  return (
    Array.isArray(ours) &&
    Array.isArray(theirs) &&
    ours.length === theirs.length &&
    ours.every((item, i) => same(item as CborValue, theirs[i]))
  );
}

/** True if cbor-x decodes all of `bytes` to the same value as `ours`, including the tag at the top if there is one. */
function secondDecoderAgrees(bytes: Uint8Array, ours: CborValue, tag?: number): boolean {
  let theirs: unknown;
  try {
    theirs = decoder.decode(bytes);
  } catch {
    return false;
  }
  if (tag === undefined) return same(ours, theirs);
  return theirs instanceof Tag && theirs.tag === tag && same(ours, theirs.value);
}
