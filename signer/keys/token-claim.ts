/**
 * The claim of a key in a token: a private data object beside it, kid → ledger id. In a split key, in the token of the
 * Ed25519 component.
 */
import { concatBytes, equalBytes, fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Token } from '../../keys/private/pkcs11/client/index.ts';
import type { Runtime } from '../runtime.ts';
import type { KeyClaim } from './key-claim.ts';

const PREFIX = 'vtlic-claim/1 ';
const KID_DIGITS_IN_LABEL = 16;

function bytesOf({ kid, ledger }: KeyClaim): Uint8Array {
  return concatBytes(utf8(PREFIX), fromHex(kid) ?? new Uint8Array(), fromHex(ledger) ?? new Uint8Array());
}

function labelOf({ kid }: KeyClaim): string {
  return `vtlic-claim-${kid.slice(0, KID_DIGITS_IN_LABEL)}`;
}

/**
 * @returns whether it is claimed at all
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function checkClaimInToken(token: Token, claim: KeyClaim): Promise<boolean> {
  if (token.opened.profile.dataObjects === 'none') return false;
  const wanted = bytesOf(claim);
  const found = await token.readData(labelOf(claim));
  const other = found.find(({ bytes }) => !equalBytes(bytes, wanted));
  if (other !== undefined) {
    const owner = toHex(other.bytes.subarray(-16));
    throw new VtlicError(
      'key_claimed',
      `this key belongs to the ledger ${owner}, but this site has the ledger ${claim.ledger}: its counters ` +
        'would begin again',
      { hint: 'issue from the site whose ledger that is, or make a new key here: vtlic key generate' },
    );
  }
  return found.length > 0;
}

/**
 * Claims a key for a ledger, once and for all. A token that has no data objects cannot hold a claim, which is said.
 *
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function claimInToken(token: Token, claim: KeyClaim, world: Pick<Runtime, 'tell'>): Promise<void> {
  if (token.opened.profile.dataObjects === 'none') {
    world.tell(
      `warning: ${token.connection.name} has no data objects, so nothing there says to which ledger the key belongs`,
    );
    return;
  }
  if (!(await checkClaimInToken(token, claim))) await token.createData(labelOf(claim), bytesOf(claim));
}
