/**
 * The fault walk over a behavior: a command runs once for each PKCS#11 call that it makes, and that one call goes wrong.
 * What must be true after each case is what an officer and an auditor rely on; it is checked here.
 */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { returnCodeOf } from '../../../keys/private/pkcs11/shared/return-codes.ts';
import type { TokenLimits } from '../../../keys/private/pkcs11/client/token-options.ts';
import type { Behavior } from '../../support/tokens/behaviors/behavior.ts';
import { BEHAVIORS } from '../../support/tokens/behaviors/index.ts';
import type { RanHere } from '../../support/run-here.ts';
import { DeviceSite, type TokenObject } from './device-site.ts';
import { FAULT_TABLE } from './fault-table.ts';
import { useQuickHosts } from './quick-hosts.ts';

/** Behaviors with a key that signs: those that the walk is for. */
export const WALKED: readonly Behavior[] = BEHAVIORS.filter(
  ({ generates, adopts }) => generates.length > 0 || adopts !== undefined,
);

export const commandsOf = ({ adopts }: Behavior): readonly WalkedCommand[] => [
  adopts === undefined ? 'key generate' : 'key adopt',
  'issue',
  'hsm doctor',
];

/** What runs with a fault in it. */
export type WalkedCommand = 'key generate' | 'key adopt' | 'issue' | 'hsm doctor';

/**
 * How a call goes wrong: it returns a code and does nothing; it does its work and returns a code; the process dies before
 * or after its work; it never returns.
 */
export const FAULTS = ['rv', 'late', 'kill', 'die'] as const;
export type Fault = (typeof FAULTS)[number] | 'hang';

export interface Case {
  readonly command: WalkedCommand;
  /** Which call of the run, from 1. */
  readonly nth: number;
  readonly call: string;
  readonly fault: Fault;
}

const SHORT_LIMIT = 1_500;
const LIMIT = 30_000;
/** No PIN, no secret, no line of a stack, no defect. */
const UNFIT = /^\s+at |\.ts:\d|internal error|defect/m;
const EXIT_DEFECT = 1;
const MAKES_OBJECTS = /^C_(?:GenerateKey|GenerateKeyPair|CreateObject)$/;

export class BehaviorWalk {
  readonly device: DeviceSite;
  readonly #once: string;
  /** What stayed in the token after a run; each is judged once. */
  readonly #left = new Set<string>();
  #named = 0;
  #cases = 0;

  constructor(behavior: Behavior) {
    this.device = new DeviceSite(behavior);
    this.#once = join(this.device.folder, 'once');
  }

  get cases(): number {
    return this.#cases;
  }

  /** How many objects stayed in the token after a run that named them. */
  get named(): number {
    return this.#named;
  }

