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
  /** The slowest input that anybody can make, measured again by itself; compared with a valid Ed25519 license. */
  worst: Slowest;
  /**
   * The slowest license with as much in it as there is room for, which only the vendor can make; by each algorithm, and
   * compared with a valid license by this algorithm that is as large.
   */
  dearest: Readonly<Record<Signer, Slowest>>;
  /** Of valid licenses, in microseconds. */
  valid: Readonly<Record<Signer | `large ${Signer}`, number>>;
}

export type Signer = 'ed25519' | 'composite';

export interface Slowest {
  /** Its time divided by that of the valid license that it is compared with. */
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
const MEASUREMENTS = 100;

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
    dearest: { ed25519: NONE, composite: NONE },
    valid: { ed25519: 0, composite: 0, 'large ed25519': 0, 'large composite': 0 },
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
      valid.set(signerOf(input), input);
    if (i % 1000 === 0 && !goOn(i)) break;
  }
  for (const signer of ['ed25519', 'composite'] as const) {
    let large = generator.large(signer);
    while (verdictOf(large) !== 'active') large = generator.large(signer);
    valid.set(`large ${signer}`, large);
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

function signerOf({ record }: FuzzInput): Signer {
  return record?.signature.length === 64 ? 'ed25519' : 'composite';
}

function measureAgain(share: Share, slowest: readonly Slow[], valid: ReadonlyMap<string, FuzzInput>): void {
  const timeOf = (name: string): number => {
    const input = valid.get(name);
    return input === undefined ? Infinity : leastTime(input);
  };
  share.valid = {
    ed25519: timeOf('ed25519'),
    composite: timeOf('composite'),
    'large ed25519': timeOf('large ed25519'),
    'large composite': timeOf('large composite'),
  };
  for (const { input, verdict } of slowest) {
    const microseconds = leastTime(input);
    const dense = input.kind === 'dense license';
    const signer = signerOf(input);
    const ratio = microseconds / share.valid[dense ? (`large ${signer}` as const) : 'ed25519'];
    const one = { ratio, kind: input.kind, verdict, bytes: input.file.length, microseconds };
    if (!dense) share.worst = ratio > share.worst.ratio ? one : share.worst;
    else if (ratio > share.dearest[signer].ratio) share.dearest = { ...share.dearest, [signer]: one };
  }
}
