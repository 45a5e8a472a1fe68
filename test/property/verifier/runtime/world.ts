/** Replicas of a product with their files, stores and clocks, for walks through its life. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VtlicError } from '../../../../formats/error.ts';
import {
  memoryStore,
  openLicense,
  type Environment,
  type LicenseFacts,
  type LicenseOptions,
  type LiveLicense,
  type StateStore,
  type StoredCopy,
} from '../../../../verifier/runtime/index.ts';
import { NBF, trust } from '../../../unit/verifier/sample.ts';
import { FREE_TIER } from '../../../unit/verifier/runtime/product.ts';

/** A store whose content a test can save, restore and lose, and that can be away. */
export class TestStore implements StateStore {
  readonly name = 'a store of this test';
  #inner: StateStore = memoryStore();
  isAway = false;

  async save(): Promise<StoredCopy | undefined> {
    return this.#inner.read();
  }

  async restore(copy: StoredCopy | undefined): Promise<void> {
    this.#inner = memoryStore();
    if (copy !== undefined) await this.#inner.write(copy.document, undefined);
  }

  async damage(): Promise<void> {
    await this.restore({ document: Uint8Array.of(1, 2, 3), tag: '' });
  }

  #here(): StateStore {
    if (this.isAway) throw new Error('this store is away');
    return this.#inner;
  }

  read = async (): Promise<StoredCopy | undefined> => this.#here().read();
  write = async (document: Uint8Array, expected: string | undefined): Promise<boolean> =>
    this.#here().write(document, expected);
  readLock = async (): Promise<string | undefined> => this.#here().readLock();
  swapLock = async (expected: string | undefined, next: string | undefined): Promise<boolean> =>
    this.#here().swapLock(expected, next);
}

export class Host {
  readonly number: number;
  readonly path: string;
  readonly #world: World;
  /** How far the clock of this host is wrong. */
  wrong = 0;
  /** From the next start on. */
  environment: Environment = {};
  /** Stores that this host does not reach, while others may. */
  cutOff: ReadonlySet<StateStore> = new Set();
  live: LiveLicense | undefined;
  refusal: string | undefined;

  constructor(world: World, number: number) {
    this.#world = world;
    this.number = number;
    this.path = join(world.folder, `license-${number}`);
  }

  drop(text: string): void {
    writeFileSync(this.path, text);
  }

  async restart(): Promise<void> {
    await this.live?.close();
    this.live = undefined;
    this.refusal = undefined;
    try {
      this.live = await openLicense({
        environment: {
          NODE_ENV: 'production',
          DEPLOYMENT_MODE: 'onprem',
          LICENSE_PATH: this.path,
          ...this.environment,
        },
        issuer: 'example-vendor',
        product: 'vaultdesk',
        keys: this.#world.keys,
        freeTier: FREE_TIER,
        stores: this.#world.stores.map((store) => this.#asSeenHere(store)),
        clocks: { clock: () => this.#world.time + this.wrong, monotonic: () => this.#world.running },
      });
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      this.refusal = error.cause instanceof Object && 'code' in error.cause ? String(error.cause.code) : error.code;
    }
  }

  #asSeenHere(store: TestStore): StateStore {
    const reach = (): StateStore => {
      if (this.cutOff.has(store)) throw new Error('this host does not reach it');
      return store;
    };
    return {
      name: store.name,
      read: async () => reach().read(),
      write: async (document, expected) => reach().write(document, expected),
      readLock: async () => reach().readLock(),
      swapLock: async (expected, next) => reach().swapLock(expected, next),
    };
  }

  get inForce(): LicenseFacts | undefined {
    if (this.live === undefined || this.live.state === 'free_tier') return undefined;
    return this.live.view().license;
  }
}

export class World {
  time: number = NBF;
  running = 0;
  readonly keys: LicenseOptions['keys'];
  /** For the files of the hosts; the world removes it. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vtlic-life-'));
  readonly stores: readonly TestStore[];
  readonly hosts: readonly Host[];

  constructor(hostCount: number, storeCount: number, keys: LicenseOptions['keys'] = trust()) {
    this.keys = keys;
    this.stores = Array.from({ length: storeCount }, () => new TestStore());
    this.hosts = Array.from({ length: hostCount }, (_, i) => new Host(this, i));
  }

  async pass(seconds: number): Promise<void> {
    this.time += seconds;
    this.running += seconds;
    for (const { live } of this.hosts) await live?.refresh();
  }

  async close(): Promise<void> {
    for (const { live } of this.hosts) await live?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
