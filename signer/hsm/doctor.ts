/**
 * What an officer runs before a ceremony: every property that signing with this token depends on, tried for real.
 * One PIN, a few test signatures, one data object made and destroyed; nothing is changed that stays.
 */
import { fromHex, toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { privateFault, type Token } from '../../keys/private/pkcs11/token.ts';
import { tokenFlagsInWords } from '../../keys/private/pkcs11/token-description.ts';
import { selfTestMessage } from '../../keys/private/self-test.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { KeyRecord } from '../site/key-record.ts';
import { openTokenOf } from '../keys/token-keystore.ts';
import type { SecretSource } from '../keys/secret-source.ts';
import type { TokenKeystore } from '../site/keystore-config.ts';
import type { World } from '../world.ts';

export interface Check {
  readonly check: string;
  readonly verdict: 'pass' | 'warn' | 'fail';
  readonly text: string;
  readonly remedy?: string;
}

export interface Diagnosis {
  readonly checks: readonly Check[];
  /** The error that stopped the examination, if one did. */
  readonly stopped?: VtlicError;
}

const TIMED_SIGNATURES = 20;
const RANDOM_BYTES = 32;
const DATA_LABEL = 'vtlic-doctor';

const pass = (check: string, text: string): Check => ({ check, verdict: 'pass', text });
const warn = (check: string, text: string, remedy: string): Check => ({ check, verdict: 'warn', text, remedy });
const fail = (check: string, text: string, remedy: string): Check => ({ check, verdict: 'fail', text, remedy });

/** The check that an error of opening belongs to. */
function stageOf(error: VtlicError): string {
  if (error.code.startsWith('token_')) return 'token';
  if (error.code.startsWith('pin_') || error.code === 'secret_missing') return 'login';
  return error.code === 'module_unusable' ? 'module' : 'opening';
}

/**
 * @param keys the keys of the site that lie in this token
 * @returns the checks in the order in which they were made; never throws for what the token does
 */
export async function diagnose(store: TokenKeystore, keys: readonly KeyRecord[], secrets: SecretSource, world: World): Promise<Diagnosis> {
  let token: Token;
  try {
    token = await openTokenOf(store, { ...secretsOf(secrets), allowUntested: true }, world);
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return { checks: [fail(stageOf(error), error.message, error.hint ?? 'see docs/hsm.md')], stopped: error };
  }
  try {
    const checks = [...openingChecks(token), ...custodyChecks(token)];
    for (const examine of [randomChecks, dataChecks]) checks.push(...(await examined(() => examine(token))));
    for (const record of keys) checks.push(...(await examined(() => keyChecks(token, record, world))));
    if (keys.length === 0) checks.push(warn('keys', 'no key of this site lies in this token, so no signature was made', 'make one with: vtlic key generate'));
    return { checks };
  } finally {
    await token.close();
  }
}

/** A class instance's methods are bound to it: spreading it would lose them. */
function secretsOf(secrets: SecretSource): SecretSource {
  return {
    asks: (keystore) => secrets.asks(keystore),
    take: (keystore, prompt) => secrets.take(keystore, prompt),
    ...(secrets.lastTrySerial === undefined ? {} : { lastTrySerial: secrets.lastTrySerial }),
  };
}

/** An examination that the token breaks off is a failed check, and the next one is made. */
async function examined(examine: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await examine();
  } catch (error) {
    if (error instanceof VtlicError) return [fail(stageOf(error), error.message, error.hint ?? 'see docs/hsm.md')];
    throw error;
  }
}

function openingChecks(token: Token): Check[] {
  const { modulePath, module, token: facts, profile } = token.opened;
  const flags = tokenFlagsInWords(facts.flags);
  return [
    pass('module', `${cleanText(modulePath)}: ${cleanText(module.description)} ${module.libraryVersion} of ${cleanText(module.manufacturer)}, PKCS#11 ${module.cryptokiVersion}`),
    pass('token', `"${cleanText(facts.label)}", serial ${cleanText(facts.serial)}, ${cleanText(facts.model)}, firmware ${facts.firmwareVersion}`),
    profile.tested ? pass('profile', profile.name) : warn('profile', `${profile.name}: never run against the real thing`, 'make test signatures with it before you rely on it; signing needs --untested-token'),
    pass('login', 'the PIN was accepted'),
    flags.length === 0 ? pass('flags', 'ready') : warn('flags', flags.join(', '), "look at it with its maker's tool"),
  ];
}

