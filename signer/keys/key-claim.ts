/**
 * A key belongs to one ledger, and a claim beside the key says which: kid → ledger id. The claim of a key file is a
 * file, and the claim of a key in a token is a private data object in the token. For a split key it is in the token of
 * the Ed25519 component. If a token takes no data objects, the claim is a file of the site.
 *
 * Without it, deleting a site and making a new one with the same key would begin again at counter 1.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { utf8, concatBytes, equalBytes, fromHex, toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { createDurably, makeFolders, parseJsonFile, readLimited, removeIfPresent } from '../../files/index.ts';
import { namingWhatIsLeft, removalCommand, type Token } from '../../keys/private/pkcs11/client/index.ts';
import type { SitePaths } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';

const SCHEMA = 'vtlic-claim/1';
const MAX_BYTES = 4096;

export interface KeyClaim {
  /** 64 hex digits. */
  readonly kid: string;
  /** 32 hex digits. */
  readonly ledger: string;
}

function readClaim(file: string): KeyClaim {
  const root = readObject(parseJsonFile(readLimited(file, MAX_BYTES, 'json_malformed'), file, MAX_BYTES), {
    code: 'configuration_invalid',
    file,
  });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const claim = { kid: root.string('kid'), ledger: root.string('ledger') };
  root.end();
  return claim;
}

/**
 * @returns whether it is claimed at all
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export function checkClaim(file: string, claim: KeyClaim): boolean {
  if (!existsSync(file)) return false;
  const existing = readClaim(file);
  if (existing.kid !== claim.kid)
    throw new VtlicError('key_claimed', `the claim beside this key is of another key, ${existing.kid}`, {
      file,
      hint: 'put the key file and its claim back together from one backup',
    });
  if (existing.ledger !== claim.ledger) {
    throw new VtlicError(
      'key_claimed',
      `this key belongs to the ledger ${existing.ledger}, but this site has the ledger ${claim.ledger}: its ` +
        'counters would begin again',
      {
        file,
        hint: 'issue from the site whose ledger that is, or make a new key here: vtlic key generate --name NAME',
      },
    );
  }
  return true;
}

/**
 * Claims a key for a ledger, once and for all.
 *
 * @param file the claim of this key
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function claimKey(file: string, claim: KeyClaim): Promise<void> {
  if (checkClaim(file, claim)) return;
  await createDurably(file, utf8(`${JSON.stringify({ schema: SCHEMA, ...claim })}\n`), 0o600);
}

const TOKEN_CLAIM_PREFIX = 'vtlic-claim/1 ';
const KID_DIGITS_IN_LABEL = 16;

/** The bytes of the data object that claims a key in a token. */
function bytesOf({ kid, ledger }: KeyClaim): Uint8Array {
  return concatBytes(utf8(TOKEN_CLAIM_PREFIX), fromHex(kid) ?? new Uint8Array(), fromHex(ledger) ?? new Uint8Array());
}

/** The label of the data object that claims a key. */
export function claimLabel(kid: string): string {
  return `vtlic-claim-${kid.slice(0, KID_DIGITS_IN_LABEL)}`;
}

/** The claim of a key whose token takes no data objects. */
export function tokenClaimFile(paths: Pick<SitePaths, 'keys'>, name: string): string {
  return join(paths.keys, `${name}.claim.json`);
}

/**
 * @param file where the claim is if the token takes no data objects
 * @returns whether it is claimed at all
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function checkClaimInToken(token: Token, claim: KeyClaim, file: string): Promise<boolean> {
  const found = await claimsIn(token, claim);
  const wanted = bytesOf(claim);
  const other = found.find(({ bytes }) => !equalBytes(bytes, wanted));
  if (other !== undefined) {
    const owner = toHex(other.bytes.subarray(-16));
    throw new VtlicError(
      'key_claimed',
      `this key belongs to the ledger ${owner}, but this site has the ledger ${claim.ledger}: its counters ` +
        'would begin again',
      { hint: 'issue from the site whose ledger that is, or make a new key here: vtlic key generate --name NAME' },
    );
  }
  return checkClaim(file, claim) || found.length > 0;
}

async function claimsIn(token: Token, claim: KeyClaim): ReturnType<Token['readData']> {
  return token.opened.profile.dataObjects === 'none' ? [] : token.readData(claimLabel(claim.kid));
}

/**
 * Claims a key for a ledger, once and for all.
 *
 * @throws VtlicError `key_claimed` when another ledger has claimed it
 */
export async function claimInToken(
  token: Token,
  claim: KeyClaim,
  file: string,
  runtime: Pick<Runtime, 'tell'>,
): Promise<void> {
  if (!(await checkClaimInToken(token, claim, file))) await makeClaim(token, claim, file, runtime);
}

/** Claims a key that `checkClaimInToken` found without a claim. */
export async function makeClaim(
  token: Token,
  claim: KeyClaim,
  file: string,
  runtime: Pick<Runtime, 'tell'>,
): Promise<void> {
  try {
    await token.createData(claimLabel(claim.kid), bytesOf(claim));
  } catch (error) {
    // The profile of the token, or its answer, says that it takes no data objects.
    if (!(error instanceof VtlicError) || error.code !== 'configuration_invalid') throw error;
    makeFolders(dirname(file), 0o700);
    await claimKey(file, claim);
    runtime.tell(
      `${token.connection.name} takes no data objects: the claim of the key is the file ${file}; back it up`,
    );
  }
}

/**
 * Takes back what `makeClaim` made for a key that the site could not take; the file only if it is new.
 *
 * @param failure why the site could not take it
 * @returns the error to report: where the claim may still be in the token, it names the claim and how to remove it
 */
export async function withdrawClaim(
  token: Token,
  claim: KeyClaim,
  newFile: string | undefined,
  failure: unknown,
): Promise<unknown> {
  if (newFile !== undefined) removeIfPresent(newFile);
  try {
    for (const object of await claimsIn(token, claim))
      if (equalBytes(object.bytes, bytesOf(claim))) await token.destroyData(object);
    return failure;
  } catch (error) {
    if (!(error instanceof VtlicError) || !(failure instanceof VtlicError)) return failure;
    const left = { class: 'data', label: claimLabel(claim.kid), id: new Uint8Array() } as const;
    return namingWhatIsLeft(failure, {
      what: `${token.connection.name} may still contain the claim of the key, the data object "${left.label}"`,
      remedy: removalCommand(token.opened, left),
    });
  }
}
