/**
 * What the officer does next at a site: any of the commands that write, as the state of the site allows. What a kill
 * cut off is begun again as a person would, with the same command.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../../formats/bytes.ts';
import { sha256 } from '../../../signer/ledger/entries/chain.ts';
import { requestDocument } from '../../support/site-fixture.ts';
import { csv, day, row } from '../../support/batch-file.ts';
import type { Step } from '../../../signer/runtime.ts';
import { anchorOf, type Found } from './look.ts';
import { CUSTOMERS, type Place } from './place.ts';
import type { Random } from './random.ts';

export const COMMANDS = [
  'issue',
  'renew',
  'batch',
  'ledger backup',
  'ledger checkpoint',
  'ledger restore',
  'ledger anchor',
  'counters export',
  'counters import',
  'counters reopen',
] as const;
export type CommandName = (typeof COMMANDS)[number];

const SIGNING: readonly Step[] = [
  'ledger-open',
  'recovered',
  'key-open',
  'intent-durable',
  'signed',
  'self-checked',
  'issue-durable',
  'anchor-durable',
  'file-written',
  'file-linked',
  'release-durable',
];

/** The numbered steps that a command goes through. */
export const STEPS: Readonly<Record<CommandName, readonly Step[]>> = {
  issue: SIGNING,
  renew: SIGNING,
  batch: [...SIGNING, 'batch-begun', 'results-written'],
  'ledger backup': ['backup-copied', 'backup-linked'],
  'ledger checkpoint': [],
  'ledger restore': ['restore-drafted', 'restore-anchored', 'restore-cleared', 'restore-placed'],
  'ledger anchor': ['ledger-open', 'recovered', 'anchor-copied', 'anchor-adopted', 'anchor-removed', 'anchor-moved'],
  'counters export': ['ledger-open', 'recovered', 'counters-signed', 'counters-recorded', 'counters-anchored'],
  'counters import': ['ledger-open', 'recovered', 'counters-recorded', 'counters-anchored'],
  'counters reopen': ['ledger-open', 'recovered', 'counters-recorded', 'counters-anchored'],
};

export interface Act {
  readonly command: CommandName;
  readonly args: readonly string[];
  /** Exit codes of a run that comes to its end. */
  readonly good: readonly number[];
  /** To be called when it came to its end. */
  readonly done: () => void;
}

const HANDED = 'delta-bv';

/** The id of a ledger that never takes anything over. */
const ELSEWHERE = 'ab'.repeat(16);

/** A copy of the ledger. */
interface Backup {
  readonly file: string;
  /** Where the anchor was when it was made. */
  anchor: string;
  /** A handover is not in it: restoring it closes everybody. */
  closes: boolean;
}

export class Officer {
  readonly #place: Place;
  readonly #random: Random;
  #number = 0;
  /** Customers with a license. */
  readonly #known = new Set<string>();
  #batch: { readonly name: string; readonly file: string } | undefined;
  #backups: Backup[] = [];
  #restore: Backup | undefined;
  #documents: string[] = [];
  /** Where the anchor is, and where it is on its way to. */
  #anchor: string;
  #move: string | undefined;
  /**
   * Whether a copy was restored: the temporary file of a license that the copy does not know is then nobody's to
   * finish.
   */
  restored = false;

  constructor(place: Place, random: Random) {
    this.#place = place;
    this.#random = random;
    this.#anchor = anchorOf(place);
  }

