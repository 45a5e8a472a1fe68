/** Issued → anchored: the head lies in a place that does not roll back with the ledger. Once a group. */
import type { Ledger } from '../ledger/index.ts';
import type { AnchoredLicense, IssuedLicense } from './stages.ts';

export async function anchorIssued(
  ledger: Ledger,
  group: readonly IssuedLicense[],
): Promise<readonly AnchoredLicense[]> {
  if (group.length > 0) await ledger.anchor();
  return group.map((issued) => Object.freeze({ stage: 'anchored' as const, issued }));
}
