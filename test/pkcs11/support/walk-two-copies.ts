/**
 * Two copies of a site share an anchor in a token. The token host of one of them is stopped, or ends, at one PKCS#11
 * call after another, while the other copy issues; a host that was stopped then goes on.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { dearmor } from '../../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { NO_KILL } from '../../crash/campaign/kill-point.ts';
import { type Ended, runToDeath } from '../../crash/campaign/process-that-dies.ts';
import { AnchoredSite } from './anchored-site.ts';
import { makeKryoptic } from './kryoptic.ts';
import type { TestToken } from './test-token.ts';

/** `stop`: before the call, until the other copy is done. `kill`: before it. `die`: after it has taken effect. */
export type Way = 'stop' | 'kill' | 'die';

export interface PairOfCopies {
  readonly way: Way;
  /** From 1. */
  readonly at: number;
  readonly call: string;
  /** Exit codes: of the copy whose host was stopped or ended, and of the site. */
  readonly codes: string;
  readonly problems: readonly string[];
}

export interface WalkOptions {
  readonly make?: () => TestToken;
  readonly ways: readonly Way[];
  /**
   * `all`: a stop is at the n-th call of a host; `name`: at the n-th call of a function, in the first host that comes to
   * it. (With SoftHSM a run has two hosts.)
   */
  readonly counted?: 'all' | 'name';
  /** Whether a host is stopped at this call of an issue. */
  readonly isTried: (call: string, at: number) => boolean;
  readonly tell?: (pair: PairOfCopies) => void;
}

export async function walkTwoCopies({
  make = () => makeKryoptic(['one']),
  ways,
  counted = 'all',
  isTried,
  tell,
}: WalkOptions): Promise<readonly PairOfCopies[]> {
  const walk = new Walk(make());
  try {
    const calls = await walk.callsOfIssue();
    const pairs: PairOfCopies[] = [];
    for (const way of ways)
      for (const [i, call] of calls.entries()) {
        const at = counted === 'all' ? i + 1 : calls.slice(0, i + 1).filter((each) => each === call).length;
        if (!isTried(call, at)) continue;
        const pair = await walk.pair(way, counted === 'all' ? 'any' : call, at, call);
        tell?.(pair);
        pairs.push(pair);
      }
    return pairs;
  } finally {
    walk.remove();
  }
}

class Walk {
  readonly #at: AnchoredSite;
  readonly #copy: string;
  /** Counter → ids of the licenses that have left with it. */
  readonly #left: Map<number, Set<string>> = new Map();
  #marks = 0;

  constructor(made: TestToken) {
    this.#at = new AnchoredSite(made, { hsm: 'one' });
    this.#copy = join(this.#at.folder, 'copy');
  }

  async callsOfIssue(): Promise<readonly string[]> {
    const at = this.#at;
    const init = ['init', at.site, '--issuer', 'example-vendor', '--example-catalog', ...at.keystores];
    for (const args of [
      [...init, '--anchor', 'token:hsm', ...at.secret('hsm')],
      ['key', 'generate', '--name', 'k', '--algorithm', 'ed25519', '--keystore', 'hsm', ...at.secret('hsm')],
    ]) {
      const { code, stderr } = at.run(...args);
      if (code !== 0) throw new Error(`vtlic ${args.join(' ')}: ${code} ${stderr}`);
    }
    await this.#issue(at.site);
    const before = at.token.calls().length;
    await this.#issue(at.site);
    return at.token.calls().slice(before);
  }

  async pair(way: Way, counting: string, number: number, call: string): Promise<PairOfCopies> {
    const { site, token, folder } = this.#at;
    rmSync(this.#copy, { recursive: true, force: true });
    cpSync(site, this.#copy, { recursive: true });
    rmSync(token.stopped, { force: true });
    // The mark is made by the first host: that of the other copy does not stop.
    const mark = join(folder, `mark-${this.#marks++}`);
    token.setFaults([`${counting} ${number} ${way}`], mark);
    const running = this.#issue(this.#copy);
    const ended = new AbortController();
    void running.finally(() => {
      ended.abort();
    });
    while (!ended.signal.aborted && !existsSync(token.stopped)) await wait(20);
    const other = await this.#issue(site);
    if (existsSync(token.stopped)) process.kill(Number(readFileSync(token.stopped, 'utf8')), 'SIGCONT');
    const stopped = await running;
    token.setFaults([]);
    const problems = this.#doubled();
    // Of two hosts none may come to the n-th call of a function that both call.
    if (!existsSync(mark) && counting === 'any') problems.push('nothing was stopped');
    const codes = `${stopped.code} ${other.code}`;
    // 7 and 11: the token failed at an object that it had found, and that the other copy has destroyed since.
    if (way === 'stop' && (codes === '0 0' || !/^(?:0|4|7|11) (?:0|4)$/.test(codes)))
      problems.push(`exit codes ${codes}: ${stopped.stderr} ${other.stderr}`);
    problems.push(...(await this.#goOn()));
    return { way, at: number, call, codes, problems };
  }

  remove(): void {
    this.#at.remove();
  }

  /** As persons would: whichever copy the anchor agrees with is the site from now on, and the other one is refused. */
  async #goOn(): Promise<string[]> {
    const { site } = this.#at;
    const first = await this.#issue(site);
    const second = await this.#issue(this.#copy);
    const problems = this.#doubled();
    if ((first.code === 0) === (second.code === 0))
      problems.push(`afterwards exit codes ${first.code} ${second.code}: ${first.stderr} ${second.stderr}`);
    if (second.code === 0) {
      rmSync(site, { recursive: true });
      cpSync(this.#copy, site, { recursive: true });
    }
    return problems;
  }

  #issue(site: string): Promise<Ended> {
    const { folder, token } = this.#at;
    const args = ['issue', join(folder, 'request.json'), '--site', site, ...this.#at.secret('hsm')];
    return runToDeath(args, NO_KILL, { folder, env: { ...token.environment } });
  }

  /** Reads all licenses that are there now: a copy that is given up is deleted later. */
  #doubled(): string[] {
    for (const site of [this.#at.site, this.#copy]) {
      const out = join(site, 'out');
      const names = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
      for (const name of names.filter((each) => each.endsWith('.vtlic'))) {
        const { payload } = decodeCoseSign1(dearmor('VTLIC', readFileSync(join(out, name))), TYP.license);
        const { ctr, cti } = decodeLicense(payload);
        this.#left.set(ctr, (this.#left.get(ctr) ?? new Set()).add(cti));
      }
    }
    return [...this.#left].filter(([, ids]) => ids.size > 1).map(([ctr]) => `counter ${ctr} is on two licenses`);
  }
}