function custodyChecks(token: Token): Check[] {
  const [ed25519, mldsa65] = [token.has('ed25519'), token.has('mldsa65')];
  const custody = mldsa65 ? 'hsm: both halves of a composite key stay in the token' : token.canWrap() ? 'hsm for Ed25519; hsm-wrapped or split for composite keys' : 'hsm for Ed25519; split for composite keys';
  return [
    ed25519 ? pass('Ed25519', 'generates keys and signs') : fail('Ed25519', 'the token lists no Ed25519 key generation and signing that this toolkit can use', 'take a token with Ed25519'),
    mldsa65 ? pass('ML-DSA-65', 'generates keys and signs with a context') : warn('ML-DSA-65', 'the token has none that this toolkit can use', token.canWrap() ? 'composite keys: --wrapped, or --ml-dsa-keystore with another token' : 'composite keys: --ml-dsa-keystore with another token'),
    ed25519 ? pass('custody', custody) : fail('custody', 'this token can hold no key of this toolkit', 'take another token'),
  ];
}

async function randomChecks(token: Token): Promise<readonly Check[]> {
  const [first, second] = [toHex(await token.random(RANDOM_BYTES)), toHex(await token.random(RANDOM_BYTES))];
  return first === second || new Set(first).size < 4
    ? [fail('random', 'the random source gives the same or a constant', 'do not use this token')]
    : [pass('random', `two draws of ${RANDOM_BYTES} bytes differ`)];
}

async function dataChecks(token: Token): Promise<readonly Check[]> {
  if (token.opened.profile.dataObjects === 'none') return [warn('data objects', 'this token family has none', 'the anchor lies in a file, or in another token')];
  const object = await token.createData(DATA_LABEL, await token.random(RANDOM_BYTES));
  await token.destroyData(object);
  const left = await token.readData(DATA_LABEL);
  return left.length === 0 ? [pass('data objects', 'one was made, read back and destroyed')] : [warn('data objects', `one that was destroyed is still there (label ${DATA_LABEL})`, "destroy it with the maker's tool")];
}

async function keyChecks(token: Token, record: KeyRecord, world: World): Promise<readonly Check[]> {
  const { object } = record;
  if (object === undefined) return [];
  const name = `key ${record.name}`;
  const found = (await token.listKeys({ label: object.label, id: fromHex(object.id) ?? new Uint8Array() })).filter((key) => key.class === 'private');
  const protection: Check[] = [];
  for (const key of found) {
    const fault = privateFault(key, await token.readableSecrets(key));
    protection.push(fault === undefined ? pass(name, `the private ${key.half ?? 'key'} is sensitive, not extractable, and cannot be read`) : fail(name, `the private ${key.half ?? 'key'} ${fault}`, 'do not sign with it; make a new key'));
  }
  if (record.custody === 'split') return [...protection, warn(name, 'split custody: only the half in this token was looked at', 'check the whole key with: vtlic key check')];
  const key = await token.openKey({
    label: object.label,
    id: fromHex(object.id) ?? new Uint8Array(),
    publicKey: record.publicKey,
    job: record.job,
    ...(object.wrappedSeed === undefined ? {} : { wrappedSeed: object.wrappedSeed }),
  });
  try {
    return [...protection, pass(name, 'found; one signature by each half verifies with node:crypto and with noble'), await timeCheck(name, key, world)];
  } finally {
    await key.close();
  }
}

async function timeCheck(name: string, key: SigningKey, world: World): Promise<Check> {
  const times: number[] = [];
  for (let i = 0; i < TIMED_SIGNATURES; i++) {
    const before = world.nowMs();
    await key.sign(selfTestMessage(world.random(RANDOM_BYTES)));
    times.push(world.nowMs() - before);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return pass(name, `a signature takes ${at(0.5).toFixed(1)} ms (median of ${TIMED_SIGNATURES}; 95 % within ${at(0.95).toFixed(1)} ms)`);
}
