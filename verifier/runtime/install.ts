/**
 * An installation by pasting (docs/runtime.md, "Install"): the lock, the keysets, the verdict, the product's consent,
 * the file, the state, in this order. A crash between any two of them leaves the old license or the new one in force.
 */
import { utf8 } from '../../formats/bytes.ts';
import { LOCKED, type Committer } from './commit.ts';
import { judgeInstall, shownError, type Decision, type Situation } from './judge.ts';
import type { KeyRing } from './key-ring.ts';
import type { LicenseSource } from './license-source.ts';
import { notice, type Notice } from './notices.ts';
import type { StateKeeper } from './state-keeper.ts';

/** `keyset`: only keysets were pasted, and they were taken. */
export type InstallOutcome = 'in_force' | 'waiting' | 'keyset';

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

const KEYSET_BLOCK = /-----BEGIN VTLIC KEYSET-----[^-]*-----END VTLIC KEYSET-----/g;

/** @returns the notice with which it is refused, or what is installed */
export async function installPasted(pasted: string, parts: InstallParts): Promise<Notice | Installed> {
  const blocks = pasted.match(KEYSET_BLOCK) ?? [];
  const license = blocks.length === 0 ? pasted : pasted.replace(KEYSET_BLOCK, '').trim();
  const fault = license === '' && blocks.length > 0 ? undefined : parts.source.installFault();
  if (fault !== undefined) return fault;
  const lock = await parts.committer.lock();
  if (lock === undefined) return LOCKED;
  try {
    // Also tries whether the state can be written, before anything else is changed.
    const writable = await parts.keeper.change((state) => state);
    if (!writable.ok) return writable.fault;
    if (blocks.length > 0) {
      const refused = await takeKeysets(utf8(`${blocks.join('\n')}\n`), parts);
      if (refused !== undefined) return refused;
      if (license === '') return { outcome: 'keyset', file: undefined, decision: parts.before, warnings: [] };
    }
    return await installLicense(utf8(license), parts);
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
  if (next === undefined) return found.refusal ?? notice('file_missing', 'nothing was pasted');
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
