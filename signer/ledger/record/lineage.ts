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

export function sameLineage(a: Lineage, b: Lineage): boolean {
  return a.sub === b.sub && a.aud === b.aud && a.dep === b.dep;
}

/** For sentences: `customer / product` or `customer / product / deployment`. All parts are ids, so nothing needs escaping. */
export function lineageText(lineage: Lineage): string {
  const text = `${lineage.sub} / ${lineage.aud}`;
  return lineage.dep === undefined ? text : `${text} / ${lineage.dep}`;
}
