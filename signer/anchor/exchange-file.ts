/**
 * How the anchor's file is exchanged for a new one, only if it is still the one that the caller knows.
 *
 * Several processes may try at once, on several machines; each may stop at any step, and go on after any time or never.
 * A lock would have to be broken after a crash, and a process that wakes up would not know that its lock was broken. So
 * the decision is one atomic call instead: beside the file `ANCHOR` is a folder, `ANCHOR.guard`, with one file whose
 * name says which bytes are the anchor, `at-DIGEST`. Whoever exchanges the anchor renames that file to the digest of
 * the new bytes. Only one process can rename a file away from a name, and no name is ever used a second time, because
 * each record contains a random nonce. The guard is never removed, so that it is never made a second time either.
 *
 * A change takes these steps; `test/unit/signer/anchor/exchange-model.test.ts` explores all their interleavings:
 *
 * 1. make the guard, if this anchor has none yet (one rename of a whole folder, which fails if there is one)
 * 2. read, and compare with what the caller knows
 * 3. publish the change before this one, if its process stopped at step 6
 * 4. write the new bytes to `ANCHOR.guard/new-DIGEST`, durably
 * 5. rename `at-OLD` to `at-NEW`: this decides, and fails where another process was faster
 * 6. publish: rename `new-NEW` to `ANCHOR`
 * 7. remove what changes that failed left before step 5
 */
import { toHex, utf8 } from '../../formats/bytes.ts';
import { digestOf } from './anchor-record.ts';

/** The acts that the exchange is made of, each atomic and durable on return. */
export interface AnchorFiles {
  /** Content of `ANCHOR`; undefined if there is none. */
  anchor(): Promise<Uint8Array | undefined>;
  /** Content of `ANCHOR.new`, which version 0.1.0 leaves when it is interrupted. */
  leftNew(): Promise<Uint8Array | undefined>;
  /** Names in the guard; undefined if there is no guard. */
  names(): Promise<readonly string[] | undefined>;
  /** Content of a file of the guard; undefined if there is none. */
  content(name: string): Promise<Uint8Array | undefined>;
  /** Makes the guard with one empty file in it; does nothing if there is a guard. */
  makeGuard(name: string): Promise<void>;
  /** Makes a file in the guard under a name that was never used. */
  create(name: string, bytes: Uint8Array): Promise<void>;
  /** Within the guard. @returns false if there is no file `from` */
  rename(from: string, to: string): Promise<boolean>;
  /** Renames a file of the guard to `ANCHOR`; does nothing if the file no longer exists. */
  publish(name: string): Promise<void>;
  /** Removes a file of the guard, and does nothing if the file no longer exists. */
  remove(name: string): Promise<void>;
  /** Removes `ANCHOR.new`. */
  removeLeftNew(): Promise<void>;
}

export interface SeenFile {
  /** What the anchor is: none, one, or two that an interrupted change of version 0.1.0 left. */
  readonly contents: readonly Uint8Array[];
  /** The name that decides; undefined if there is no guard. */
  readonly turn: string | undefined;
  /** The file `ANCHOR` is not the one that the guard names. */
  readonly foreign?: true;
  /** Decided, and not yet published. */
  readonly unpublished?: string;
  /** What changes have left that were not decided, or not yet. */
  readonly undecided: readonly string[];
  /** `ANCHOR.new` is there and counts. */
  readonly leftNew?: true;
}

const TURN = /^(?:at|free)-[0-9a-f]{32}$/;
const NEW = /^new-[0-9a-f]{32}$/;
/** A reader that meets a change half-way looks again. */
const LOOKS = 8;

export async function seeFile(files: AnchorFiles): Promise<SeenFile> {
  let seen: SeenFile | undefined;
  for (let look = 0; look < LOOKS && (seen === undefined || seen.foreign === true); look++)
    seen = await lookOnce(files);
  return seen ?? { contents: [], turn: undefined, foreign: true, undecided: [] };
}

async function lookOnce(files: AnchorFiles): Promise<SeenFile | undefined> {
  const names = await files.names();
  if (names === undefined) {
    return { ...(await seeBoth(files)), turn: undefined, undecided: [] };
  }
  const [turn, other] = names.filter((name) => TURN.test(name));
  const news = names.filter((name) => NEW.test(name));
  if (turn === undefined || other !== undefined) return undefined;
  const undecided = news.filter((name) => name !== newName(turn));
  const current = await files.anchor();
  if (current !== undefined && nameOf('at', [current]) === turn) return { contents: [current], turn, undecided };
  const decided = await files.content(newName(turn));
  if (decided !== undefined && nameOf('at', [decided]) === turn)
    return { contents: [decided], turn, unpublished: newName(turn), undecided };
  const both = await seeBoth(files);
  if (turn === firstTurn(both)) return { ...both, turn, undecided };
  return { contents: [], turn, undecided, ...(current === undefined ? {} : { foreign: true }) };
}

/**
 * @param isKnown judges what the anchor is now
 * @param next bytes that no other change writes
 * @returns false, and nothing is changed, if the anchor is another than the caller knows
 */
export async function exchangeFile(
  files: AnchorFiles,
  isKnown: (seen: SeenFile) => boolean,
  next: Uint8Array,
): Promise<boolean> {
  let seen = await seeFile(files);
  if (!isKnown(seen)) return false;
  if (seen.turn === undefined) {
    await files.makeGuard(firstTurn(seen));
    seen = await seeFile(files);
  }
  if (!isKnown(seen) || seen.turn === undefined) return false;
  if (seen.unpublished !== undefined) await files.publish(seen.unpublished);
  const decided = nameOf('at', [next]);
  await files.create(newName(decided), next);
  if (!(await files.rename(seen.turn, decided))) {
    await files.remove(newName(decided));
    return false;
  }
  await files.publish(newName(decided));
  // Names seen before the change was decided: their own changes can no longer be decided.
  for (const name of seen.undecided) await files.remove(name);
  if (seen.leftNew === true) await files.removeLeftNew();
  return true;
}

/** The files as version 0.1.0 knows them. */
async function seeBoth(files: AnchorFiles): Promise<Pick<SeenFile, 'contents' | 'leftNew'>> {
  const current = await files.anchor();
  const left = await files.leftNew();
  const contents = [current, left].filter((content) => content !== undefined);
  return { contents, ...(left === undefined ? {} : { leftNew: true }) };
}

function firstTurn({ contents }: Pick<SeenFile, 'contents'>): string {
  return nameOf(contents.length === 0 ? 'free' : 'at', contents);
}

function newName(turn: string): string {
  return `new-${turn.slice(turn.indexOf('-') + 1)}`;
}

/** With the first 16 bytes of SHA-256, in hex. */
function nameOf(kind: 'at' | 'free', contents: readonly Uint8Array[]): string {
  const [only, second] = contents;
  const digest = digestOf(only !== undefined && second === undefined ? only : utf8(contents.map(toHex).join('\n')));
  return `${kind}-${toHex(digest.subarray(0, 16))}`;
}
