/**
 * The reference verifier: what a product embeds.
 *
 * ```ts
 * const trust = makeTrust({ keys: parsePublicKeys(pem).map((key) => ({ key, purpose: 'license', status: 'active' }))
 * }); const verdict = verify(readFileSync('license.vtlic'), trust, { issuer: 'example-vendor', product: 'vaultdesk',
 * now: Math.floor(Date.now() / 1000), defaultGrace: 0 }); if (!verdict.ok) throw new
 * Error(REASONS[verdict.reason].sentence);
 * ```
 */
export type { Algorithm } from '../formats/cose-algorithm.ts';
export { VtlicError, type ErrorCode, type ErrorPlace } from '../formats/error.ts';
export type { KeyStatus } from '../formats/keyset/keyset.ts';
export { ExtBytes, type ExtMap, type ExtValue, type License, type LicenseUse } from '../formats/license/license.ts';
export { parsePublicKeys } from '../keys/public/encodings/public-key-file.ts';
export type { KeyPurpose } from '../keys/public/key-purpose.ts';
export type { Provider, ProviderAlgorithm, ProviderName } from '../keys/public/provider.ts';
export { chosenProviders } from '../keys/public/provider-default.ts';
export { importPublicKey, type ImportOptions, type PublicKey } from '../keys/public/public-key.ts';
export type { VerifyContext } from './context.ts';
export { lineageKey, seenAfter, type Seen, type SeenLineage } from './rollback.ts';
export { trustFromOverride, type OverrideVariables } from './override.ts';
export { REASONS, type Layer, type Reason, type ReasonFacts } from './reasons.ts';
export { makeTrust, type Trust, type TrustedKey, type TrustValues } from './trust.ts';
export type { Accepted, Refused, Standing, State, Verdict, VerifiedLicense } from './verdict.ts';
export { judgePlanned, verify, type PlannedLicense } from './verify.ts';
