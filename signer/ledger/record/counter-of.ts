import type { Lineage } from './lineage.ts';

/** Which license has a counter of a lineage: what an intent reserves, and what an act takes over. */
export interface CounterOf extends Lineage {
  readonly ctr: number;
  /** cti, 16 bytes. */
  readonly licenseId: Uint8Array;
  /** Thumbprint of the signing key, 64 hex digits. */
  readonly kid: string;
  /** The claims map exactly as it is signed. */
  readonly payload: Uint8Array;
}
