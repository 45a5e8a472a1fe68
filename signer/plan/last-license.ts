/**
 * The license that a new one replaces or is compared with. It is read from the ledger, whose bytes may have been
 * changed since, and an officer signs again what the view says is unchanged: so its own signature is verified first.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import type { License } from '../../formats/license/license.ts';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { type CounterOf, issuedCose, ledgerCorrupt, type LedgerView, lineageText } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';

/** A license of the ledger, with which a new one is compared. */
export interface LastLicense {
  readonly license: License;
  /** Thumbprint of the key that signed it. */
  readonly kid: string;
}

/** What a license of the ledger is read from, and verified with. */
export interface LicenseSource {
  readonly ledger: LedgerView;
  readonly site: Site;
}

/**
 * @throws VtlicError `ledger_corrupt` where the signature in the ledger is not valid for these claims; `key_not_found`
 *   where the site does not have the key
 */
export function lastLicense(found: CounterOf, { ledger, site }: LicenseSource): LastLicense {
  const { payload, kid, licenseId } = found;
  const name = `license ${uuidFromBytes(licenseId)} (counter ${found.ctr} of ${lineageText(found)})`;
  const key = site.config.keys.find((record) => record.purpose === 'license' && record.publicKey.kid === kid);
  if (key === undefined)
    throw new VtlicError(
      'key_not_found',
      `${name} was signed by the key ${kid}, which this site does not have: it cannot be verified, so no license ` +
        'can follow it',
      { file: site.paths.site, hint: "put the key's record back into site.json" },
    );
  const fault = signatureFault(found, issuedCose(ledger, licenseId), key.publicKey);
  if (fault !== undefined)
    throw ledgerCorrupt(`${name}, which the new license would follow, ${fault}; nothing was planned`, {
      file: ledger.path,
    });
  return Object.freeze({ license: decodeLicense(payload), kid });
}

function signatureFault({ payload, kid }: CounterOf, cose: Uint8Array | undefined, key: PublicKey): string | undefined {
  if (cose === undefined) return 'has no signature in it';
  try {
    const signed = decodeCoseSign1(cose, TYP.license);
    if (!equalBytes(signed.payload, payload) || signed.kid !== kid || signed.alg !== key.alg)
      return 'is not the one that was signed';
    const isValid = verifySignature(key, sigStructure(signed.protectedBytes, payload), signed.signature);
    return isValid ? undefined : 'does not have a valid signature';
  } catch (error) {
    if (error instanceof VtlicError && !isCryptoUnavailable(error)) return `cannot be read: ${error.message}`;
    throw error;
  }
}
