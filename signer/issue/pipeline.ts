/** From a reserved counter to a released license, one step after the other: sign, record, anchor, release. */
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { Ledger, IntentEntry, IssueEntry } from '../ledger/index.ts';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { createManyDurably, type FileOutcome } from '../../files/index.ts';
import type { Runtime } from '../runtime.ts';
import type { PlanItem } from '../plan/plan.ts';

/**
 * The stages of a license on its way out. Each is made by one function only, whose argument is the stage before:
 * intended → signed → self-checked → issued → anchored → released.
 */
export interface IntendedLicense {
  readonly stage: 'intended';
  readonly item: PlanItem;
  readonly intent: IntentEntry;
}

export interface SignedLicense {
  readonly stage: 'signed';
  readonly intended: IntendedLicense;
  /** The tagged COSE_Sign1, not yet judged. */
  readonly cose: Uint8Array;
}

export interface CheckedLicense {
  readonly stage: 'self-checked';
  readonly intended: IntendedLicense;
  readonly cose: Uint8Array;
  /** The armored file. */
  readonly file: Uint8Array;
}

export interface IssuedLicense {
  readonly stage: 'issued';
  readonly intent: IntentEntry;
  readonly issue: IssueEntry;
  readonly file: Uint8Array;
}

/** The anchor covers its leaf, so its file may be written. */
export interface AnchoredLicense {
  readonly stage: 'anchored';
  readonly issued: IssuedLicense;
}

export interface ReleasedLicense {
  readonly stage: 'released';
  readonly issued: IssuedLicense;
  /** Absolute. */
  readonly path: string;
  /** False if a file with exactly these bytes was there already. */
  readonly written: boolean;
}

/** Intended → signed. */
export async function sign(intended: IntendedLicense, key: SigningKey): Promise<SignedLicense> {
  const { payload } = intended.item;
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, payload));
  return Object.freeze({ stage: 'signed', intended, cose: encodeCoseSign1(protectedBytes, payload, signature) });
}

/** Self-checked → issued: the finished file and its leaf are in the ledger. */
export function recordIssue(ledger: Ledger, checked: CheckedLicense): IssuedLicense {
  const { intent } = checked.intended;
  const issue = ledger.issue(intent.seq, checked.cose);
  return Object.freeze({ stage: 'issued', intent, issue, file: checked.file });
}

/**
 * Issued → anchored: the head is also in a place that does not roll back with the ledger. Anchors once for the whole
 * group.
 */
export async function anchorIssued(
  ledger: Ledger,
  group: readonly IssuedLicense[],
): Promise<readonly AnchoredLicense[]> {
  if (group.length > 0) await ledger.anchor();
  return group.map((issued) => Object.freeze({ stage: 'anchored' as const, issued }));
}

/**
 * Anchored → released: the file has its name, is durable, and the ledger says so.
 *
 * @param siteFolder absolute
 * @throws VtlicError `output_exists`, `output_unwritable`, saying that the ledger contains the license and how to
 *   release it later.
 */
export async function release(
  ledger: Ledger,
  siteFolder: string,
  anchored: AnchoredLicense,
  runtime: Pick<Runtime, 'step'>,
): Promise<ReleasedLicense> {
  const released = await tryRelease(ledger, siteFolder, anchored, runtime);
  if (released instanceof VtlicError) throw released;
  return released;
}

/**
 * Like `release`, but returns an error that concerns only this file, because other files can still be released.
 *
 * @throws VtlicError `output_unwritable` where no file can be written
 */
export async function tryRelease(
  ledger: Ledger,
  siteFolder: string,
  { issued }: AnchoredLicense,
  runtime: Pick<Runtime, 'step'>,
): Promise<ReleasedLicense | VtlicError> {
  const relative = issued.intent.body.path;
  const path = join(siteFolder, relative);
  let outcome: FileOutcome | undefined;
  try {
    [outcome] = await createManyDurably([{ path, bytes: issued.file }], 0o644, {
      written: () => runtime.step('file-written'),
      linked: () => runtime.step('file-linked'),
    });
  } catch (error) {
    throw error instanceof VtlicError ? fileMissing(error, issued) : error;
  }
  if (outcome === undefined) throw new VtlicError('internal', 'a file was written without an outcome');
  if (!outcome.ok) return fileMissing(outcome.error, issued);
  ledger.release(issued.intent.seq, { path: relative, digest: createHash('sha256').update(issued.file).digest() });
  await runtime.step('release-durable');
  return Object.freeze({ stage: 'released', issued, path, written: outcome.written });
}

function fileMissing(error: VtlicError, { intent }: IssuedLicense): VtlicError {
  return new VtlicError(
    error.code,
    `${error.message}; the license is signed and safe in the ledger, only its file is missing`,
    {
      ...error.place,
      hint: `correct that, then run any signing command or: vtlic release ${licenseIdText(intent.body.licenseId)}`,
      cause: error,
    },
  );
}

function licenseIdText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
