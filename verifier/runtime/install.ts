/**
 * An installation by pasting (docs/runtime.md, "Install"): the lock, the keysets, the verdict, the product's consent,
 * the file, the state, in this order. A crash between any two of them leaves the old license or the new one in force.
 */
import { utf8 } from '../../formats/bytes.ts';
import { LOCKED, lockWarnings, type Committer } from './commit.ts';
import { licenseFacts, type LicenseFacts } from './entitlements.ts';
import { judgeInstall, type Decision, type Judged, type Situation } from './judge.ts';
import type { KeyRing } from './key-ring.ts';
import type { LicenseSource } from './license-source.ts';
import { notice, shownError, type Notice } from './notices.ts';
import type { StateKeeper } from './state-keeper.ts';

/** `keyset`: only keysets were pasted, and they were taken. */
export type InstallOutcome = 'in_force' | 'waiting' | 'keyset';

export type InstallResult =
  { readonly ok: true; readonly outcome: InstallOutcome } | { readonly ok: false; readonly refusal: Notice };

/** What an installation would do. */
export type InstallPreview =
  | {
      readonly ok: true;
      readonly outcome: InstallOutcome;
      /** Absent where only keysets were pasted. */
      readonly license?: LicenseFacts;
      /** Of the license: for an operator to read before the installation. */
      readonly graceUntil?: number;
      /** The version of the keysets that would count; absent where none were pasted. */
      readonly keysetVersion?: number;
    }
  | { readonly ok: false; readonly refusal: Notice };

export interface Installed {
  readonly outcome: InstallOutcome;
  /** What is in the file now; undefined where only keysets were pasted. */
  readonly file: Uint8Array | undefined;
  readonly decision: Judged;
}

export interface InstallParts {
  readonly keys: KeyRing;
  readonly source: LicenseSource;
  readonly keeper: StateKeeper;
  readonly committer: Committer;
  readonly situation: () => Situation;
  readonly before: Decision;
  /** Takes what an operator should know, also where the installation is refused after that. */
  readonly warn: (warnings: readonly Notice[]) => void;
}

const KEYSET_BLOCK = /-----BEGIN VTLIC KEYSET-----[^-]*-----END VTLIC KEYSET-----/g;

interface Parted {
  readonly keysets: Uint8Array | undefined;
  /** Undefined where there is nothing but keysets. */
  readonly license: string | undefined;
}

/** The blocks of keysets, joined, and what is left: the license. */
function splitPasted(pasted: string): Parted {
  const blocks = pasted.match(KEYSET_BLOCK);
  if (blocks === null) return { keysets: undefined, license: pasted };
  const license = pasted.replace(KEYSET_BLOCK, '').trim();
  return { keysets: utf8(`${blocks.join('\n')}\n`), license: license === '' ? undefined : license };
}

/**
 * What `installPasted` would do, apart from the product's consent. Changes nothing.
 *
 * @returns the notice with which it would be refused, or what would be installed
 */
export async function previewPasted(
  pasted: string,
  { keys, source, keeper, situation }: InstallParts,
): Promise<Notice | Extract<InstallPreview, { ok: true }>> {
  const { keysets, license } = splitPasted(pasted);
  const fault = license === undefined ? undefined : source.installFault();
  if (fault !== undefined) return fault;
  const loaded = await keeper.load();
  if (loaded.fault !== undefined) return loaded.fault;
  const added = keysets === undefined ? undefined : keys.preview(keysets);
  if (added !== undefined && 'code' in added) return added;
  const version = added === undefined ? {} : { keysetVersion: added.chain.newest.version };
  if (license === undefined) return Object.freeze({ ok: true, outcome: 'keyset', ...version });
  const now = situation();
  const judged = added === undefined ? now : { ...now, trust: added.trust, counts: added.counts };
  const found = judgeInstall(utf8(license), judged);
  if ('refusal' in found) return found.refusal;
  const isWaiting = 'waiting' in found;
  const { license: claims, graceUntil } = (isWaiting ? found.waiting : found.inForce).accepted;
  const outcome = isWaiting ? 'waiting' : 'in_force';
  return Object.freeze({ ok: true, outcome, license: licenseFacts(claims), graceUntil, ...version });
}

/** @returns the notice with which it is refused, or what is installed */
export async function installPasted(pasted: string, parts: InstallParts): Promise<Notice | Installed> {
  const { keysets, license } = splitPasted(pasted);
  const fault = license === undefined ? undefined : parts.source.installFault();
  if (fault !== undefined) return fault;
  const lock = await parts.committer.lock();
  if (lock === undefined) return LOCKED;
  try {
    parts.warn(lockWarnings(lock));
    // Tries whether the state can be written, before anything else is changed.
    const unwritable = await writeState(parts);
    if (unwritable !== undefined) return unwritable;
    if (keysets !== undefined) {
      const refused = parts.keys.add(keysets) ?? (await writeState(parts));
      if (refused !== undefined) return refused;
    }
    if (license === undefined) return { outcome: 'keyset', file: undefined, decision: parts.before };
    return await installLicense(utf8(license), parts);
  } finally {
    await lock.release();
  }
}

/** @returns why the state cannot be written */
async function writeState({ keeper, warn }: InstallParts): Promise<Notice | undefined> {
  const written = await keeper.change((state) => state);
  if (!written.ok) return written.fault;
  warn(written.warnings);
  return undefined;
}

async function installLicense(
  file: Uint8Array,
  { source, committer, situation, before, warn }: InstallParts,
): Promise<Notice | Installed> {
  const found = judgeInstall(file, situation());
  if ('refusal' in found) return found.refusal;
  const next = 'waiting' in found ? found.waiting : found.inForce;
  const refused = await committer.ask(next, before.inForce);
  if (refused !== undefined) return refused;
  const old = source.read();
  // The file first: a crash before the state is written is then a license that was dropped as a file.
  try {
    source.replace(file);
  } catch (error) {
    return notice('file_unwritable', shownError(error));
  }
  if ('waiting' in found) {
    const decision = { current: before.current, waiting: next };
    return { outcome: 'waiting', file, decision };
  }
  const { fault, warnings } = await committer.write(next);
  warn(warnings);
  if (fault !== undefined) {
    try {
      source.restore(old);
    } catch {
      // The new file stays, and counts as one that was dropped once the state can be written again.
    }
    return fault;
  }
  warn(await committer.tell(next));
  return { outcome: 'in_force', file, decision: found };
}
