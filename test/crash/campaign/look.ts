/**
 * What must be true of a site whatever happened to the process that wrote it.
 *
 * The files of the ledger are copied, and the copy is opened: looking at the site itself would tidy up after the crash
 * before the next start can.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dearmor } from '../../../formats/armor.ts';
import { toHex } from '../../../formats/bytes.ts';
import { decodeCheckpoint } from '../../../formats/checkpoint.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { decodeAnchorRecord } from '../../../signer/anchor/anchor-record.ts';
import { anchorPlaceText, type AnchorRecord } from '../../../signer/anchor/anchor.ts';
import type { LedgerView } from '../../../signer/ledger/ledger.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { sha256 } from '../../../signer/ledger/entries/chain.ts';
import { CUSTOMERS, type Place } from './place.ts';
import type { Problem, ProblemKind } from './totals.ts';

/** A license, by the digest of its COSE bytes, in the record. */
export interface Recorded {
  readonly seq: number;
  readonly counter: string;
}

export class Problems {
  readonly all: Problem[] = [];

  add(kind: ProblemKind, words: string): void {
    this.all.push({ kind, words });
  }
}

/** What a look at a site remembers for the next one: what has left is never forgotten. */
export class Memory {
  /** Name of a released file → digest of its COSE bytes. */
  readonly files: Map<string, string> = new Map();
  /** Lineage and counter → digest of the license that left with it. */
  readonly counters: Map<string, string> = new Map();
  readonly judged: Set<string> = new Set();
}

export interface Found {
  /** None when everything holds. */
  readonly problems: readonly Problem[];
  readonly entries: number;
  readonly open: number;
  readonly unreleased: number;
  /** Customers whose counters were handed over, and who are closed here; '*' for all. */
  readonly closed: readonly string[];
  /** Customers whom a restore closed, until an act opens them; '*' for those never seen. */
  readonly closedByRestore: readonly string[];
  /** SHA-256 of each document that the record knows, hex. */
  readonly documents: ReadonlySet<string>;
  /** A restore has begun and must be finished. */
  readonly restoring: boolean;
}

export const NOTHING_FOUND: Found = {
  problems: [],
  entries: 0,
  open: 0,
  unreleased: 0,
  closed: [],
  closedByRestore: [],
  documents: new Set(),
  restoring: false,
};

export async function look(place: Place, memory: Memory): Promise<Found> {
  const standing = join(place.site, 'ledger.sqlite');
  const draft = `${standing}.restored`;
  const restoring = existsSync(draft);
  if (!restoring) return lookAt(standing, place, memory, false);
  if (!existsSync(standing) || isAnchored(draft, place)) return lookAt(draft, place, memory, true);
  const found = await lookAt(standing, place, memory, true);
  // What a token's anchor says is not asked here: one of the two must hold.
  return found.problems.length > 0 && place.anchor === undefined ? lookAt(draft, place, memory, true) : found;
}

async function lookAt(file: string, place: Place, memory: Memory, restoring: boolean): Promise<Found> {
  const problems = new Problems();
  const nothing = { ...NOTHING_FOUND, restoring };
  let ledger: LedgerView;
  try {
    ledger = openLedgerForReading(copyOf(file, place.folder));
  } catch (error) {
    problems.add('refused', `the ledger cannot be opened: ${wordsOf(error)}`);
    return { ...nothing, problems: problems.all };
  }
  try {
    await ledger.verify();
    const recorded = recordedLicenses(ledger, problems);
    const covered = restoring || place.anchor === undefined ? Infinity : coveredEntries(place, problems);
    checkFiles(place, memory, recorded, covered, problems);
    await checkOutputs(place, memory, ledger, problems);
    return {
      problems: problems.all,
      entries: ledger.head().entries,
      open: ledger.openIntents().length,
      unreleased: ledger.unreleased().length,
      closed: ledger
        .adminEntries()
        .flatMap((act) =>
          act.kind === 'close' && ledger.closedBy(act.body.sub ?? '') === act.seq ? [act.body.sub ?? '*'] : [],
        ),
      closedByRestore: ['', ...CUSTOMERS].flatMap((sub) =>
        ledger.entry(ledger.closedBy(sub) ?? 0)?.kind === 'adopt' ? [sub === '' ? '*' : sub] : [],
      ),
      documents: documentsIn(ledger),
      restoring,
    };
  } catch (error) {
    problems.add('refused', `the ledger is refused: ${wordsOf(error)}`);
    return { ...nothing, problems: problems.all };
  } finally {
    ledger.close();
  }
}

