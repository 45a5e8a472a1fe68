/** An installation as docs/conformance.md, "A verifier with state", describes it: the model of histories. Pure. */
import { expectedOf, type Expected, type Genuine, type ModelContext, type SignedRecord } from '../model/expected.ts';
import { modelTrust, type DraftTrust } from './draft.ts';

interface Entry {
  readonly lineage: string;
  readonly kid: string;
  readonly counter: number;
  readonly payloadDigest: string;
  readonly iat: number;
  /** Rises with each license that is taken. */
  readonly sequence: number;
}

/** A file, with what was really signed in it. */
export interface ModelFile {
  readonly file: Uint8Array;
  readonly record: SignedRecord;
}

export class ModelInstallation {
  readonly #context: Omit<ModelContext, 'now' | 'clock' | 'seen'>;
  #trust: DraftTrust;
  #clock: number;
  #entries: readonly Entry[] = [];
  #inPlace: ModelFile | undefined;
  /** Only of a verifier with the capability `floor`. */
  #floor: Floor | undefined;

  constructor(
    trust: DraftTrust,
    context: Omit<ModelContext, 'now' | 'clock' | 'seen'>,
    clock: number,
    hasFloor: boolean,
  ) {
    this.#floor = hasFloor ? NO_FLOOR : undefined;
    this.#trust = trust;
    this.#context = context;
    this.#clock = clock;
  }

  install(license: ModelFile): Expected {
    const expected = this.#judge(license);
    if (isInForce(expected)) this.#inPlace = license;
    return this.#take(expected);
  }

  setTime(clock: number, ran: number): Expected | undefined {
    this.#clock = clock;
    if (this.#floor !== undefined && ran > 0) this.#floor = moved(this.#floor, clock, ran);
    return this.#judgeAgain();
  }

  rotate(trust: DraftTrust): Expected | undefined {
    this.#trust = trust;
    return this.#judgeAgain();
  }

  restart({ license, clock, loseState }: Restart): Expected | undefined {
    if (license !== undefined) this.#inPlace = license;
    if (clock !== undefined) this.#clock = clock;
    if (loseState === true) {
      this.#entries = [];
      if (this.#floor !== undefined) this.#floor = NO_FLOOR;
    }
    return this.#judgeAgain();
  }

  /** What counts now; for the words of a failure. */
  get seen(): ModelContext['seen'] {
    const { keys } = modelTrust(this.#trust);
    const counting = this.#entries.filter(({ kid, payloadDigest }) => {
      const key = keys.find((one) => one.kid === kid);
      return key?.status !== 'revoked' || key.honored?.has(payloadDigest) === true;
    });
    const last = counting.reduce<Entry | undefined>(
      (one, entry) => (one === undefined || entry.sequence > one.sequence ? entry : one),
      undefined,
    );
    if (last === undefined) return undefined;
    const lineages = new Map<string, { counter: number; payloadDigest: string }>();
    for (const { lineage, counter, payloadDigest } of counting)
      if (isHigher({ counter, payloadDigest }, lineages.get(lineage)))
        lineages.set(lineage, { counter, payloadDigest });
    return { current: last.lineage, highestIat: Math.max(...counting.map(({ iat }) => iat)), lineages };
  }

  #judgeAgain(): Expected | undefined {
    return this.#inPlace === undefined ? undefined : this.#take(this.#judge(this.#inPlace));
  }

  #judge({ file, record }: ModelFile): Expected {
    const { seen } = this;
    const now = Math.max(this.#clock, seen?.highestIat ?? 0, this.#floorThatCounts()?.time ?? 0);
    const context = { ...this.#context, now, clock: this.#clock, ...(seen === undefined ? {} : { seen }) };
    return expectedOf(file, record, modelTrust(this.#trust), context);
  }

  #take(expected: Expected): Expected {
    const { genuine } = expected;
    if (genuine === undefined || !isInForce(expected)) return expected;
    const floor = this.#floorThatCounts();
    this.#floor = floor && (genuine.resetsClock ? { ...NO_FLOOR, time: genuine.iat, byClk: true } : floor);
    this.#entries = taken(this.#entries, genuine);
    return expected;
  }

  #floorThatCounts(): Floor | undefined {
    return this.#floor?.byClk === true && this.seen === undefined ? { ...NO_FLOOR, byClk: true } : this.#floor;
  }
}

/** docs/runtime.md, "Time". */
interface Floor {
  readonly time: number;
  /** Seconds of running with a clock that is more than a day ahead, and the lowest time that it showed in them. */
  readonly ledFor: number;
  readonly lowest: number;
  /** Whether a license with `clk` has set it: then it counts only while an entry counts. */
  readonly byClk: boolean;
}

const NO_FLOOR: Floor = Object.freeze({ time: 0, ledFor: 0, lowest: 0, byClk: false });
const DAY = 86_400;

function moved({ time, ledFor, lowest, byClk }: Floor, clock: number, ran: number): Floor {
  const own = time + ran;
  if (clock - own <= DAY) return { ...NO_FLOOR, byClk, time: Math.max(own, clock) };
  const led = ledFor + ran;
  const least = lowest === 0 ? clock : Math.min(lowest + ran, clock);
  if (led < 3 * DAY) return { time: own, ledFor: led, lowest: least, byClk };
  return { ...NO_FLOOR, byClk, time: Math.max(own, least) };
}

export interface Restart {
  readonly license?: ModelFile;
  readonly clock?: number;
  readonly loseState?: boolean;
}

type Highest = Pick<Entry, 'counter' | 'payloadDigest'>;

/** Of two payloads with one counter, which no honest signer makes, always the same one is taken. */
function isHigher(a: Highest, b: Highest | undefined): boolean {
  if (b === undefined) return true;
  return a.counter !== b.counter ? a.counter > b.counter : a.payloadDigest > b.payloadDigest;
}

function isInForce({ verdict }: Expected): boolean {
  return verdict === 'active' || verdict === 'grace';
}

function taken(entries: readonly Entry[], genuine: Genuine): readonly Entry[] {
  const { lineage, kid, counter, payloadDigest, iat, resetsClock } = genuine;
  const own = entries.find((entry) => entry.lineage === lineage && entry.kid === kid);
  const keepsOwn =
    own !== undefined && (own.counter > counter || (own.counter === counter && own.payloadDigest > payloadDigest));
  const entry: Entry = {
    lineage,
    kid,
    counter: keepsOwn ? own.counter : counter,
    payloadDigest: keepsOwn ? own.payloadDigest : payloadDigest,
    iat: Math.max(own?.iat ?? 0, iat),
    sequence: 1 + Math.max(0, ...entries.map(({ sequence }) => sequence)),
  };
  const all = [...entries.filter((one) => one !== own), entry];
  return resetsClock ? all.map((one) => ({ ...one, iat: Math.min(one.iat, iat) })) : all;
}
