/** A product in a temporary folder, with clocks that the test sets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VtlicError } from '../../../../formats/error.ts';
import type { License } from '../../../../formats/license/license.ts';
import type { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import {
  memoryStore,
  openLicense,
  type FreeTier,
  type LicenseOptions,
  type LiveLicense,
  type Notice,
  type StateStore,
} from '../../../../verifier/runtime/index.ts';
import { licenseFile, NBF, trust } from '../sample.ts';

export const DAY = 86_400;
export const FREE_TIER: FreeTier = Object.freeze({
  tier: 'free',
  seats: 3,
  features: Object.freeze([]),
  limits: Object.freeze({}),
});

export class Product {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vtlic-product-'));
  readonly path: string = join(this.folder, 'license.vtlic');
  readonly statePath: string = join(this.folder, 'license.state');
  /** The clock of the host, and its running time. */
  clock: number = NBF;
  running = 0;
  /** In place of the file of the state, for tests that write it often. */
  #memory: StateStore | undefined;
  readonly #open: LiveLicense[] = [];

  keepStateInMemory(): void {
    this.#memory = memoryStore();
  }

  options(changes: Partial<LicenseOptions> = {}): LicenseOptions {
    return {
      environment: {
        NODE_ENV: 'production',
        DEPLOYMENT_MODE: 'onprem',
        LICENSE_PATH: this.path,
        LICENSE_STATE_PATH: this.#memory === undefined ? this.statePath : '',
      },
      ...(this.#memory === undefined ? {} : { stores: [this.#memory] }),
      issuer: 'example-vendor',
      product: 'vaultdesk',
      keys: trust(),
      freeTier: FREE_TIER,
      clocks: { clock: () => this.clock, monotonic: () => this.running },
      ...changes,
    };
  }

  async start(changes: Partial<LicenseOptions> = {}): Promise<LiveLicense> {
    const license = await openLicense(this.options(changes));
    this.#open.push(license);
    return license;
  }

  /** The notice with which a start is refused. */
  async refusal(changes: Partial<LicenseOptions> = {}): Promise<Notice> {
    try {
      await this.start(changes);
    } catch (error) {
      if (error instanceof VtlicError && error.code === 'license_refused') return error.cause as Notice;
      throw error;
    }
    throw new Error('the product started');
  }

  drop(file: Uint8Array | string): void {
    writeFileSync(this.path, file);
  }

  async dropLicense(changes: Partial<License> = {}, key?: SoftwareKey): Promise<Uint8Array> {
    const file = await licenseFile(changes, key);
    this.drop(file);
    return file;
  }

  loseState(): void {
    rmSync(this.statePath);
  }

  file(): string {
    return readFileSync(this.path, 'utf8');
  }

  /** Time goes on for a running product. */
  async pass(seconds: number, license?: LiveLicense): Promise<void> {
    this.clock += seconds;
    this.running += seconds;
    await license?.refresh();
  }

  async remove(): Promise<void> {
    for (const license of this.#open) await license.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Everything that a live license says, in order, but for the creation of the state, which each test begins with. */
export function listen(license: LiveLicense): string[] {
  const heard: string[] = [];
  license.on('change', ({ state, entitlements }) => heard.push(`change ${state} ${entitlements?.tier ?? ''}`));
  license.on('warning', ({ code }) => {
    if (code !== 'state_created') heard.push(`warning ${code}`);
  });
  license.on('refused', ({ code }) => heard.push(`refused ${code}`));
  return heard;
}

export const textOf = (file: Uint8Array): string => new TextDecoder().decode(file);
