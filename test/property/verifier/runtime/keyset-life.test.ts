/**
 * A vendor whose keys are lost and stolen, a thief, and two replicas of a product that may be cut off from each other.
 * What is in force is compared with the copies of the state that a replica reaches, and with what the vendor published.
 */
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import type { License } from '../../../../formats/license/license.ts';
import { concatBytes } from '../../../../formats/bytes.ts';
import type { IssuingKey } from '../../../../formats/keyset/keyset.ts';
import { sha256Hex } from '../../../../files/index.ts';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import type { StateStore } from '../../../../verifier/runtime/index.ts';
import { decodeState } from '../../../../verifier/runtime/state-document.ts';
import type { RuntimeState } from '../../../../verifier/runtime/state.ts';
import { IAT, license, licenseFileOf, NBF } from '../../../unit/verifier/sample.ts';
import { DAY, textOf } from '../../../unit/verifier/runtime/product.ts';
import { World, type Host } from './world.ts';

const YEAR = 365 * DAY;
const LONG: Partial<License> = { exp: NBF + 20 * YEAR };
const STEP = 600;
const OWN_KEY = 'key of the environment';

interface Issued {
  readonly key: string;
  readonly counter: number;
  readonly text: string;
  readonly digest: string;
}

/** One version of the keysets, in words. */
interface Version {
  readonly block: Uint8Array;
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Each version has other roots, signed by those before them. */
class Vendor {
  #counter = 0;
  #keys: IssuingKey[] = [issuingKey('key 1')];
  readonly versions: Version[] = [];
  readonly issued: Issued[] = [];
  stolen: string[] = [];
  /** A thief's license with `clk` was made: the vendor's answer has it too. */
  isClockSpoiled = false;

  constructor() {
    this.#publish();
  }

  get active(): string {
    return `key ${this.#keys.length}`;
  }

  /** @param key tells licenses apart by their tier: `key-1` */
  issue(changes: Partial<License> = {}, key: string = this.active): Issued {
    return this.#sign(key, { ctr: ++this.#counter, iat: IAT + this.#counter, ...changes });
  }

  forge(changes: Partial<License>): Issued | undefined {
    const [key] = this.stolen;
    if (key === undefined) return undefined;
    if (changes.clk === true) this.isClockSpoiled = true;
    return this.#sign(key, { seats: 9999, exp: NBF + 40 * YEAR, ...changes }, false);
  }

  /** A new key is active; the one before it is only lost, or every stolen one is revoked. */
  rotate(isHonoring?: boolean): void {
    const honored = (name: string): readonly string[] =>
      this.issued.flatMap(({ key, digest }) => (key === name ? [digest] : [])).sort();
    this.#keys = this.#keys.map((one, i) => {
      const name = `key ${i + 1}`;
      if (!this.stolen.includes(name)) return one.status === 'active' ? { ...one, status: 'retired' } : one;
      if (one.status === 'revoked') return one;
      const list = isHonoring === true ? honored(name) : [];
      return { ...one, status: 'revoked', ...(list.length === 0 ? {} : { honored: list }) };
    });
    this.#keys.push(issuingKey(`key ${this.#keys.length + 1}`));
    this.#publish();
  }

  chain(): Uint8Array {
    return concatBytes(...this.versions.map(({ block }) => block));
  }

  #publish(): void {
    const version = this.versions.length + 1;
    const roots = (of: number): string[] => [`root ${of} a`, `root ${of} b`];
    const signers = version === 1 ? roots(1) : [...roots(version - 1), ...roots(version)];
    const values = { version, roots: roots(version), threshold: 2, keys: this.#keys };
    const revoked = this.#keys.flatMap(({ status, honored }, i) =>
      status === 'revoked' ? [[`key ${i + 1}`, new Set(honored)] as const] : [],
    );
    this.versions.push({ block: keysetBlock(values, signers), revoked: new Map(revoked) });
  }

  #sign(key: string, changes: Partial<License>, isRecorded = true): Issued {
    const values = { ...LONG, tier: key.replaceAll(' ', '-'), ...changes };
    const digest = sha256Hex(encodeLicense({ ...license, ...values }));
    const text = textOf(licenseFileOf(testKey(key), values));
    const one = { key, counter: values.ctr ?? 0, text, digest };
    if (isRecorded) this.issued.push(one);
    else this.forged.push(one);
    return one;
  }

  readonly forged: Issued[] = [];
}

type Command =
  | { readonly kind: 'lose key' | 'steal key' | 'unite' }
  | { readonly kind: 'revoke'; readonly isHonoring: boolean }
  | {
      readonly kind: 'forge';
      readonly host: number;
      readonly way: Way;
      readonly isLate: boolean;
      readonly clk: boolean;
    }
  | { readonly kind: 'renew' | 'old license'; readonly host: number; readonly way: Way }
  | { readonly kind: 'deliver'; readonly host: number; readonly way: Way }
  | { readonly kind: 'restart' | 'cut off' | 'override' | 'no override'; readonly host: number };
