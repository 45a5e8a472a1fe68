/**
 * Kills the real command again and again at the same sites, and looks after each kill: a start after a kill is mostly
 * killed too, so that what is recovered is often the state of a recovery that was cut off itself.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../support/run-cli.ts';
import { NO_KILL, type KillPoint } from './kill-point.ts';
import { look, Memory, NOTHING_FOUND, type Found } from './look.ts';
import { COMMANDS, Officer, STEPS, type Act, type CommandName } from './officer.ts';
import { makePlace, type KeystoreName, type Place } from './place.ts';
import { runToDeath, type Ended } from './process-that-dies.ts';
import { Deck, Random } from './random.ts';
import { Totals, type Problem } from './totals.ts';
import { runTwoCopies } from './two-copies.ts';

export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  readonly keystores: readonly KeystoreName[];
  /** Sites at a time. */
  readonly lanes: number;
  readonly killsPerSite: number;
  /** With kills between the calls of libc, for which a C compiler must be here. */
  readonly syscalls: boolean;
  readonly commands?: readonly CommandName[];
  readonly tell: (line: string) => void;
  /** Called after each kill. */
  readonly progress?: (totals: Totals) => void;
}

/** How often each command is killed, of 100. */
const SHARES: Readonly<Record<CommandName, number>> = {
  issue: 18,
  renew: 10,
  batch: 22,
  'ledger backup': 7,
  'ledger checkpoint': 5,
  'ledger restore': 10,
  'ledger anchor': 8,
  'counters export': 8,
  'counters import': 6,
  'counters reopen': 6,
};
/** After about so many commands, two copies of the site run at once. */
const COMMANDS_PER_PAIR = 12;

/** A restore, a move of the anchor, and reopening each customer. */
const MOST_PENDING = 8;

type Cut = 'step' | 'call' | 'anchor' | 'syscall' | 'time';
const CUTS: readonly Cut[] = ['step', 'step', 'step', 'call', 'call', 'anchor', 'time', 'time', 'time'];
/** About how many calls of libc a command makes. */
const SYSCALLS: Readonly<Record<CommandName, number>> = {
  issue: 100,
  renew: 100,
  batch: 260,
  'ledger backup': 90,
  'ledger checkpoint': 8,
  'ledger restore': 140,
  'ledger anchor': 90,
  'counters export': 70,
  'counters import': 60,
  'counters reopen': 60,
};

/** What is learnt of a command by the runs that came to their end. */
interface Known {
  milliseconds: number;
}