  /** The site with one key that signs. */
  async prepare(): Promise<void> {
    const { device } = this;
    const { generates, adopts } = device.behavior;
    expectZero(await device.init());
    if (adopts !== undefined) device.makeAdoptable(adopts.label, adopts.id);
    const way = generates[0];
    if (way !== undefined) expectZero(await this.#run('key generate', 'first', {}));
    else if (adopts !== undefined) expectZero(await this.#run('key adopt', 'first', {}));
  }

  /** The calls of a command without a fault, in their order. */
  async callsOf(command: WalkedCommand): Promise<readonly string[]> {
    this.device.token.setFaults([]);
    const before = this.device.token.mark();
    await this.#restoring(command, async () => expectZero(await this.#run(command, `clean-${this.#cases}`, {})));
    return this.device.token.callsSince(before);
  }

  /** Throws what is wrong after the case. */
  async walk(one: Case): Promise<void> {
    this.#cases += 1;
    const { device } = this;
    const { command, nth, call, fault } = one;
    const codes = FAULT_TABLE[call] ?? ['CKR_GENERAL_ERROR'];
    const code = returnCodeOf(codes[nth % codes.length] ?? 'CKR_GENERAL_ERROR');
    const how = fault === 'rv' || fault === 'late' ? `${fault} 0x${code.toString(16)}` : fault;
    rmSync(this.#once, { force: true });
    // A fault that comes again with each host, and one that comes once, in turn; also where every second call is left out.
    const comesOnce = ((nth >> 1) + FAULTS.findIndex((known) => known === fault)) % 2 === 0;
    device.token.setFaults([`any ${nth} ${how}`], comesOnce ? this.#once : undefined);
    const before: Before = {
      calls: device.token.mark(),
      logins: device.logins().length,
      released: device.released(),
      entries: device.entries().length,
    };
    const limits: TokenLimits =
      fault === 'hang'
        ? { sign: SHORT_LIMIT, keyGeneration: SHORT_LIMIT, login: SHORT_LIMIT, other: SHORT_LIMIT }
        : { sign: LIMIT, keyGeneration: LIMIT, login: LIMIT, other: LIMIT };
    try {
      await this.#restoring(command, async () => {
        const done = await this.#run(command, `walk-${this.#cases}`, { tokenLimits: limits });
        this.#judgeOutput(done);
        this.#judgeLogins(before.logins);
        if (command === 'issue') await this.#judgeIssue(done, before);
        // Reading the token costs as much as the run; only these calls put anything into it.
        else if (device.token.callsSince(before.calls).some((name) => MAKES_OBJECTS.test(name)))
          this.#judgeObjects(done);
      });
    } catch (error) {
      const what = `${device.behavior.name}: ${command}, call ${nth} (${call}) ${how}`;
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      device.token.setFaults([]);
    }
  }

  /** Throws what is wrong after all cases. */
  async judgeEnd(): Promise<void> {
    const { device } = this;
    expectZero(await device.runWithout('ledger', 'verify'));
    const intents = device.entries().flatMap((entry) => (entry.kind === 'intent' ? [entry.body] : []));
    const counters = new Set(intents.map(({ sub, ctr }) => `${sub} ${ctr}`));
    if (counters.size !== intents.length) throw new Error('a counter is on two licenses');
    for (const file of device.released()) expectZero(await device.verify(file));
    this.#judgeObjects({ code: 0, stdout: '', stderr: '' });
  }

  async #run(command: WalkedCommand, name: string, runtime: { readonly tokenLimits?: TokenLimits }): Promise<RanHere> {
    const { device } = this;
    const { login, generates, adopts } = device.behavior;
    const pin = login === 'none' ? undefined : device.pinFile;
    const args: Readonly<Record<WalkedCommand, () => Promise<readonly string[]>>> = {
      'key generate': () => Promise.resolve(['key', 'generate', '--name', name, ...wayOf(generates)]),
      'key adopt': () => Promise.resolve(['key', 'adopt', '--name', name, '--keystore', 'h', '--id', adopts?.id ?? '']),
      issue: async () => ['issue', '--confirm', await device.plan()],
      'hsm doctor': () => Promise.resolve(['hsm', 'doctor', 'h']),
    };
    return device.runWith(pin, await args[command](), runtime);
  }

  /** The pair that was adopted can be adopted again. */
  async #restoring(command: WalkedCommand, work: () => Promise<void>): Promise<void> {
    if (command !== 'key adopt') return work();
    const file = join(this.device.site, 'site.json');
    const copy = join(this.device.folder, 'site.json');
    copyFileSync(file, copy);
    try {
      // The site that adopts does not know the pair yet.
      const emptied = JSON.parse(readFileSync(file, 'utf8')) as { keys: readonly unknown[] };
      writeFileSync(file, JSON.stringify({ ...emptied, keys: [], defaultKey: undefined }));
      await work();
    } finally {
      copyFileSync(copy, file);
    }
  }

