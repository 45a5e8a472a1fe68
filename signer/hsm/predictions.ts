/**
 * What `key generate`, `key adopt` and `issue` will do with a token. The doctor finds it out by doing it, since no list
 * of mechanisms says what a role may do. It destroys what it made, and records nothing. Each check has an outcome:
 * "done", or the error code with which the command will end.
 */
import { equalBytes, fromHex, toHex } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError, type ErrorCode } from '../../formats/error.ts';
import { leftObjects, newKeyId, type Check, type Token } from '../../keys/private/pkcs11/client/index.ts';
import type { KeyObjectDescription } from '../../keys/private/pkcs11/shared/host-protocol.ts';
import { findAdoptable } from '../keys/adopt-key.ts';
import { checkClaimInToken, tokenClaimFile } from '../keys/key-claim.ts';
import { openObject } from '../keys/token-keystore.ts';
import type { KeyRecord, SitePaths } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';

/** The site whose commands are predicted. */
export interface PredictedSite {
  readonly paths: SitePaths;
  /** 32 hex digits. */
  readonly ledgerId: string;
}

type Outcome = 'done' | ErrorCode;

/** What `key generate` can be asked for, in the words of its options. */
const WAYS = [
  { name: 'ed25519', words: 'ed25519', alg: 'ed25519', custody: 'hsm' },
  { name: 'composite', words: 'ed25519+ml-dsa-65', alg: 'ed25519+ml-dsa-65', custody: 'hsm' },
  { name: 'wrapped', words: 'ed25519+ml-dsa-65 --wrapped', alg: 'ed25519+ml-dsa-65', custody: 'hsm-wrapped' },
] as const;

/** At most so many keys that the site does not know are tried. */
const MAX_ADOPTABLE = 16;

/** Makes a key of each kind and destroys it. */
export async function predictGeneration(token: Token, { random }: Pick<Runtime, 'random'>): Promise<Check> {
  const name = 'key generate';
  const outcomes: Record<string, Outcome> = {};
  const made: string[] = [];
  const refused = new Map<string, string[]>();
  for (const { name: way, words, alg, custody } of WAYS) {
    const label = `vtlic-doctor-${toHex(random(6))}`;
    try {
      const id = await newKeyId([token.connection], random);
      const generated = await token.generateKey({ label, id, purpose: 'license', alg, custody });
      const left = await generated.made.remove();
      await generated.key.close();
      if (left !== undefined) return { name, status: 'fail', says: left.what, remedy: left.remedy };
      outcomes[way] = 'done';
      made.push(words);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      if (leftObjects(error)) return failedCheck(name, error);
      outcomes[way] = error.code;
      refused.set(error.message, [...(refused.get(error.message) ?? []), words]);
    }
  }
  const says = [
    ...(made.length === 0
      ? []
      : [`will make ${made.join(', ')}: one of each was made, signed a test message, and was destroyed`]),
    ...[...refused].map(([why, kinds]) => `will not make ${kinds.join(', ')}: ${why}`),
  ].join('; ');
  if (made.length > 0) return { name, status: 'pass', says, data: outcomes };
  return {
    name,
    status: 'warn',
    says,
    remedy: "make a pair with the maker's tool, then: vtlic key adopt --name NAME --keystore KEYSTORE --id HEX",
    data: outcomes,
  };
}

/** Tries each private key that the site does not have. */
export async function predictAdoption(
  token: Token,
  known: readonly KeyRecord[],
  site: PredictedSite | undefined,
  runtime: Runtime,
): Promise<readonly Check[]> {
  const name = 'key adopt';
  let keys: readonly KeyObjectDescription[];
  try {
    keys = await token.listKeys();
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return [failedCheck(name, error)];
  }
  const pairs = keys.filter(
    (key) => key.class === 'private' && key.component === 'ed25519' && !known.some((record) => isOf(key, record)),
  );
  const data = { outcome: 'key_not_found' satisfies Outcome };
  const says = 'the token has no key pair besides those of the site';
  if (pairs.length === 0) return [{ name, status: 'pass', says, data }];
  const checks: Check[] = [];
  for (const key of pairs.slice(0, MAX_ADOPTABLE)) checks.push(await predictAdoptionOf(token, key, site, runtime));
  return checks;
}

function failedCheck(name: string, error: VtlicError): Check {
  return {
    name,
    status: 'fail',
    says: error.message,
    ...(error.hint === undefined ? {} : { remedy: error.hint }),
    data: { outcome: error.code satisfies Outcome },
  };
}

function predictAdoptionOf(
  token: Token,
  { label, id }: KeyObjectDescription,
  site: PredictedSite | undefined,
  runtime: Runtime,
): Promise<Check> {
  const digits = toHex(id);
  const name = `key adopt: "${cleanText(label, 64)}" (id ${digits || 'none'})`;
  const data = { label: cleanText(label, 64), id: digits };
  return predicted(name, data, 'warn', async () => {
    const { publicKey, object } = await findAdoptable([token], id.length === 0 ? { label } : { id });
    const key = await openObject([token], object, { publicKey, purpose: 'license' }, { runtime });
    await key.close();
    if (site !== undefined) await checkClaim(token, publicKey.kid, digits, site);
    return `will take it: ${publicKey.alg}, key id ${publicKey.kid}; one signature was made`;
  });
}

function isOf(key: KeyObjectDescription, { object }: KeyRecord): boolean {
  return object !== undefined && equalBytes(fromHex(object.id) ?? new Uint8Array(), key.id);
}

/** Looks at the claim of a site's key and signs with it, as `issue` does before it takes a counter. */
export function predictIssue(
  token: Token,
  record: KeyRecord,
  site: PredictedSite | undefined,
  runtime: Runtime,
): Promise<Check> {
  const { object, publicKey } = record;
  return predicted(`issue: ${cleanText(record.name, 64)}`, {}, 'fail', async () => {
    if (object === undefined) throw new VtlicError('internal', `the key ${record.name} has no object in a token`);
    if (site !== undefined) await checkClaim(token, publicKey.kid, record.name, site);
    const key = await openObject([token], object, record, { runtime });
    await key.close();
    return `will sign with it: --key ${cleanText(record.name, 64)}`;
  });
}

/** @param name under which a claim would be kept in a file */
async function checkClaim(token: Token, kid: string, name: string, { paths, ledgerId }: PredictedSite): Promise<void> {
  await checkClaimInToken(token, { kid, ledger: ledgerId }, tokenClaimFile(paths, name));
}

async function predicted(
  name: string,
  data: Readonly<Record<string, string>>,
  otherwise: 'warn' | 'fail',
  work: () => Promise<string>,
): Promise<Check> {
  try {
    return { name, status: 'pass', says: await work(), data: { ...data, outcome: 'done' satisfies Outcome } };
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    const outcome: Outcome = error.code;
    return {
      name,
      status: otherwise,
      says: `will refuse: ${error.message}`,
      ...(error.hint === undefined ? {} : { remedy: error.hint }),
      data: { ...data, outcome },
    };
  }
}
