/** What an install trusts: the keys of its release, with a version of the keyset where it has one. */
import { encodeBase64 } from '../../formats/base64.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { makeTrust, trustFromOverride, type Trust, type TrustedKey } from '../../verifier/index.ts';
import { trustedKey } from '../rotation/left-without.ts';
import type { Release } from '../rotation/releases.ts';

export type KeyOfKid = (kid: string) => PublicKey | undefined;

/**
 * The trust as the verifier builds it from the same keys (docs/format.md, sections 8 and 11.3). Roots are left out: a
 * license by one is refused either way.
 *
 * @param keyset the version that the install has; undefined for a release without keysets
 * @throws VtlicError `configuration_invalid` for a key that nobody knows
 */
export function trustOfInstall(release: Release, keyset: Keyset | undefined, keyOfKid: KeyOfKid): Trust {
  const { builtIn, override, requireComposite, name } = release;
  const keyOf = (kid: string): PublicKey => {
    const key = keyOfKid(kid);
    if (key !== undefined) return key;
    throw new VtlicError(
      'configuration_invalid',
      `the release ${name} has the key ${kid}, which neither this site nor a published keyset has`,
      { hint: 'correct releases.json' },
    );
  };
  const keys: readonly TrustedKey[] =
    'keys' in builtIn
      ? builtIn.keys.map((kid) => ({ key: keyOf(kid), purpose: 'license', status: 'active' }))
      : (keyset?.keys ?? []).map(trustedKey);
  const trust = makeTrust({
    keys,
    requireComposite: requireComposite || keyset?.requireComposite === true,
    ...(keyset?.ed25519Until === undefined ? {} : { ed25519Until: keyset.ed25519Until }),
    ...(keyset === undefined ? {} : { revokedLicenses: keyset.revokedLicenses, lowestCounters: keyset.lowestCounters }),
  });
  return override === undefined ? trust : trustFromOverride(variablesOf(override.map(keyOf)), trust, noFile);
}

function variablesOf(keys: readonly PublicKey[]): Readonly<Record<string, string>> {
  return {
    LICENSE_PUBLIC_KEY: keys.map(({ ed25519 }) => encodeBase64(ed25519)).join(','),
    LICENSE_MLDSA_PUBLIC_KEY: keys.map(({ mldsa65 }) => (mldsa65 === undefined ? '' : encodeBase64(mldsa65))).join(','),
  };
}

function noFile(path: string): never {
  throw new VtlicError('internal', `an override of this simulation names no file, but ${path}`);
}