export class Campaign {
  readonly totals: Totals = new Totals();
  readonly #options: CampaignOptions;
  readonly #random: Random;
  readonly #commands: Deck<CommandName>;
  readonly #cuts = new Map<CommandName, Deck<Cut>>();
  readonly #steps = new Map<CommandName, Deck<number>>();
  readonly #known = new Map<string, Known>();
  #sites = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    const cards = (options.commands ?? COMMANDS).flatMap((command) =>
      Array.from({ length: SHARES[command] }, () => command),
    );
    this.#commands = new Deck(cards, this.#random);
    const cuts: readonly Cut[] = options.syscalls ? [...CUTS, 'syscall', 'syscall', 'syscall'] : CUTS;
    for (const command of COMMANDS) {
      this.#cuts.set(
        command,
        new Deck(
          STEPS[command].length === 0 ? cuts.filter((cut) => cut !== 'step' && cut !== 'anchor') : cuts,
          this.#random,
        ),
      );
      this.#steps.set(command, new Deck([...STEPS[command].keys()], this.#random));
    }
  }

  async run(): Promise<Totals> {
    await Promise.all(Array.from({ length: this.#options.lanes }, () => this.#lane()));
    return this.totals;
  }

  async #lane(): Promise<void> {
    while (this.totals.kills < this.#options.kills) {
      const number = this.#sites++;
      const keystore = this.#options.keystores[number % this.#options.keystores.length] ?? 'software';
      const turn = Math.floor(number / this.#options.keystores.length);
      const place = await makePlace(keystore, { composite: turn % 4 === 3, anchorInToken: turn % 3 !== 2 });
      this.totals.sites++;
      const before = this.totals.problems.length;
      try {
        await this.#site(place, new Random(this.#options.seed + 7919 * (number + 1)));
      } catch (error) {
        this.#problem(place, {
          kind: 'other',
          words: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
      // What is wrong is kept, to be looked at.
      if (this.totals.problems.length === before) place.remove();
    }
  }

  async #site(place: Place, random: Random): Promise<void> {
    const officer = new Officer(place, random);
    const memory = new Memory();
    let found = await this.#begin(place, officer, memory);
    let afterKill = false;
    let kills = 0;
    while (kills < this.#options.killsPerSite && this.totals.kills < this.#options.kills) {
      if (random.below(COMMANDS_PER_PAIR) === 0 && officer.pending(found) === undefined) {
        const pair = await this.#pair(place, officer, memory, random, found);
        kills += pair.kills;
        found = pair.found;
        if (found.problems.length > 0) return;
        afterKill = false;
      }
      const act = officer.next(this.#commands.deal(), found);
      const { point, kind } = this.#pointFor(act.command, place);
      const ended = await runToDeath(act.args, point, place);
      if (afterKill) this.totals.starts++;
      if (ended.killed) {
        kills++;
        this.totals.countKill(
          act.command,
          kind,
          `${place.keystore}${place.anchor === undefined ? ' with the anchor' : ''}`,
          ended.at,
        );
        // A start that was killed on its way had gone on until then.
        if (afterKill) this.totals.wentOn++;
      } else {
        this.totals.ended++;
        this.#learn(act.command, place, ended);
        if (act.good.includes(ended.code ?? -1)) {
          act.done();
          if (afterKill) this.totals.wentOn++;
        } else {
          this.#problem(
            place,
            {
              kind: 'hand',
              words: `${afterKill ? 'after a kill, ' : ''}${act.command} ended with exit code ${ended.code}: ${ended.stderr}`,
            },
            act,
          );
          return;
        }
      }
      afterKill = ended.killed;
      found = await look(place, memory);
      for (const { kind, words } of found.problems)
        this.#problem(
          place,
          { kind, words: `${words} (${ended.killed ? `killed ${ended.at}` : `ended with ${ended.code}`})` },
          act,
        );
      this.#options.progress?.(this.totals);
      if (found.problems.length > 0) return;
    }
    await this.#finish(place, officer, memory, found);
  }

  /** One license for each customer, and a copy of the ledger. */
  async #begin(place: Place, officer: Officer, memory: Memory): Promise<Found | undefined> {
    let found: Found | undefined;
    for (const act of officer.first()) {
      const ended = await runToDeath(act.args, NO_KILL, place);
      this.#learn(act.command, place, ended);
      if (ended.code === 0) act.done();
      else
        this.#problem(
          place,
          {
            kind: 'other',
            words: `before any kill, ${act.command} ended with exit code ${ended.code}: ${ended.stderr}`,
          },
          act,
        );
      found = await look(place, memory);
    }
    return found;
  }

  /** Two copies of the site, which share the anchor, run at once; the one that the anchor agrees with goes on. */
  async #pair(
    place: Place,
    officer: Officer,
    memory: Memory,
    random: Random,
    before: Found | undefined,
  ): Promise<{ readonly kills: number; readonly found: Found }> {
    const own = officer.next('issue', before);
    const wanted = officer.next(random.pick(['issue', 'issue', 'ledger anchor', 'ledger restore']), before);
    const other = wanted.command === 'ledger backup' ? own : wanted;
    const pointFor = ({ command }: Act): KillPoint =>
      random.below(2) === 0 ? NO_KILL : this.#pointFor(command, place).point;
    const pair = await runTwoCopies(place, officer, memory, {
      own: { act: own, point: pointFor(own) },
      other: { act: other, point: pointFor(other) },
      stopOther: random.below(2) === 0 ? 1 + random.below(12) : undefined,
      copyFirst: random.below(2) === 0,
    });
    this.totals.pairs++;
    const killed = pair.ended.filter((ended) => ended.killed);
    for (const { at } of killed)
      this.totals.countKill(`two copies (${other.command})`, 'beside another copy', place.keystore, at);
    this.totals.ended += pair.ended.length - killed.length;
    const found = pair.problems.length > 0 ? undefined : await look(place, memory);
    const problems = [...pair.problems, ...(found?.problems ?? [])];
    for (const problem of problems) this.#problem(place, problem, other);
    this.#options.progress?.(this.totals);
    return { kills: killed.length, found: { ...(found ?? NOTHING_FOUND), problems } };
  }

  /** No hand: the same commands, let run to their end, leave nothing open, and the record holds whole. */
  async #finish(place: Place, officer: Officer, memory: Memory, last: Found | undefined): Promise<void> {
    let found = last;
    const run = async (act: Act): Promise<void> => {
      const ended = await runToDeath(act.args, NO_KILL, place);
      if (!act.good.includes(ended.code ?? -1))
        this.#problem(
          place,
          { kind: 'hand', words: `in the end, ${act.command} ended with exit code ${ended.code}: ${ended.stderr}` },
          act,
        );
      else act.done();
      found = await look(place, memory);
      for (const problem of found.problems) this.#problem(place, problem, act);
    };
    for (let left = MOST_PENDING, act = officer.pending(found); left > 0 && act !== undefined; left--) {
      await run(act);
      act = officer.pending(found);
    }
    for (const command of ['batch', 'issue'] as const) await run(officer.next(command, found));
    if (found !== undefined && (found.open > 0 || found.unreleased > 0))
      this.#problem(place, {
        kind: 'hand',
        words: `${found.open} counters and ${found.unreleased} licenses are still unfinished`,
      });
    const out = join(place.site, 'out');
    const left = existsSync(out)
      ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'))
      : [];
    if (left.length > 0 && !officer.restored)
      this.#problem(place, { kind: 'other', words: `half files are left: ${left.join(', ')}` });
    const verified = runCli(
      ['ledger', 'verify', '--site', place.site, ...(place.anchor === undefined ? place.secret : [])],
      { env: place.env },
    );
    if (verified.code === 0) this.totals.verified++;
    else
      this.#problem(place, { kind: 'refused', words: `ledger verify ended with ${verified.code}: ${verified.stderr}` });
    this.totals.licenses += memory.files.size;
  }

  #problem(place: Place, { kind, words }: Problem, act?: Act): void {
    const line = `${place.folder} (${place.keystore})${act === undefined ? '' : `, vtlic ${act.args.slice(0, 3).join(' ')}`}: ${words}`;
    this.totals.problems.push({ kind, words: line });
    this.#options.tell(`PROBLEM: ${line}`);
  }

  #pointFor(command: CommandName, place: Place): { readonly point: KillPoint; readonly kind: string } {
    const dealt = this.#cuts.get(command)?.deal() ?? 'time';
    // An anchor in a token is written by another process; that moment is met by time.
    const cut = dealt === 'anchor' && place.anchor === undefined ? 'time' : dealt;
    const random = this.#random;
    switch (cut) {
      case 'step': {
        const step = STEPS[command][this.#steps.get(command)?.deal() ?? 0] ?? 'ledger-open';
        const many = command === 'batch' && (step === 'signed' || step === 'self-checked');
        // Recovery goes through the last steps too, before a license of this run does.
        const count = many ? 1 + random.below(10) : random.below(4) === 0 ? 2 : 1;
        return { point: { kind: 'step', step, count }, kind: 'at a step' };
      }
      case 'call':
        return {
          point: {
            kind: 'call',
            on: 'any',
            when: random.pick(['before', 'after']),
            count: 1 + random.below(command === 'batch' ? 60 : 30),
          },
          kind: 'at a call of the file system',
        };
      case 'anchor':
        return {
          point: {
            kind: 'call',
            on: 'anchor',
            when: random.pick(['before', 'after']),
            count: 1 + random.below(5) + (random.below(4) === 0 ? 5 : 0),
          },
          kind: 'while the anchor is written',
        };
      case 'syscall':
        return {
          point: {
            kind: 'syscall',
            when: random.pick(['before', 'after']),
            count: 1 + random.below(SYSCALLS[command]),
          },
          kind: 'between the calls of libc',
        };
      default: {
        const known = this.#known.get(`${command} ${place.keystore}`)?.milliseconds ?? 200;
        return { point: { kind: 'time', milliseconds: random.next() * known }, kind: 'at a random time' };
      }
    }
  }

  /** How long it takes: the mean of the runs that came to their end. */
  #learn(command: CommandName, place: Place, ended: Ended): void {
    const name = `${command} ${place.keystore}`;
    const known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, { milliseconds: ended.milliseconds });
    else known.milliseconds = known.milliseconds * 0.8 + ended.milliseconds * 0.2;
  }
}
