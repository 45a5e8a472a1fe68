/** Every read of daily work, over all that a ledger contains, as texts that can be compared. */
import { toHex } from '../../../formats/bytes.ts';
import { newestOfCustomer, newestOfLineage } from '../../../signer/ledger/find-license.ts';
import { customerHistory } from '../../../signer/ledger/history.ts';
import type { LedgerView } from '../../../signer/ledger/ledger.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { CUSTOMERS, LINEAGES } from './example-ledger.ts';

const PAGE = 1000;

export class DailyReads {
  readonly #answers: ReadonlyMap<string, string>;

  constructor(answers: ReadonlyMap<string, string>) {
    this.#answers = answers;
  }

  /** The first read that gives another answer; undefined where there is none. */
  difference(other: DailyReads): string | undefined {
    for (const [name, answer] of this.#answers) if (other.#answers.get(name) !== answer) return name;
    return undefined;
  }
}

export function readDaily(file: string): DailyReads {
  const answers = new Map<string, string>();
  const view = openLedgerForReading(file);
  const ask = (name: string, read: () => unknown): void => {
    let answer: unknown;
    try {
      answer = read();
    } catch (error) {
      answer = String(error).replaceAll(file, 'LEDGER');
    }
    answers.set(name, asText(answer));
  };
  try {
    askAll(view, ask);
  } finally {
    view.close();
  }
  return new DailyReads(answers);
}

function askAll(view: LedgerView, ask: (name: string, read: () => unknown) => void): void {
  ask('head', () => view.head());
  ask('logs', () => view.logs());
  ask('genesis', () => view.genesis);
  ask('lastAt', () => view.lastAt());
  ask('lastClock', () => view.lastClock());
  ask('anchorPlace', () => view.anchorPlace());
  ask('lastAnchorMove', () => view.lastAnchorMove());
  ask('adminEntries', () => view.adminEntries());
  ask('openIntents', () => view.openIntents());
  ask('unreleased', () => view.unreleased());
  ask('lastReleasedIssue', () => view.lastReleasedIssue());
  ask('customers', () => view.customers({ limit: PAGE }));
  ask('lineages', () => view.lineages({ limit: PAGE }));
  ask('knownLineages', () => view.knownLineages({ limit: PAGE }));
  for (const sub of [...CUSTOMERS, 'never-seen']) {
    ask(`history of ${sub}`, () => customerHistory(view, sub));
    ask(`closedBy ${sub}`, () => view.closedBy(sub));
    ask(`floorOf ${sub}`, () => view.floorOf(sub));
    ask(`newest of customer ${sub}`, () => newestOfCustomer(view, sub));
    ask(`reentered of customer ${sub}`, () => view.reenteredOfCustomer(sub));
  }
  for (const lineage of [...LINEAGES, { sub: 'never-seen', aud: 'vaultdesk' }]) {
    const name = `${lineage.sub} / ${lineage.aud} / ${lineage.dep ?? ''}`;
    ask(`last counter of ${name}`, () => view.lastCounter(lineage));
    ask(`last of ${name}`, () => view.lastOfLineage(lineage));
    ask(`newest of ${name}`, () => newestOfLineage(view, lineage));
    ask(`reentered of ${name}`, () => view.reenteredOf(lineage));
    ask(`history of ${name}`, () => view.historyOf(lineage, { limit: PAGE }));
  }
  let entries = 0;
  ask('all entries', () => {
    const all = [...view.entriesFrom(1)];
    entries = all.length;
    return all;
  });
  const { size } = view.head();
  for (let seq = 0; seq <= entries + 1; seq++) {
    ask(`entry ${seq}`, () => view.entry(seq));
    ask(`intent ${seq}`, () => view.findByIntent(seq));
    const entry = view.entry(seq);
    if (entry?.kind === 'intent') {
      ask(`license of entry ${seq}`, () => view.findByLicenseId(entry.body.licenseId));
      ask(`reentered license of entry ${seq}`, () => view.findReentered(entry.body.licenseId));
    }
    if (entry?.kind === 'adopt' && entry.body.act === 'license') {
      const { licenseId } = entry.body.license;
      ask(`reentered license of entry ${seq}`, () => view.findReentered(licenseId));
    }
  }
  for (const log of view.logs()) {
    for (let leaf = 0; leaf < log.size; leaf += 3)
      ask(`proof of leaf ${leaf} of log ${log.number}`, () => view.inclusionProof(leaf, log.size, log.logId));
    ask(`root of log ${log.number}`, () => view.rootAt(log.size, log.logId));
  }
  ask('consistency', () => view.consistencyProof(1, size));
}

function asText(answer: unknown): string {
  return (
    JSON.stringify(answer, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value)) ?? 'undefined'
  );
}