function documentsIn(ledger: LedgerView): ReadonlySet<string> {
  return new Set(
    ledger.adminEntries().flatMap((act) => {
      if (act.kind === 'close') return [toHex(sha256(act.body.document))];
      return act.body.act === 'import' ? [toHex(act.body.document)] : [];
    }),
  );
}

/** From then on the draft is the ledger, and only wants its name. */
function isAnchored(draft: string, place: Place): boolean {
  if (place.anchor === undefined) return false;
  try {
    const view = openLedgerForReading(copyOf(draft, place.folder));
    try {
      const chain = toHex(view.head().chain);
      return anchorRecords(place).some((record) => toHex(record.chain) === chain);
    } finally {
      view.close();
    }
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof VtlicError ? `${error.code}: ${error.message}` : String(error);
}

export function copyOf(file: string, folder: string): string {
  const looked = join(folder, 'looked-at');
  rmSync(looked, { recursive: true, force: true });
  mkdirSync(looked);
  const copy = join(looked, 'ledger.sqlite');
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
  return copy;
}

/** No counter is on two licenses, no license id and no place is used twice. */
export function recordedLicenses(ledger: LedgerView, problems: Problems): ReadonlyMap<string, Recorded> {
  const licenses = new Map<string, Recorded>();
  const counters = new Map<string, string>();
  const intended = new Set<string>();
  const intents = new Map<number, string>();
  const ids = new Set<string>();
  const add = (counter: string, digest: string, seq: number): void => {
    if (counters.has(counter)) problems.add('counter', `the counter ${counter} is on two licenses`);
    counters.set(counter, digest);
    licenses.set(digest, { seq, counter });
  };
  for (const entry of ledger.entriesFrom(1)) {
    if (entry.kind === 'intent') {
      const counter = counterText(entry.body);
      if (intended.has(counter)) problems.add('counter', `the counter ${counter} was reserved twice`);
      intended.add(counter);
      intents.set(entry.seq, counter);
      const id = toHex(entry.body.licenseId);
      if (ids.has(id)) problems.add('counter', `the license id ${id} was used twice`);
      ids.add(id);
    } else if (entry.kind === 'issue')
      add(intents.get(entry.body.intent) ?? 'unknown', toHex(sha256(entry.body.cose)), entry.seq);
    else if (entry.kind === 'adopt' && entry.body.act === 'license')
      add(counterText(entry.body.license), toHex(sha256(entry.body.cose)), entry.seq);
  }
  return licenses;
}

export function counterText(of: {
  readonly aud: string;
  readonly sub: string;
  readonly dep?: string;
  readonly ctr: number;
}): string {
  return `${of.sub}/${of.aud}/${of.dep ?? ''}/${of.ctr}`;
}

/** What the anchor's files say, and what their guards have decided and not published. */
function anchorRecords({ anchor, movingTo }: Place): readonly AnchorRecord[] {
  return [anchor, movingTo].flatMap((file) => (file === undefined ? [] : recordsIn(file)));
}

function recordsIn(anchor: string): readonly AnchorRecord[] {
  const guard = `${anchor}.guard`;
  const names = existsSync(guard) ? readdirSync(guard) : [];
  const turn = names.find((name) => name.startsWith('at-'))?.slice(3);
  const files = [anchor, ...names.filter((name) => name === `new-${turn ?? ''}`).map((name) => join(guard, name))];
  return files.flatMap((file) => {
    const content = existsSync(file) ? decodeAnchorRecord(readFileSync(file)) : undefined;
    return content === undefined || content.moved ? [] : [content.record];
  });
}

/** How many entries the anchor covers: the larger of the whole records that are there. */
function coveredEntries(place: Place, problems: Problems): number {
  const whole = anchorRecords(place).map((record) => record.entries);
  if (whole.length === 0) problems.add('other', 'no whole anchor is left');
  return Math.max(0, ...whole);
}

/**
 * Each file that stands under a license's name is whole, in the record, covered by the anchor, and the same as it ever
 * was.
 */
function checkFiles(
  place: Place,
  memory: Memory,
  recorded: ReadonlyMap<string, Recorded>,
  covered: number,
  problems: Problems,
): void {
  const out = join(place.site, 'out');
  const names = existsSync(out)
    ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'))
    : [];
  for (const name of memory.files.keys())
    if (!names.includes(name)) problems.add('missing', `${name} was released, and is gone`);
  for (const name of names) {
    let cose: Uint8Array;
    try {
      cose = dearmor('VTLIC', readFileSync(join(out, name)));
    } catch (error) {
      problems.add('other', `${name} is half a file: ${wordsOf(error)}`);
      continue;
    }
    const digest = toHex(sha256(cose));
    const before = memory.files.get(name);
    if (before === undefined) {
      memory.files.set(name, digest);
      const counter = counterText(decodeLicense(decodeCoseSign1(cose, TYP.license).payload));
      const other = memory.counters.get(counter);
      if (other !== undefined && other !== digest)
        problems.add('counter', `two licenses left with the counter ${counter}`);
      memory.counters.set(counter, digest);
    } else if (before !== digest) problems.add('other', `${name} was changed after it was released`);
    const entry = recorded.get(digest);
    if (entry === undefined) problems.add('missing', `${name} was released, and the ledger does not have it`);
    else if (entry.seq > covered)
      problems.add('missing', `${name} was released by entry ${entry.seq}, and the anchor covers only ${covered}`);
  }
}

/**
 * Copies are whole ledgers; a checkpoint is a head of this record; a document of counters has closed what it speaks
 * of, also after a restore.
 */
async function checkOutputs(place: Place, memory: Memory, ledger: LedgerView, problems: Problems): Promise<void> {
  for (const name of readdirSync(place.given)) {
    const file = join(place.given, name);
    const isDocument = name.endsWith('.counters');
    if (name.startsWith('.') || (memory.judged.has(name) && !isDocument) || !statSync(file).isFile()) continue;
    memory.judged.add(name);
    try {
      if (name.endsWith('.sqlite')) {
        const backup = openLedgerForReading(file);
        const summary = await backup.verify().finally(() => {
          backup.close();
        });
        if (toHex(ledger.entry(summary.head.entries)?.chain ?? new Uint8Array(0)) !== toHex(summary.head.chain))
          problems.add('refused', `${name} is not a copy of this ledger`);
      } else if (name.endsWith('.checkpoint')) {
        const { origin, size, root } = decodeCheckpoint(`${readFileSync(file, 'utf8').split('\n\n')[0] ?? ''}\n`);
        const log = ledger.logs().find((each) => each.origin === origin);
        if (log === undefined || toHex(ledger.rootAt(size, log.logId) ?? new Uint8Array(0)) !== toHex(root))
          problems.add('refused', `${name} signs a head that this ledger does not have`);
      } else if (isDocument) {
        const isClosedByRestore = ledger.entry(ledger.closedBy('') ?? 0)?.kind === 'adopt';
        if (!isClosedByRestore && !documentsIn(ledger).has(toHex(sha256(readFileSync(file)))))
          problems.add('refused', `${name} left, and the ledger has closed nothing`);
      }
    } catch (error) {
      problems.add('other', `${name} is not valid: ${wordsOf(error)}`);
    }
  }
}

/** Where the ledger of a site says that its anchor is. */
export function anchorOf(place: Pick<Place, 'site' | 'folder'>): string {
  const ledger = openLedgerForReading(copyOf(join(place.site, 'ledger.sqlite'), place.folder));
  try {
    return anchorPlaceText(ledger.anchorPlace());
  } finally {
    ledger.close();
  }
}