  #judgeOutput({ code, stdout, stderr }: RanHere): void {
    const said = `exit ${code}: ${stdout}${stderr}`;
    if (code === EXIT_DEFECT || UNFIT.test(said)) throw new Error(`it ended with a defect: ${said}`);
    if (said.includes(this.device.behavior.pin)) throw new Error(`the PIN was printed: ${said}`);
    if (code !== 0 && stdout === '' && !/^vtlic: /m.test(stderr)) throw new Error(`it ended without a word: ${said}`);
  }

  /** A PIN that was refused, or of which nothing is known, is the last one of its run; one that was accepted comes twice. */
  #judgeLogins(since: number): void {
    const logins = this.device.logins().slice(since);
    const refused = logins.findIndex(({ accepted }) => !accepted);
    if (refused >= 0 && refused < logins.length - 1)
      throw new Error('after a PIN that was not accepted another login was made');
    if (logins.length > 2) throw new Error(`${logins.length} logins were made in one run`);
  }

  async #judgeIssue(done: RanHere, before: Before): Promise<void> {
    const { device } = this;
    const files = device.released().filter((file) => !before.released.includes(file));
    if (files.length !== (done.code === 0 ? 1 : 0))
      throw new Error(`exit ${done.code}, but ${files.length} licenses were released: ${done.stderr}`);
    const added = device.entries().slice(before.entries);
    const intents = added.filter(({ kind }) => kind === 'intent').length;
    const ends = added.filter(({ kind }) => kind === 'issue' || kind === 'void').length;
    if (intents > 1 || ends !== intents) throw new Error(`${intents} counters were taken, and ${ends} of them ended`);
    for (const file of files) expectZero(await device.verify(file));
  }

  /** What is in the token is the site's, or its run says what it is. */
  #judgeObjects(done: RanHere): void {
    const said = `${done.stdout}${done.stderr}`;
    for (const object of this.device.objects()) {
      const name = `${object.class} ${object.label} ${object.id}`;
      if (this.#isKnown(object) || this.#left.has(name)) continue;
      const named = said.includes(object.label) || (object.id !== '' && said.includes(object.id));
      this.#left.add(name);
      if (!named || done.code === 0)
        throw new Error(`the ${name} was left in the token, and nothing names it: ${said}`);
      this.#named += 1;
    }
  }

  #isKnown({ class: kind, label, id }: TokenObject): boolean {
    const { device } = this;
    // The copy has the pair that is adopted again and again.
    const keys = [device.site, device.folder].flatMap((folder) => keysIn(join(folder, 'site.json')));
    if (kind === 'data') return keys.some(({ kid }) => label === `vtlic-claim-${kid.slice(0, 16)}`);
    if (device.behavior.adopts?.id === id) return true;
    return keys.some(({ object }) => object?.id === id || (id === '' && object?.label === label));
  }
}

/** In a run of all cases a call in so many hangs: each one costs its whole time limit. */
const HANGS_EVERY = 10;

/** What was walked of a behavior. */
export interface WalkedBehavior {
  readonly name: string;
  readonly cases: number;
  readonly problems: number;
}

interface WalkOptions {
  /** Only each so many-th call. */
  readonly every: number;
  /** Behaviors at a time: most of a case is waiting for a token host. */
  readonly lanes: number;
  /** Names of behaviors; default all. */
  readonly devices?: readonly string[] | undefined;
  readonly tell: (line: string) => void;
}

/** Every PKCS#11 call of every command goes wrong in every way, over all behaviors. */
export async function walkBehaviors(options: WalkOptions): Promise<readonly WalkedBehavior[]> {
  useQuickHosts();
  const waiting = WALKED.filter(({ name }) => options.devices?.includes(name) ?? true);
  const walked: WalkedBehavior[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      walked.push(await walkBehavior(next, options));
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return walked;
}

async function walkBehavior(behavior: Behavior, { every, tell }: WalkOptions): Promise<WalkedBehavior> {
  let [cases, problems] = [0, 0];
  const trying = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems += 1;
      tell(`PROBLEM: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const command of commandsOf(behavior)) {
    const walk = new BehaviorWalk(behavior);
    await trying(async () => {
      await walk.prepare();
      const calls = await walk.callsOf(command);
      for (let nth = 1; nth <= calls.length; nth += every) {
        const call = calls[nth - 1] ?? '';
        const faults: readonly Fault[] = nth % HANGS_EVERY === 1 ? [...FAULTS, 'hang'] : FAULTS;
        for (const fault of faults) await trying(() => walk.walk({ command, nth, call, fault }));
      }
      await walk.judgeEnd();
      tell(
        `${behavior.name}: ${command}, ${calls.length} calls, ${walk.cases} cases; ${walk.named} objects stayed in the ` +
          'token, each named with the way to remove it',
      );
    });
    cases += walk.cases;
    walk.device.remove();
  }
  return { name: behavior.name, cases, problems };
}

interface Before {
  readonly calls: number;
  readonly logins: number;
  readonly released: readonly string[];
  readonly entries: number;
}

interface KeyInSite {
  readonly kid: string;
  readonly object?: { readonly label: string; readonly id: string };
}

function keysIn(file: string): readonly KeyInSite[] {
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly keys: readonly KeyInSite[] }).keys;
}

function wayOf(generates: Behavior['generates']): readonly string[] {
  if (generates.includes('composite')) return [];
  return generates.includes('wrapped') ? ['--wrapped'] : ['--algorithm', 'ed25519'];
}

function expectZero(done: RanHere): void {
  if (done.code !== 0) throw new Error(`exit ${done.code}: ${done.stdout}${done.stderr}`);
}
