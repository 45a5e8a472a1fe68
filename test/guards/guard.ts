/** The members of the list of guards, and the names for the rows of SECURITY.md. */

/** First cells of the table "What is protected, and against whom" in SECURITY.md. */
export const AGAINST = {
  edits: 'A customer or operator who edits files',
  broken: 'Somebody who breaks Ed25519, or who breaks ML-DSA-65',
  keyFile: 'Somebody who steals the key file',
  token: 'Somebody who steals the token',
  copies: 'A restored backup, a copied machine',
  crash: 'A crash, a full disk, a power loss',
  requests: 'A request with bad or hostile content',
  defects: 'A defect in our own code or in a cryptographic library',
  roots: 'Whoever breaks or steals root keys of an old keyset, or all Ed25519 roots once the policy ended them',
  page: 'Another web site, a stranger in the network, or an operator who is deceived, at the admin page of a product',
  rotation: 'A rotation in the wrong order, or a root key that is used twice',
  module: 'A PKCS#11 module that crashes, hangs, corrupts memory or answers nonsense',
} as const;

export interface Guard {
  readonly against: (typeof AGAINST)[keyof typeof AGAINST];
  /** What it does, as in SECURITY.md. */
  readonly does: string;
  /** The source file that contains it. */
  readonly file: string;
  /** The part of the source that is replaced. White space does not count, and it occurs exactly once. */
  readonly find: string;
  /** The same source without the guard. */
  readonly replace: string;
  /** The test file that must fail without it. */
  readonly test: string;
}
