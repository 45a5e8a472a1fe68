/** One share of the campaign: inputs, verdicts, and what differs from the model. */
import { toHex } from '../../formats/bytes.ts';
import { REASONS } from '../../verifier/reasons.ts';
import { verify } from '../../verifier/verify.ts';
import { Generator, type FuzzInput, type Kind } from './generate.ts';
import { expectedOf } from '../../conformance/model/expected.ts';

export interface Difference {
  readonly kind: Kind;
  readonly expected: string;
  readonly found: string;
  /** Of the file. */
  readonly hex: string;
  /** Which input of this share, from 1. */
  readonly number: number;
}

export interface Share {
  readonly seed: number;
  inputs: number;
  passedArmor: number;
  validlySigned: number;
  readonly verdicts: Map<string, number>;
  readonly kinds: Map<string, number>;
  /** Some of those that were found; `differing` counts all. */
  readonly differences: Difference[];
  differing: number;
  /** The slowest input that anybody can make, measured again by itself. */
  worst: Slowest;
  /** The slowest license with as much in it as there is room for. Only the vendor can make it. */
  dearest: Slowest;
  /** Of a valid license, in microseconds. */
  valid: { composite: number; ed25519: number };
}

export interface Slowest {
  /** Its time divided by that of a valid composite license. */
  readonly ratio: number;
  readonly kind: string;
  readonly verdict: string;
  readonly bytes: number;
  readonly microseconds: number;
}

/** Every verdict that there is. */
export const VERDICTS: readonly string[] = [...Object.keys(REASONS), 'not_yet_valid', 'active', 'grace', 'lapsed'];

const NONE: Slowest = { ratio: 0, kind: '', verdict: '', bytes: 0, microseconds: 0 };
const MAX_DIFFERENCES = 5;
const SLOWEST_KEPT = 40;
const MEASUREMENTS = 40;

interface Slow {
  readonly input: FuzzInput;
  readonly milliseconds: number;
  readonly verdict: string;
}

/** @param goOn asked now and then, with the number of inputs so far */
export function runShare(seed: number, inputs: number, goOn: (done: number) => boolean = () => true): Share {
  const generator = new Generator(seed);
  const share: Share = {
    seed,
    inputs: 0,
    passedArmor: 0,
    validlySigned: 0,
    verdicts: new Map(),
    kinds: new Map(),
    differences: [],
    differing: 0,
    worst: NONE,
    dearest: NONE,
    valid: { composite: 0, ed25519: 0 },
  };
  /** By kind, so that inputs which were slow only for the load of the machine do not displace the large ones. */
  const slowest = new Map<Kind, Slow[]>();
  const valid = new Map<string, FuzzInput>();
  for (let i = 1; i <= inputs; i++) {
    const input = generator.next();
    const expected = expectedOf(input.file, input.record, input.trust.model, input.context);
    const start = performance.now();
    const found = verdictOf(input);
    const milliseconds = performance.now() - start;
    share.inputs++;
    if (expected.passedArmor) share.passedArmor++;
    if (expected.validlySigned) share.validlySigned++;
    share.verdicts.set(found, (share.verdicts.get(found) ?? 0) + 1);
    share.kinds.set(input.kind, (share.kinds.get(input.kind) ?? 0) + 1);
    if (found !== expected.verdict) {
      share.differing++;
      if (share.differences.length < MAX_DIFFERENCES)
        share.differences.push({
          kind: input.kind,
          expected: expected.verdict,
          found,
          hex: toHex(input.file.subarray(0, 4000)),
          number: i,
        });
    }
    // The first thousands compile the code.
    const known = slowest.get(input.kind) ?? [];
    if (i > 5000 && (known.length < SLOWEST_KEPT || milliseconds > (known.at(-1)?.milliseconds ?? 0))) {
      known.push({ input, milliseconds, verdict: found });
      slowest.set(input.kind, known.sort((a, b) => b.milliseconds - a.milliseconds).slice(0, SLOWEST_KEPT));
    }
    if (found === 'active' && input.record !== undefined && input.kind === 'signed license')
      valid.set(input.record.signature.length === 64 ? 'ed25519' : 'composite', input);
    if (i % 1000 === 0 && !goOn(i)) break;
  }
  measureAgain(share, [...slowest.values()].flat(), valid);
  return share;
}

function verdictOf({ file, trust, context }: FuzzInput): string {
  try {
    const verdict = verify(file, trust.trust, context);
    return verdict.ok ? verdict.state : verdict.reason;
  } catch (error) {
    return `it threw: ${error instanceof Error ? error.message : 'no error'}`;
  }
}

/** The least of many times, so that the load of the machine does not count. */
function leastTime(input: FuzzInput): number {
  let least = Infinity;
  for (let i = 0; i < MEASUREMENTS; i++) {
    const start = performance.now();
    verdictOf(input);
    least = Math.min(least, performance.now() - start);
  }
  return least * 1000;
}

function measureAgain(share: Share, slowest: readonly Slow[], valid: ReadonlyMap<string, FuzzInput>): void {
  const [composite, ed25519] = [valid.get('composite'), valid.get('ed25519')];
  if (composite === undefined || ed25519 === undefined) return;
  share.valid = { composite: leastTime(composite), ed25519: leastTime(ed25519) };
  for (const { input, verdict } of slowest) {
    const microseconds = leastTime(input);
    const ratio = microseconds / share.valid.composite;
    const one = { ratio, kind: input.kind, verdict, bytes: input.file.length, microseconds };
    if (input.kind === 'dense license') share.dearest = ratio > share.dearest.ratio ? one : share.dearest;
    else if (ratio > share.worst.ratio) share.worst = one;
  }
}
