/** Whether the anchor agrees, for commands that sign nothing: one in a token is looked at where the secret was given, and nobody is asked for a PIN. */
import { anchorOpener, keystoresOfPlaces } from '../../keys/anchor-access.ts';
import type { LedgerView } from '../../ledger/ledger.ts';
import { anchorStatus, type AnchorStatus } from '../../ledger/status.ts';
import type { Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import type { SecretOptions } from './common.ts';
import { withAccess } from './key-access.ts';

export function lookAtAnchor(io: Io, site: Site, ledger: LedgerView, options: SecretOptions): Promise<AnchorStatus> {
  const place = ledger.anchorPlace();
  if (options.secret.length === 0) return anchorStatus(ledger);
  return withAccess(io, site, options, { anchors: keystoresOfPlaces(site, [place]) }, (access) => anchorStatus(ledger, anchorOpener(access)));
}