  /** What the officer means to do, or what must come first. */
  next(wanted: CommandName, found: Found | undefined): Act {
    if (found?.restoring === true || this.#restore !== undefined) return this.#restoring();
    if (this.#move !== undefined) return this.#moveAnchor();
    if (found !== undefined && found.closedByRestore.includes('*')) return this.#reopen(found);
    const document = this.#documents.at(-1);
    const handed = found?.closed.includes(HANDED) === true && document !== undefined && existsSync(document);
    switch (wanted) {
      case 'issue':
        return this.#issue();
      case 'renew':
        return this.#renew();
      case 'batch':
        // Seldom so many that workers are started.
        return this.batch(this.#random.below(8) === 0 ? 30 : 2 + this.#random.below(11));
      case 'ledger backup':
        return this.#backup();
      case 'ledger checkpoint':
        return this.#checkpoint();
      case 'ledger restore':
        return this.#restoring();
      case 'ledger anchor':
        return this.#moveAnchor();
      case 'counters reopen':
        // Is possible after a restore of a copy from before a handover.
        if (!handed) return this.#hasBackup() ? this.#export() : this.#backup();
        return this.#backups.some(({ closes }) => closes) ? this.#restoring(true) : this.#import(document);
      default:
        return handed ? this.#import(document) : this.#export();
    }
  }

  /** What must come before anything else; undefined if nothing was cut off. */
  pending(found: Found | undefined): Act | undefined {
    const act = this.next('ledger checkpoint', found);
    return act.command === 'ledger checkpoint' ? undefined : act;
  }

  /** What is done before the first kill. */
  *first(): Generator<Act, void> {
    for (const customer of CUSTOMERS) yield this.#issue(customer);
    yield this.#backup();
  }

  #issue(customer = this.#random.pick(CUSTOMERS)): Act {
    const request = join(this.#place.folder, `request-${customer}.json`);
    writeFileSync(request, JSON.stringify(requestDocument({ customer })));
    return this.#act('issue', ['issue', request], () => this.#known.add(customer));
  }

  #renew(): Act {
    if (this.#known.size === 0) return this.#issue();
    const customer = this.#random.pick([...this.#known]);
    return this.#act('renew', [
      'renew',
      customer,
      '--product',
      'vaultdesk',
      '--deployment',
      'prod-eu',
      '--from',
      day(0),
      '--until',
      day(300),
      '--seats',
      String(1 + this.#random.below(500)),
    ]);
  }

  /** A new batch of so many rows, or the rest of the one that was begun. */
  batch(rows: number): Act {
    const resumed = this.#batch !== undefined;
    if (this.#batch === undefined) {
      const name = `season-${++this.#number}`;
      const file = join(this.#place.folder, `${name}.csv`);
      writeFileSync(file, csv(Array.from({ length: rows }, (_, i) => row(`customer-${i}`))));
      this.#batch = { name, file };
    }
    const { name, file } = this.#batch;
    return this.#act(
      'batch',
      ['batch', file, '--name', name, '--new-customers', ...(resumed ? ['--resume'] : [])],
      () => (this.#batch = undefined),
      [0, 3],
    );
  }

  #backup(): Act {
    let last = this.#backups.at(-1);
    // A copy that was cut off before it had its name is made under the same name.
    if (last === undefined || existsSync(last.file)) {
      last = { file: join(this.#place.given, `copy-${++this.#number}.sqlite`), anchor: '', closes: false };
      this.#backups.push(last);
    }
    last.anchor = this.#anchor;
    last.closes = false;
    return {
      command: 'ledger backup',
      args: ['ledger', 'backup', last.file, '--site', this.#place.site],
      good: [0],
      done: () => undefined,
    };
  }

  #hasBackup(): boolean {
    return this.#backups.some(({ file, closes }) => !closes && existsSync(file));
  }

  #checkpoint(): Act {
    return this.#act('ledger checkpoint', [
      'ledger',
      'checkpoint',
      '--out',
      join(this.#place.given, `head-${++this.#number}.checkpoint`),
    ]);
  }

  /** @param closing a copy from before a handover */
  #restoring(closing = false): Act {
    const copy = this.#restore ?? this.#backups.find(({ file, closes }) => (closing || !closes) && existsSync(file));
    if (copy === undefined) return this.#backup();
    this.#restore = copy;
    return {
      command: 'ledger restore',
      args: [
        'ledger',
        'restore',
        copy.file,
        '--license',
        join(this.#place.site, 'out'),
        ...(copy.anchor === this.#anchor ? [] : ['--anchor', this.#anchor]),
        '--site',
        this.#place.site,
        // The anchor that the copy names is read and marked too.
        ...this.#anchorSecret(copy.anchor),
      ],
      good: [0],
      done: () => {
        this.hasRestored();
      },
    };
  }

  /** The restore or the move that was begun in a copy came to nothing. */
  forgetAct(): void {
    this.#restore = undefined;
    this.#move = undefined;
  }

  hasRestored(): void {
    this.#restore = undefined;
    this.restored = true;
    // What was copied before is of the history before; and what a batch had signed is not a row's any more.
    this.#backups = [];
    this.#batch = undefined;
    for (const name of readdirSync(this.#place.site))
      if (name.includes('.replaced-')) rmSync(join(this.#place.site, name));
  }

  /** To a new file or, where there is a token, to a new object of the token. */
  #moveAnchor(): Act {
    const { folder, env } = this.#place;
    const hasToken = Object.keys(env).length > 0;
    this.#move ??=
      hasToken && this.#random.below(2) === 0
        ? `token:hsm/anchor-${++this.#number}`
        : join(folder, `anchor-${++this.#number}`);
    const to = this.#move;
    const from = this.#anchor;
    const withToken = to.startsWith('token:') || from.startsWith('token:');
    if (withToken) this.#place.anchor = undefined;
    else this.#place.movingTo = to;
    return {
      command: 'ledger anchor',
      args: ['ledger', 'anchor', '--to', to, '--site', this.#place.site, ...(withToken ? this.#place.secret : [])],
      good: [0],
      done: () => {
        this.anchorIsIn(to);
      },
    };
  }

  anchorIsIn(place: string): void {
    this.#anchor = place;
    this.#move = undefined;
    this.#place.anchor = place.startsWith('token:') ? undefined : place;
    this.#place.movingTo = undefined;
  }

  #export(): Act {
    let last = this.#documents.at(-1);
    if (last === undefined || existsSync(last)) {
      last = join(this.#place.given, `handed-${++this.#number}.counters`);
      this.#documents.push(last);
    }
    for (const backup of this.#backups) backup.closes = true;
    return this.#act('counters export', ['counters', 'export', last, '--to', ELSEWHERE, '--customer', HANDED]);
  }

  #import(document: string): Act {
    this.#backups = [];
    return this.#withoutKey('counters import', ['counters', 'import', document]);
  }

  /** One customer after the officer confirms it, or everybody by the documents of what was lost. */
  #reopen({ closedByRestore, documents }: Found): Act {
    const one = closedByRestore.find((customer) => customer !== '*');
    if (one !== undefined && this.#random.below(3) === 0)
      return this.#withoutKey('counters reopen', ['counters', 'reopen', '--customer', one]);
    const lost = this.#documents.filter(
      (file) => existsSync(file) && !documents.has(toHex(sha256(readFileSync(file)))),
    );
    return this.#withoutKey('counters reopen', ['counters', 'reopen', ...lost.flatMap((file) => ['--handed', file])]);
  }

  #withoutKey(command: CommandName, args: readonly string[]): Act {
    return {
      command,
      args: [...args, '--site', this.#place.site, ...this.#anchorSecret()],
      good: [0],
      done: () => undefined,
    };
  }

  /** What needs no key needs the token all the same if an anchor is in it. */
  #anchorSecret(other = this.#anchor): readonly string[] {
    return [this.#anchor, other].some((place) => place.startsWith('token:')) ? this.#place.secret : [];
  }

  #act(
    command: CommandName,
    args: readonly string[],
    done: () => unknown = () => undefined,
    good: readonly number[] = [0],
  ): Act {
    return { command, args: [...args, '--site', this.#place.site, ...this.#place.secret], good, done };
  }
}
