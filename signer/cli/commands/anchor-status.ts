/**
 * Whether the anchor agrees, for commands that sign nothing: one in a token is looked at where the secret was given, or
 * lies where the keystore says, and nobody is asked for a PIN.
 */
import { anchorOpener, keystoresOfPlaces } from '../../keys/ledger-opening.ts';
import { secretsTaken } from '../../keys/keystores.ts';
import { anchorStatus, type AnchorStatus, type LedgerView } from '../../ledger/index.ts';
import type { Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import type { SecretOptions } from './common.ts';
import { withAccess } from './key-access.ts';

export function lookAtAnchor(io: Io, site: Site, ledger: LedgerView, options: SecretOptions): Promise<AnchorStatus> {
  const place = ledger.anchorPlace();
  const anchors = keystoresOfPlaces(site, [place]);
  if (options.secret.length === 0 && (place.kind === 'file' || secretsTaken(site, anchors).length > 0))
    return anchorStatus(ledger);
  return withAccess(io, site, options, { anchors }, (access) => anchorStatus(ledger, anchorOpener(access)));
}
