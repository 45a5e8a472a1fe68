/**
 * An installation by pasting (docs/runtime.md, "Install"): the lock, the keysets, the verdict, the product's consent,
 * the file, the state, in this order. A crash between any two of them leaves the old license or the new one in force.
 */
import { utf8 } from '../../formats/bytes.ts';
import { LOCKED, lockWarnings, type Committer } from './commit.ts';
import { licenseFacts, type LicenseFacts } from './entitlements.ts';
import { judgeInstall, type Decision, type Situation } from './judge.ts';
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
  readonly decision: Decision;
  readonly warnings: readonly Notice[];
}

export interface InstallParts {
  readonly keys: KeyRing;
  readonly source: LicenseSource;
  readonly keeper: StateKeeper;
  readonly committer: Committer;
  readonly situation: () => Situation;
  readonly before: Decision;
}

const NOTHING_PASTED: Notice = notice('file_missing', 'nothing was pasted');
const KEYSET_BLOCK = /-----BEGIN VTLIC KEYSET-----[^-]*-----END VTLIC KEYSET-----/g;

/** The blocks of keysets, joined, and what is left: the license. */
function splitPasted(pasted: string): { readonly keysets: Uint8Array | undefined; readonly license: string } {
  const blocks = pasted.match(KEYSET_BLOCK);
  if (blocks === null) return { keysets: undefined, license: pasted };
  return { keysets: utf8(`${blocks.join('\n')}\n`), license: pasted.replace(KEYSET_BLOCK, '').trim() };
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
  const onlyKeysets = license === '' && keysets !== undefined;
  const fault = onlyKeysets ? undefined : source.installFault();
  if (fault !== undefined) return fault;
  const loaded = await keeper.load();
  if (loaded.fault !== undefined) return loaded.fault;
  const added = keysets === undefined ? undefined : keys.preview(keysets);
  if (added !== undefined && 'code' in added) return added;
  const version = added === undefined ? {} : { keysetVersion: added.chain.newest.version };
  if (onlyKeysets) return Object.freeze({ ok: true, outcome: 'keyset', ...version });
  const now = situation();
  const judged = added === undefined ? now : { ...now, trust: added.trust, counts: added.counts };
  const { inForce, waiting, refusal } = judgeInstall(utf8(license), judged);
  const next = inForce ?? waiting;
  if (next === undefined) return refusal ?? NOTHING_PASTED;
  const { license: claims, graceUntil } = next.accepted;
  const outcome = inForce === undefined ? 'waiting' : 'in_force';
  return Object.freeze({ ok: true, outcome, license: licenseFacts(claims), graceUntil, ...version });
}

/** @returns the notice with which it is refused, or what is installed */
export async function installPasted(pasted: string, parts: InstallParts): Promise<Notice | Installed> {
  const { keysets, license } = splitPasted(pasted);
  const fault = license === '' && keysets !== undefined ? undefined : parts.source.installFault();
  if (fault !== undefined) return fault;
  const lock = await parts.committer.lock();
  if (lock === undefined) return LOCKED;
  try {
    // Also tries whether the state can be written, before anything else is changed.
    const writable = await parts.keeper.change((state) => state);
    if (!writable.ok) return writable.fault;
    if (keysets !== undefined) {
      const refused = await takeKeysets(keysets, parts);
      if (refused !== undefined) return refused;
      if (license === '')
        return { outcome: 'keyset', file: undefined, decision: parts.before, warnings: lockWarnings(lock) };
    }
    const installed = await installLicense(utf8(license), parts);
    return 'code' in installed ? installed : { ...installed, warnings: [...lockWarnings(lock), ...installed.warnings] };
  } finally {
    await lock.release();
  }
}

async function takeKeysets(file: Uint8Array, { keys, keeper }: InstallParts): Promise<Notice | undefined> {
  const refused = keys.add(file);
  if (refused !== undefined) return refused;
  const written = await keeper.change((state) => state);
  return written.ok ? undefined : written.fault;
}

async function installLicense(
  file: Uint8Array,
  { source, committer, situation, before }: InstallParts,
): Promise<Notice | Installed> {
  const found = judgeInstall(file, situation());
  const next = found.inForce ?? found.waiting;
  if (next === undefined) return found.refusal ?? NOTHING_PASTED;
  const refused = await committer.ask(next, before.inForce);
  if (refused !== undefined) return refused;
  const old = source.read();
  // The file first: a crash before the state is written is then a license that was dropped as a file.
  try {
    source.replace(file);
  } catch (error) {
    return notice('file_unwritable', shownError(error));
  }
  if (found.inForce === undefined) {
    const { current } = before;
    const decision = { waiting: next, ...(current === undefined ? {} : { current }), notices: [] };
    return { outcome: 'waiting', file, decision, warnings: [] };
  }
  const { fault, warnings } = await committer.write(next);
  if (fault !== undefined) {
    try {
      source.restore(old);
    } catch {
      // The new file stays, and counts as one that was dropped once the state can be written again.
    }
    return fault;
  }
  const failed = await committer.tell(next);
  return { outcome: 'in_force', file, decision: found, warnings: [...warnings, ...failed] };
}
