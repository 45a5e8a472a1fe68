/**
 * What the officer does next at a site: any of the commands that write, as the state of the site allows. What a kill
 * cut off is begun again as a person would, with the same command.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestDocument } from '../../support/site-fixture.ts';
import { csv, day, row } from '../../support/batch-file.ts';
import type { Step } from '../../../signer/runtime.ts';
import type { Found } from './look.ts';
import type { Place } from './place.ts';
import type { Random } from './random.ts';

export const COMMANDS = [
  'issue',
  'renew',
  'batch',
  'ledger backup',
  'ledger checkpoint',
  'ledger restore',
  'counters export',
  'counters import',
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
  'counters export': ['ledger-open', 'recovered', 'counters-signed', 'counters-recorded', 'counters-anchored'],
  'counters import': ['ledger-open', 'recovered', 'counters-recorded', 'counters-anchored'],
};

export interface Act {
  readonly command: CommandName;
  readonly args: readonly string[];
  /** Exit codes of a run that comes to its end. */
  readonly good: readonly number[];
  /** To be called when it came to its end. */
  readonly done: () => void;
}

const CUSTOMERS: readonly string[] = ['acme-gmbh', 'beta-inc', 'gamma-ltd'];
const HANDED = 'delta-bv';

/** The id of a ledger that never takes anything over. */
const ELSEWHERE = 'ab'.repeat(16);

export class Officer {
  readonly #place: Place;
  readonly #random: Random;
  #number = 0;
  /** Customers with a license. */
  readonly #known = new Set<string>();
  #batch: { readonly name: string; readonly file: string } | undefined;
  #backups: string[] = [];
  #restore: string | undefined;
  #document: string | undefined;
  /**
   * Whether a copy was restored: the temporary file of a license that the copy does not know is then nobody's to
   * finish.
   */
  restored = false;

  constructor(place: Place, random: Random) {
    this.#place = place;
    this.#random = random;
  }

  /** What the officer means to do, or what must come first. */
  next(wanted: CommandName, found: Found | undefined): Act {
    if (found?.restoring === true || this.#restore !== undefined) return this.#restoring();
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
      default:
        return found?.closed.includes(HANDED) === true && this.#document !== undefined && existsSync(this.#document)
          ? this.#import(this.#document)
          : this.#export();
    }
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
    if (last === undefined || existsSync(last)) {
      last = join(this.#place.given, `copy-${++this.#number}.sqlite`);
      this.#backups.push(last);
    }
    return {
      command: 'ledger backup',
      args: ['ledger', 'backup', last, '--site', this.#place.site],
      good: [0],
      done: () => undefined,
    };
  }

  #checkpoint(): Act {
    return this.#act('ledger checkpoint', [
      'ledger',
      'checkpoint',
      '--out',
      join(this.#place.given, `head-${++this.#number}.checkpoint`),
    ]);
  }

  #restoring(): Act {
    const copy = this.#restore ?? this.#backups.find((file) => existsSync(file));
    if (copy === undefined) return this.#backup();
    this.#restore = copy;
    const done = (): void => {
      this.#restore = undefined;
      this.restored = true;
      // What was copied before is of the history before; and what a batch had signed is no row's any more.
      this.#backups = [];
      this.#batch = undefined;
      for (const name of readdirSync(this.#place.site))
        if (name.includes('.replaced-')) rmSync(join(this.#place.site, name));
    };
    return {
      command: 'ledger restore',
      args: [
        'ledger',
        'restore',
        copy,
        '--license',
        join(this.#place.site, 'out'),
        '--site',
        this.#place.site,
        ...this.#anchorSecret(),
      ],
      good: [0],
      done,
    };
  }

  #export(): Act {
    if (this.#document === undefined || existsSync(this.#document))
      this.#document = join(this.#place.given, `handed-${++this.#number}.counters`);
    // A copy from before would close everybody.
    this.#backups = [];
    return this.#act('counters export', [
      'counters',
      'export',
      this.#document,
      '--to',
      ELSEWHERE,
      '--customer',
      HANDED,
    ]);
  }

  #import(document: string): Act {
    this.#backups = [];
    return {
      command: 'counters import',
      args: ['counters', 'import', document, '--site', this.#place.site, ...this.#anchorSecret()],
      good: [0],
      done: () => undefined,
    };
  }

  /** What needs no key needs the token all the same where the anchor lies in it. */
  #anchorSecret(): readonly string[] {
    return this.#place.anchor === undefined ? this.#place.secret : [];
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
