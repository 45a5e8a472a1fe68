/**
 * A lineage is one line of licenses that replace each other: (iss, aud, sub, dep), with an absent
 * deployment a value of its own (docs/format.md, "Claims"). The issuer is fixed by the ledger's genesis.
 */
export interface Lineage {
  /** The product. */
  readonly aud: string;
  /** The customer. */
  readonly sub: string;
  /** The deployment, if the license is bound to one. */
  readonly dep?: string;
}

/**
 * The license that has a counter of a lineage: an intent reserves the counter, an import or a restore takes it over.
 */
export interface CounterOf extends Lineage {
  readonly ctr: number;
  /** cti, 16 bytes. */
  readonly licenseId: Uint8Array;
  /** Thumbprint of the signing key, 64 hex digits. */
  readonly kid: string;
  /** The claims map exactly as it is signed. */
  readonly payload: Uint8Array;
}

/** The lineage of a license, within its issuer. */
export function lineageOf({ aud, sub, dep }: Lineage): Lineage {
  return dep === undefined ? { aud, sub } : { aud, sub, dep };
}

export function sameLineage(a: Lineage, b: Lineage): boolean {
  return a.sub === b.sub && a.aud === b.aud && a.dep === b.dep;
}

/**
 * For messages: `customer / product` or `customer / product / deployment`. All parts are ids, so nothing needs
 * escaping.
 */
export function lineageText(lineage: Lineage): string {
  const text = `${lineage.sub} / ${lineage.aud}`;
  return lineage.dep === undefined ? text : `${text} / ${lineage.dep}`;
}
