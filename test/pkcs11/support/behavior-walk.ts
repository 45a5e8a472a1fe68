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
import { kryoptic } from '../../support/tokens/behaviors/kryoptic.ts';
import { nethsm } from '../../support/tokens/behaviors/nethsm.ts';
import type { RanHere } from '../../support/run-here.ts';
import { DeviceSite, type SeenLogin, type TokenObject } from './device-site.ts';
import { FAULT_TABLE } from './fault-table.ts';

export interface Walked {
  readonly name: string;
  readonly behavior: Behavior;
  /** For a split key that is adopted: the token of its ML-DSA component, and in which of the two the calls go wrong. */
  readonly split?: { readonly mldsa65: Behavior; readonly faultsIn: 'ed25519' | 'mldsa65' };
}

const SPLIT_OVER = { ...kryoptic, label: 'second' };

/** Behaviors with a key that signs: those that the walk is for. */
export const WALKED: readonly Walked[] = [
  ...BEHAVIORS.filter(({ generates, adopts }) => generates.length > 0 || adopts !== undefined).map((behavior) => ({
    name: behavior.name,
    behavior,
  })),
  ...(['ed25519', 'mldsa65'] as const).map((faultsIn) => ({
    name: `${nethsm.name}, split, faults in the token of the ${faultsIn} component`,
    behavior: nethsm,
    split: { mldsa65: SPLIT_OVER, faultsIn },
  })),
];

/** The doctor looks at one token, so of a split key only at that of the Ed25519 component. */
export const commandsOf = ({ behavior, split }: Walked): readonly WalkedCommand[] => [
  behavior.adopts === undefined ? 'key generate' : 'key adopt',
  'issue',
  ...(split?.faultsIn === 'mldsa65' ? [] : (['hsm doctor'] as const)),
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
  /** The token of the ML-DSA component of a split key. */
  readonly #second: DeviceSite | undefined;
  /** Where the calls go wrong. */
  readonly #faulty: DeviceSite;
  readonly #once: string;
  /** What stayed in the token after a run; each is judged once. */
  readonly #left = new Set<string>();
  #named = 0;
  #cases = 0;

  constructor({ behavior, split }: Walked) {
    this.device = new DeviceSite(behavior);
    this.#second = split === undefined ? undefined : new DeviceSite(split.mldsa65);
    this.#faulty = split?.faultsIn === 'mldsa65' && this.#second !== undefined ? this.#second : this.device;
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
    const second = this.#second;
    expectZero(await device.init(...(second === undefined ? [] : ['--keystore', `m=${second.uri}`])));
    if (adopts !== undefined) {
      device.makeAdoptable(adopts.label, adopts.id);
      second?.makeAdoptableMlDsa(adopts.label, adopts.id);
    }
    const way = generates[0];
    if (way !== undefined) expectZero(await this.#run('key generate', 'first', {}));
    else if (adopts !== undefined) expectZero(await this.#run('key adopt', 'first', {}));
  }

  /** The calls of a command without a fault, in their order. */
  async callsOf(command: WalkedCommand): Promise<readonly string[]> {
    const { token } = this.#faulty;
    token.setFaults([]);
    const before = token.mark();
    await this.#restoring(command, async () => expectZero(await this.#run(command, `clean-${this.#cases}`, {})));
    return token.callsSince(before);
  }

  /** Throws what is wrong after the case. */
  async walk(one: Case): Promise<void> {
    this.#cases += 1;
    const { device } = this;
    const { token } = this.#faulty;
    const { command, nth, call, fault } = one;
    const codes = FAULT_TABLE[call] ?? ['CKR_GENERAL_ERROR'];
    const code = returnCodeOf(codes[nth % codes.length] ?? 'CKR_GENERAL_ERROR');
    const how = fault === 'rv' || fault === 'late' ? `${fault} 0x${code.toString(16)}` : fault;
    rmSync(this.#once, { force: true });
    // A fault that comes again with each host, and one that comes once, in turn; also where every second call is left out.
    const comesOnce = ((nth >> 1) + FAULTS.findIndex((known) => known === fault)) % 2 === 0;
    token.setFaults([`any ${nth} ${how}`], comesOnce ? this.#once : undefined);
    const before: Before = {
      calls: token.mark(),
      logins: this.#sites().map((each) => each.logins().length),
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
        for (const [i, each] of this.#sites().entries()) judgeLogins(each.logins().slice(before.logins[i]));
        if (command === 'issue') await this.#judgeIssue(done, before);
        // Reading the token costs as much as the run; only these calls put anything into it.
        else if (token.callsSince(before.calls).some((name) => MAKES_OBJECTS.test(name))) this.#judgeObjects(done);
      });
    } catch (error) {
      const what = `${this.#faulty.behavior.name}: ${command}, call ${nth} (${call}) ${how}`;
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      token.setFaults([]);
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

  remove(): void {
    for (const each of this.#sites()) each.remove();
  }

  /** One for each token. */
  #sites(): readonly DeviceSite[] {
    return this.#second === undefined ? [this.device] : [this.device, this.#second];
  }

  async #run(command: WalkedCommand, name: string, runtime: { readonly tokenLimits?: TokenLimits }): Promise<RanHere> {
    const { device } = this;
    const { login, generates, adopts } = device.behavior;
    const pin = login === 'none' ? undefined : device.pinFile;
    const secret = this.#second === undefined ? [] : ['--secret', `m=file:${this.#second.pinFile}`];
    const split = this.#second === undefined ? [] : ['--ml-dsa-keystore', 'm', ...secret];
    const args: Readonly<Record<WalkedCommand, () => Promise<readonly string[]>>> = {
      'key generate': () => Promise.resolve(['key', 'generate', '--name', name, ...wayOf(generates)]),
      'key adopt': () =>
        Promise.resolve(['key', 'adopt', '--name', name, '--keystore', 'h', '--id', adopts?.id ?? '', ...split]),
      issue: async () => ['issue', '--confirm', await device.plan(), ...secret],
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
    if (this.#sites().some(({ behavior }) => said.includes(behavior.pin)))
      throw new Error(`the PIN was printed: ${said}`);
    if (code !== 0 && stdout === '' && !/^vtlic: /m.test(stderr)) throw new Error(`it ended without a word: ${said}`);
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
    for (const object of this.#sites().flatMap((each) => each.objects())) {
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

/** A PIN that was refused, or of which nothing is known, is the last one of its run; one that was accepted comes twice. */
function judgeLogins(logins: readonly SeenLogin[]): void {
  const refused = logins.findIndex(({ accepted }) => !accepted);
  if (refused >= 0 && refused < logins.length - 1)
    throw new Error('after a PIN that was not accepted another login was made');
  if (logins.length > 2) throw new Error(`${logins.length} logins were made in one run`);
}

interface Before {
  readonly calls: number;
  /** Of each token. */
  readonly logins: readonly number[];
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
