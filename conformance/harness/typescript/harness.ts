/** The protocol of docs/conformance.md and the state of one installation, around verify.ts. `node harness.ts` */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { overridden, readKeys } from './keyfile.ts';
import { chooseKeyset } from './keyset.ts';
import { ConfigurationInvalid, importKey, shareComponent, type Context, type Key, type Trust } from './values.ts';
import { verify, type Verdict } from './verify.ts';

const HELLO = {
  protocol: 1,
  name: 'vtlic-typescript',
  version: '1.0.0',
  language: 'TypeScript',
  capabilities: ['verify', 'state', 'floor', 'keysets', 'override', 'key-files'],
};

type Json = Readonly<Record<string, unknown>>;
class Misuse extends Error {}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const LINEAGE = new RegExp(`^${ID.source.slice(1, -1)}(/${ID.source.slice(1, -1)}){2,3}$`);
const LICENSE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MAX_TIME = 253_402_300_799;
const PURPOSES = 'license license-key root ledger approval transcript counters release receipt'.split(' ');
const STATUSES = ['pre-published', 'active', 'retired', 'revoked'];

const isWhole = (value: unknown, min: number, max: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
const bytes = (base64: unknown): Uint8Array => Uint8Array.from(Buffer.from(String(base64), 'base64'));

/** Section 8.1: judged as a whole. */
function readTrust(given: Json): Trust {
  const need = (holds: boolean, what: string): void => {
    if (!holds) throw new ConfigurationInvalid(what);
  };
  const keys = new Map<string, Key>();
  const entries = new Map<string, string>();
  for (const entry of given['keys'] as readonly Json[]) {
    const raw = bytes(entry['public']);
    const imported = importKey(String(entry['alg']), raw);
    if (imported === undefined) throw new ConfigurationInvalid('a key is refused');
    const lists: Partial<Record<'products' | 'tiers' | 'honored', readonly string[]>> = {};
    for (const name of ['products', 'tiers', 'honored'] as const)
      if (entry[name] !== undefined) lists[name] = [...new Set(entry[name] as readonly string[])].sort();
    const { purpose, status } = entry;
    need(PURPOSES.includes(String(purpose)) && STATUSES.includes(String(status)), 'a purpose or status');
    need(
      [...(lists.products ?? []), ...(lists.tiers ?? [])].every((item) => ID.test(item)),
      'a scope',
    );
    need(
      (lists.honored ?? []).every((digest) => status === 'revoked' && DIGEST.test(digest)),
      'honored',
    );
    const key: Key = { ...imported, purpose: String(purpose), status: String(status), ...lists };
    const text = JSON.stringify([purpose, status, lists]);
    need((entries.get(key.kid) ?? text) === text, 'one key with different entries');
    entries.set(key.kid, text);
    keys.set(key.kid, key);
  }
  need(!shareComponent([...keys.values()]), 'a component in two keys');
  const until = given['ed25519Until'];
  need(until === undefined || isWhole(until, 0, MAX_TIME), 'ed25519Until');
  const revoked = (given['revokedLicenses'] ?? []) as readonly string[];
  need(
    revoked.every((id) => LICENSE_ID.test(id)),
    'a revoked license',
  );
  const lowest = Object.entries((given['lowestCounters'] ?? {}) as Readonly<Record<string, number>>);
  need(
    lowest.every(([name, counter]) => LINEAGE.test(name) && isWhole(counter, 0, Number.MAX_SAFE_INTEGER)),
    'lowest',
  );
  return {
    keys,
    requireComposite: given['requireComposite'] === true,
    ed25519Until: until === undefined ? Infinity : (until as number),
    revokedLicenses: new Set(revoked),
    lowestCounters: new Map(lowest),
  };
}

/** Section 9. */
function readContext(given: Json): Context {
  const need = (holds: boolean, what: string): void => {
    if (!holds) throw new Misuse(what);
  };
  const { issuer, product, deployment, hosts, now, defaultGrace, buildDate, clock } = given;
  for (const id of [issuer, product, deployment ?? 'absent']) need(ID.test(String(id)), 'an id');
  for (const host of (hosts ?? []) as readonly string[]) need(DIGEST.test(host), 'a fingerprint');
  for (const time of [now, buildDate ?? 0, clock ?? 0]) need(isWhole(time, 0, MAX_TIME), 'a time');
  need(isWhole(defaultGrace, 0, 31_622_400), 'the default grace');
  const seen = given['seen'] as
    | { readonly current: string; readonly highestIat: number; readonly lineages: Readonly<Record<string, Accepted>> }
    | undefined;
  if (seen === undefined) return given as unknown as Context;
  const lineages = new Map(Object.entries(seen.lineages));
  need(lineages.has(seen.current) && isWhole(seen.highestIat, 0, MAX_TIME), 'seen');
  for (const [name, { counter, payloadDigest }] of lineages)
    need(LINEAGE.test(name) && isWhole(counter, 1, Number.MAX_SAFE_INTEGER) && DIGEST.test(payloadDigest), 'seen');
  return { ...(given as unknown as Context), seen: { ...seen, lineages } };
}

interface Accepted {
  readonly counter: number;
  readonly payloadDigest: string;
}
interface Entry extends Accepted {
  readonly lineage: string;
  readonly kid: string;
  readonly iat: number;
  readonly sequence: number;
}

/** docs/runtime.md, "Time": the floor, the seconds of running with a clock a day ahead, and the lowest it showed then. */
interface Floor {
  readonly time: number;
  readonly ledFor: number;
  readonly lowest: number;
  /** Whether a license with `clk` has set it: then it counts only while an entry of the state counts. */
  readonly byClk: boolean;
}

const DAY = 86_400;
const NO_FLOOR: Floor = { time: 0, ledFor: 0, lowest: 0, byClk: false };

function moved({ time, ledFor, lowest, byClk }: Floor, clock: number, ran: number): Floor {
  const own = time + ran;
  if (clock - own <= DAY) return { ...NO_FLOOR, byClk, time: Math.max(own, clock) };
  const least = ledFor === 0 ? clock : Math.min(lowest + ran, clock);
  const led = ledFor + ran;
  if (led < 3 * DAY) return { time: own, ledFor: led, lowest: least, byClk };
  return { ...NO_FLOOR, byClk, time: Math.max(own, least) };
}

/** "A verifier with state": what is durable is a file, and only `restart` reads it. */
class Installation {
  readonly #context: Json;
  readonly #path: string;
  #trust: Trust;
  #clock: number;
  #entries: readonly Entry[] = [];
  #floor: Floor = NO_FLOOR;
  #inPlace: Uint8Array | undefined;

  constructor(path: string, { trust, context, clock }: Json) {
    this.#path = path;
    this.#context = context as Json;
    this.#trust = readTrust(trust as Json);
    this.#clock = clock as number;
    this.#write([], NO_FLOOR);
  }

  install(license: Uint8Array): Verdict {
    const verdict = this.#judge(license);
    if (isInForce(verdict)) this.#inPlace = license;
    return this.#take(verdict);
  }

  setTime(clock: number, ran: number): Verdict | undefined {
    this.#clock = clock;
    if (ran > 0) this.#write(this.#entries, moved(this.#floor, clock, ran));
    return this.#judgeAgain();
  }

  rotate(trust: Json): Verdict | undefined {
    this.#trust = readTrust(trust);
    return this.#judgeAgain();
  }

  restart({ license, clock, loseState }: Json): Verdict | undefined {
    if (loseState === true) this.#write([], NO_FLOOR);
    if (license !== undefined) this.#inPlace = bytes(license);
    if (clock !== undefined) this.#clock = clock as number;
    const state = JSON.parse(readFileSync(this.#path, 'utf8')) as { entries: readonly Entry[]; floor: Floor };
    [this.#entries, this.#floor] = [state.entries, state.floor];
    return this.#judgeAgain();
  }

  #judgeAgain(): Verdict | undefined {
    return this.#inPlace === undefined ? undefined : this.#take(this.#judge(this.#inPlace));
  }

  #counting(): readonly Entry[] {
    return this.#entries.filter(({ kid, payloadDigest }) => {
      const key = this.#trust.keys.get(kid);
      return key?.status !== 'revoked' || key.honored?.includes(payloadDigest) === true;
    });
  }

  #floorThatCounts(): Floor {
    return this.#floor.byClk && this.#counting().length === 0 ? { ...NO_FLOOR, byClk: true } : this.#floor;
  }

  #judge(license: Uint8Array): Verdict {
    const counting = this.#counting();
    const [last] = [...counting].sort((a, b) => b.sequence - a.sequence);
    const highestIat = Math.max(0, ...counting.map(({ iat }) => iat));
    const now = Math.max(this.#clock, highestIat, this.#floorThatCounts().time);
    const base = { ...this.#context, now, clock: this.#clock };
    if (last === undefined) return verify(license, this.#trust, readContext(base));
    const ascending = [...counting].sort(
      (a, b) => a.counter - b.counter || (a.payloadDigest < b.payloadDigest ? -1 : 1),
    );
    const lineages = Object.fromEntries(
      ascending.map(({ lineage, counter, payloadDigest }) => [lineage, { counter, payloadDigest }]),
    );
    return verify(
      license,
      this.#trust,
      readContext({ ...base, seen: { current: last.lineage, highestIat, lineages } }),
    );
  }

  #take(verdict: Verdict): Verdict {
    if (verdict.verdict !== 'accepted' || !isInForce(verdict)) return verdict;
    const { lineage, kid, claims, payloadDigest, resetsClock } = verdict;
    const own = this.#entries.find((entry) => entry.lineage === lineage && entry.kid === kid);
    const [counter, iat] = [claims.get('ctr') as number, claims.get(6) as number];
    const keepsOwn = own !== undefined && (own.counter - counter || Number(own.payloadDigest > payloadDigest)) > 0;
    const highest = keepsOwn ? own : { counter, payloadDigest };
    const sequence = 1 + Math.max(0, ...this.#entries.map((entry) => entry.sequence));
    const entry = { ...highest, lineage, kid, iat: Math.max(own?.iat ?? 0, iat), sequence };
    const all = [...this.#entries.filter((one) => one !== own), entry];
    if (resetsClock)
      this.#write(
        all.map((one) => ({ ...one, iat: Math.min(one.iat, iat) })),
        { ...NO_FLOOR, byClk: true, time: iat },
      );
    else this.#write(all, this.#floorThatCounts());
    return verdict;
  }

  #write(entries: readonly Entry[], floor: Floor): void {
    [this.#entries, this.#floor] = [entries, floor];
    writeFileSync(this.#path, JSON.stringify({ entries, floor }));
  }
}

function isInForce(verdict: Verdict): boolean {
  return verdict.verdict === 'accepted' && (verdict.state === 'active' || verdict.state === 'grace');
}

function answerOf(verdict: Verdict | undefined): Json {
  if (verdict === undefined) return { verdict: 'none' };
  if (verdict.verdict === 'refused') return { ...verdict };
  const { state, payloadDigest, lineage } = verdict;
  return { verdict: 'accepted', state, payloadDigest, lineage };
}

const folder = mkdtempSync(join(tmpdir(), 'vtlic-harness-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let installation: Installation | undefined;

function chosen(request: Json): Json {
  const { issuer, builtIn, state = [], file, requireComposite, license, context } = request;
  const { trust, ...description } = chooseKeyset({
    issuer: String(issuer),
    builtIn: bytes(builtIn),
    state: (state as readonly unknown[]).map(bytes),
    file: file === undefined ? undefined : bytes(file),
    requireComposite: requireComposite === true,
  });
  return { ...description, ...judged(license, trust, context) };
}

/** The verdict on the license of a request about a setting, where it has one. */
function judged(license: unknown, trust: Trust, context: unknown): Json {
  if (license === undefined || context === undefined) return {};
  return answerOf(verify(bytes(license), trust, readContext(context as Json)));
}

function answer(request: Json): Json {
  const here = (): Installation => {
    if (installation === undefined) throw new Error('a history begins with reset');
    return installation;
  };
  switch (request['op']) {
    case 'hello':
      return HELLO;
    case 'verify': {
      const trust = readTrust(request['trust'] as Json);
      return answerOf(verify(bytes(request['license']), trust, readContext(request['context'] as Json)));
    }
    case 'choose-keyset':
      return chosen(request);
    case 'override': {
      const files = new Map(
        Object.entries((request['files'] ?? {}) as Json).map(([path, file]) => [path, bytes(file)]),
      );
      const environment = request['environment'] as Readonly<Record<string, string>>;
      const trust = overridden(readTrust(request['trust'] as Json), environment, files);
      const keys = [...trust.keys.values()].map(({ kid, purpose, status }) => ({ kid, purpose, status }));
      const { requireComposite } = trust;
      return { keys, requireComposite, ...judged(request['license'], trust, request['context']) };
    }
    case 'read-keys': {
      const keys = readKeys(bytes(request['file']));
      return typeof keys === 'string'
        ? { verdict: 'refused', reason: keys }
        : { keys: keys.map(({ alg, kid }) => ({ alg, kid })) };
    }
    case 'reset':
      installation = new Installation(join(folder, 'state.json'), request);
      return { verdict: 'none' };
    case 'install':
      return answerOf(here().install(bytes(request['license'])));
    case 'set-time':
      return answerOf(here().setTime(request['clock'] as number, (request['ran'] ?? 0) as number));
    case 'rotate':
      return answerOf(here().rotate(request['trust'] as Json));
    case 'restart':
      return answerOf(here().restart(request));
    default:
      throw new Error(`there is no operation ${String(request['op'])} here`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Json;
  let members: Json;
  try {
    members = answer(request);
  } catch (error) {
    if (error instanceof ConfigurationInvalid) members = { verdict: 'configuration_invalid' };
    else if (error instanceof Misuse) members = { verdict: 'misuse' };
    else members = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: request['id'], ...members })}\n`);
}