type Way = 'drop' | 'paste';

const host = fc.integer({ min: 0, max: 1 });
const way = fc.constantFrom<Way>('drop', 'paste');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lose key', 'steal key', 'unite') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('revoke'), isHonoring: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('forge'), host, way, isLate: fc.boolean(), clk: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('renew', 'old license'), host, way }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver'), host, way }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'cut off', 'override', 'no override'), host }) },
) as fc.Arbitrary<Command>;

/** The order of an emergency, on two replicas that do not see each other; then they do. */
const EMERGENCY: Command[] = [
  { kind: 'cut off', host: 0 },
  { kind: 'steal key' },
  { kind: 'forge', host: 0, way: 'paste', isLate: true, clk: true },
  { kind: 'revoke', isHonoring: true },
  { kind: 'deliver', host: 0, way: 'paste' },
  { kind: 'restart', host: 0 },
  { kind: 'unite' },
  { kind: 'restart', host: 1 },
];

const keysetPath = ({ path }: Host): string => `${path}.keyset`;

/** What only one replica accepted, which then ends, counts for the other one once it reaches that store. */
const APART: Command[] = [
  { kind: 'cut off', host: 0 },
  { kind: 'renew', host: 1, way: 'paste' },
  { kind: 'renew', host: 1, way: 'paste' },
  { kind: 'old license', host: 1, way: 'drop' },
  { kind: 'restart', host: 1 },
  { kind: 'unite' },
  { kind: 'restart', host: 0 },
];

/** What the stolen key had signed stays in force where the keyset honors it. */
const HONORED: Command[] = [
  { kind: 'steal key' },
  { kind: 'revoke', isHonoring: true },
  { kind: 'deliver', host: 0, way: 'paste' },
];

const OVERRIDDEN: Command[] = [{ kind: 'override', host: 1 }];

class Walk {
  readonly vendor: Vendor = new Vendor();
  readonly world: World;
  /** Of each host: the version that it has seen while it runs. */
  readonly known: number[] = [1, 1];
  readonly #seen = new Map<StateStore, readonly RuntimeState[]>();

  constructor() {
    const keys = builtInChain(this.vendor.chain(), { issuer: KEYSET_ISSUER });
    this.world = new World(2, 2, keys);
    for (const each of this.world.hosts) each.environment = { LICENSE_KEYSET_PATH: keysetPath(each) };
  }

  async perform(one: Command): Promise<void> {
    const { vendor, world } = this;
    const at = 'host' in one ? world.hosts[one.host] : undefined;
    switch (one.kind) {
      case 'lose key':
        vendor.rotate();
        return;
      case 'steal key':
        if (!vendor.stolen.includes(vendor.active)) vendor.stolen = [vendor.active, ...vendor.stolen];
        return;
      case 'revoke':
        vendor.rotate(one.isHonoring);
        return;
      case 'unite':
        for (const each of world.hosts) each.cutOff = new Set();
        return;
      case 'cut off':
        // Each of the two reaches one store, and another one.
        for (const [i, each] of world.hosts.entries())
          each.cutOff = new Set(world.stores.filter((_, store) => store !== (i + one.host) % 2));
        return;
      case 'renew':
        await this.#give(at, vendor.issue().text, one.way);
        return;
      case 'old license':
        await this.#give(at, vendor.issued[Math.floor(vendor.issued.length / 2)]?.text, one.way);
        return;
      case 'forge': {
        // A time at which every license of the vendor has lapsed.
        const iat = one.isLate ? NBF + 30 * YEAR : IAT;
        const ctr = Number.MAX_SAFE_INTEGER - vendor.forged.length - (one.isLate ? 0 : 1000);
        await this.#give(at, vendor.forge({ ctr, iat, ...(one.clk ? { clk: true } : {}) })?.text, one.way);
        return;
      }
      case 'deliver':
        if (at !== undefined && one.way === 'drop') writeFileSync(keysetPath(at), vendor.chain());
        else await at?.live?.install(textOf(vendor.chain()));
        return;
      case 'override':
      case 'no override': {
        if (at === undefined) return;
        const own = Buffer.from(testKey(OWN_KEY).publicKey.bytes).toString('base64');
        at.environment = {
          LICENSE_KEYSET_PATH: keysetPath(at),
          ...(one.kind === 'override' ? { LICENSE_PUBLIC_KEY: own } : {}),
        };
        if (one.kind === 'override') at.drop(vendor.issue({}, OWN_KEY).text);
        await at.restart();
        return;
      }
      case 'restart':
        await at?.restart();
    }
  }

  async #give(at: Host | undefined, text: string | undefined, by: Way): Promise<void> {
    if (text === undefined) return;
    if (by === 'drop') at?.drop(text);
    else await at?.live?.install(text);
  }

  /** @returns what is in force on this host, which nothing that it can know forbids */
  async check(at: Host, what: string): Promise<Issued | undefined> {
    const states = await this.#reached(at);
    const before = at.live === undefined ? 1 : (this.known[at.number] ?? 1);
    const version = Math.max(before, ...states.map(({ keyset }) => keyset?.version ?? 1));
    this.known[at.number] = at.live === undefined ? 1 : version;
    const shown = at.inForce;
    if (shown === undefined) return undefined;
    const { revoked } = this.vendor.versions[version - 1] ?? { revoked: new Map<string, ReadonlySet<string>>() };
    const counts = (key: string, digest: string): boolean => revoked.get(key)?.has(digest) ?? true;
    const found = [...this.vendor.issued, ...this.vendor.forged].find(
      ({ key, counter }) => key.replaceAll(' ', '-') === shown.tier && counter === shown.counter,
    );
    if (found === undefined) throw new Error(`nobody made ${shown.tier} ${shown.counter}`);
    expect(counts(found.key, found.digest), `${what}: ${found.key} is not revoked`).toBe(true);
    const isOverridden = 'LICENSE_PUBLIC_KEY' in at.environment;
    expect(found.key === OWN_KEY, `${what}: the key of the environment`).toBe(isOverridden);
    const names = new Map([...revoked.keys()].map((key) => [testKey(key).publicKey.kid, key]));
    for (const { kid, counter, payloadDigest } of states.flatMap(({ entries }) => entries))
      if (counts(names.get(kid) ?? '', payloadDigest))
        expect(found.counter, `${what}: the counter of a copy that it reaches`).toBeGreaterThanOrEqual(counter);
    return found;
  }

  /** All that ever was in the stores that it reaches. */
  async #reached(at: Host): Promise<readonly RuntimeState[]> {
    for (const one of this.world.stores) {
      const copy = await one.read();
      const decoded = copy && decodeState(copy.document);
      if (decoded?.ok === true) this.#seen.set(one, [...(this.#seen.get(one) ?? []), decoded.state]);
    }
    return this.world.stores.flatMap((one) => (at.cutOff.has(one) ? [] : (this.#seen.get(one) ?? [])));
  }
}

describe('whatever happens to the keys of a vendor, and to two replicas that may be cut off from each other', () => {
  it('no revoked key and no older counter is in force, and a reissued license always is', async () => {
    const met = { honored: 0, forged: 0, own: 0, apart: 0, spoiled: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 18 }), async (commands) => {
        const walk = new Walk();
        const { vendor, world } = walk;
        const first = vendor.issue().text;
        for (const each of world.hosts) {
          each.drop(first);
          await each.restart();
        }
        try {
          for (const one of commands) {
            await walk.perform(one);
            // What others wrote is read, and what a store missed is written to it.
            await world.pass(STEP);
            await world.pass(STEP);
            const inForce = await Promise.all(world.hosts.map((each) => walk.check(each, one.kind)));
            const last = vendor.versions.at(-1)?.revoked;
            for (const each of inForce) {
              if (each === undefined) continue;
              if (vendor.forged.includes(each)) met.forged++;
              if (each.key === OWN_KEY) met.own++;
              if (last?.get(each.key)?.has(each.digest) === true) met.honored++;
            }
            if (inForce[0]?.digest !== inForce[1]?.digest) met.apart++;
          }
          await endWell(walk);
          if (vendor.isClockSpoiled) met.spoiled++;
        } finally {
          await world.close();
        }
      }),
      { numRuns: 80, examples: [[EMERGENCY], [APART], [HONORED], [OVERRIDDEN]] },
    );
    // The examples alone meet each of these, whatever the seed.
    for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(0);
  });
});

/** Stolen keys are revoked, and the newest license and keysets are on each replica. */
async function endWell({ vendor, world }: Walk): Promise<void> {
  for (const each of world.hosts) {
    await each.live?.close();
    each.live = undefined;
    each.cutOff = new Set();
    each.environment = { LICENSE_KEYSET_PATH: keysetPath(each) };
  }
  vendor.rotate(false);
  const reissued = vendor.issue(vendor.isClockSpoiled ? { clk: true, iat: world.time } : {});
  for (const each of world.hosts) {
    writeFileSync(keysetPath(each), vendor.chain());
    each.drop(reissued.text);
    await each.restart();
    expect(each.refusal, 'the reissued license').toBeUndefined();
    expect([each.inForce?.tier, each.inForce?.counter]).toEqual([reissued.key.replaceAll(' ', '-'), reissued.counter]);
  }
}
