/**
 * Products in the field: for every customer, installs of every release of `releases.json`, each the real runtime with
 * its license, its state and its keysets on disk. They live on from day to day, while a site rotates its keys.
 *
 * `rotation simulate` assumes the worst of what a customer may have, so a release that takes keysets is installed
 * twice: once where each published chain arrives at once, and once where a chain only arrives with a license. A third
 * install of each customer is upgraded to each new release, and keeps its state.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { encodeBase64 } from '../../formats/base64.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { readReleases, type Release } from '../../signer/rotation/releases.ts';
import { openSite } from '../../signer/site/site.ts';
import { lineageKey, makeTrust, REASONS } from '../../verifier/index.ts';
import { builtInChain } from '../../verifier/keyset/index.ts';
import { openLicense, type LicenseOptions, type LiveLicense } from '../../verifier/runtime/index.ts';

const FREE_TIER = { tier: 'free', seats: 1, features: [], limits: {} } as const;
const ISSUER = 'example-vendor';
const UNSHOWN = 'not shown';

interface Delivered {
  readonly text: string;
  readonly license: License;
}

/** A release refuses the license of a customer who has no other one. */
export interface FieldRefusal {
  readonly release: string;
  readonly lineage: string;
  readonly reason: string;
}

export function licenseOfFile(file: Uint8Array): License {
  return decodeLicense(decodeCoseSign1(dearmor('VTLIC', file), TYP.license).payload);
}

type Delivery = 'at once' | 'with a license';

/** One customer's copy of a product. */
class Install {
  readonly lineage: string;
  readonly delivery: Delivery;
  release: Release;
  readonly #field: ProductsInTheField;
  readonly #folder: string;
  #licenses: Delivered[] = [];
  #live: LiveLicense | undefined;
  #refusal: string | undefined;
  /** The last one that was shown: a renewal that waits, or a license that has ended, hides it. */
  #reason = UNSHOWN;

  constructor(field: ProductsInTheField, folder: string, lineage: string, release: Release, delivery: Delivery) {
    this.#field = field;
    this.#folder = folder;
    this.lineage = lineage;
    this.release = release;
    this.delivery = delivery;
    mkdirSync(folder);
  }

  get #path(): string {
    return join(this.#folder, 'license.vtlic');
  }

  #options(folder = this.#folder): LicenseOptions {
    const { product, requireComposite, override = [] } = this.release;
    const keys = override.map((kid) => this.#field.keyOf(kid));
    return {
      environment: {
        NODE_ENV: 'production',
        DEPLOYMENT_MODE: 'onprem',
        LICENSE_PATH: join(folder, 'license.vtlic'),
        LICENSE_STATE_PATH: join(folder, 'license.state'),
        LICENSE_KEYSET_PATH: join(folder, 'chain.keyset'),
        LICENSE_PUBLIC_KEY: keys.map(({ ed25519 }) => encodeBase64(ed25519)).join(','),
        LICENSE_MLDSA_PUBLIC_KEY: keys.some(({ mldsa65 }) => mldsa65 !== undefined)
          ? keys.map(({ mldsa65 }) => (mldsa65 === undefined ? '' : encodeBase64(mldsa65))).join(',')
          : '',
      },
      issuer: ISSUER,
      product,
      ...this.#deployment(),
      keys: this.#field.builtInOf(this.release),
      freeTier: FREE_TIER,
      ...(requireComposite ? { compiledIn: { requireComposite: true } } : {}),
      clocks: { clock: () => this.#field.clock, monotonic: () => this.#field.clock },
    };
  }

  #deployment(): Pick<LicenseOptions, 'deployment'> {
    const dep = this.#licenses[0]?.license.dep;
    return dep === undefined ? {} : { deployment: dep };
  }

  /** A chain that arrives by itself. */
  receiveChain(chain: string): void {
    if (this.release.takesKeysets) writeFileSync(join(this.#folder, 'chain.keyset'), chain);
  }

  /** A license that arrives, with the chain beside it; where it is refused, the one before stays in its place. */
  async receive(license: Delivered, chain: string | undefined): Promise<void> {
    const pasted = chain !== undefined && this.release.takesKeysets ? `${license.text}\n${chain}` : license.text;
    const before = existsSync(this.#path) ? readFileSync(this.#path) : undefined;
    this.#licenses.push(license);
    if (this.#live !== undefined) {
      const installed = await this.#live.install(pasted);
      if (!installed.ok) this.#reason = installed.refusal.code;
      return;
    }
    writeFileSync(this.#path, license.text);
    if (chain !== undefined) this.receiveChain(chain);
    await this.restart();
    if (this.#live !== undefined || before === undefined) return;
    writeFileSync(this.#path, before);
    await this.restart();
  }

  /** A first start with what the customer has, the newest license first. */
  async begin(licenses: readonly Delivered[], chain: string | undefined): Promise<void> {
    if (chain !== undefined) this.receiveChain(chain);
    this.#licenses = [...licenses];
    for (const { text } of licenses.toReversed()) {
      writeFileSync(this.#path, text);
      await this.restart();
      if (this.isLicensed) return;
    }
  }

  async restart(): Promise<void> {
    await this.close();
    try {
      this.#live = await openLicense(this.#options());
      this.#refusal = undefined;
    } catch (error) {
      this.#refusal = refusalOf(error);
    }
  }

  async refresh(): Promise<void> {
    if (this.#live === undefined) await this.restart();
    else await this.#live.refresh();
  }

  async close(): Promise<void> {
    await this.#live?.close();
    this.#live = undefined;
  }

  get isLicensed(): boolean {
    return this.#live?.state === 'active' || this.#live?.state === 'grace';
  }

  get keysetVersion(): number | undefined {
    return this.#live?.view().keysetVersion;
  }

  /** Why an honest license, which is in its term, is refused; undefined where one is in force or none is due. */
  refused(): string | undefined {
    const { clock } = this.#field;
    const isDue = this.#licenses.some(({ license }) => license.nbf <= clock && clock < license.exp);
    if (!isDue || this.isLicensed) return undefined;
    this.#reason = this.#refusal ?? reasonOf(this.#live) ?? this.#reason;
    return this.#reason;
  }

  /**
   * Offers a license that nobody honest delivers: pasted, and as a file before a start of a copy of this install.
   *
   * @returns whether either took it
   */
  async takes(text: string): Promise<boolean> {
    const preview = await this.#live?.preview(text);
    const copy = mkdtempSync(join(tmpdir(), 'vtlic-copied-install-'));
    try {
      cpSync(this.#folder, copy, { recursive: true });
      writeFileSync(join(copy, 'license.vtlic'), text);
      const { cti } = licenseOfFile(Buffer.from(text));
      const started = await openLicense(this.#options(copy)).catch((error: unknown) => void refusalOf(error));
      const isInForce = started !== undefined && started.state !== 'free_tier' && started.view().license?.id === cti;
      await started?.close();
      return preview?.ok === true || isInForce;
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  /** The newest honest license once more, where a dishonest one was in its way. */
  async installAgain(): Promise<void> {
    const newest = this.#licenses.at(-1);
    if (newest !== undefined && !this.isLicensed) await this.#live?.install(newest.text);
  }

  /** Whether a license with a higher counter of the lineage is in force, so that this one would be a rollback. */
  isAbove({ ctr }: License): boolean {
    return this.isLicensed && (this.#live?.view().license?.counter ?? 0) > ctr;
  }

  /** What a thief does with an install that he operates. */
  async paste(text: string): Promise<boolean> {
    return (await this.#live?.install(text))?.ok === true;
  }
}

function refusalOf(error: unknown): string {
  if (!(error instanceof VtlicError) || error.code !== 'license_refused') throw error;
  return (error.cause as { readonly code: string }).code;
}

function reasonOf(live: LiveLicense | undefined): string | undefined {
  return live?.view().warnings.find(({ code }) => Object.hasOwn(REASONS, code))?.code;
}

export class ProductsInTheField {
  readonly #site: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'vtlic-field-'));
  readonly #files = new Set<string>();
  readonly #delivered = new Map<string, Delivered[]>();
  #installs: Install[] = [];
  #made = 0;
  #chain: string | undefined;
  /** Seconds since 1970, for every install. */
  clock = 0;

  constructor(site: string) {
    this.#site = site;
  }

  get installs(): readonly Install[] {
    return this.#installs;
  }

  /** The newest honest license of each customer. */
  get licenses(): readonly Delivered[] {
    return [...this.#delivered.values()].flatMap((all) => all.slice(-1));
  }

  /** Older licenses of each customer, which no install takes back. */
  get replaced(): readonly Delivered[] {
    return [...this.#delivered.values()].flatMap((all) => all.slice(0, -1));
  }

  keyOf(kid: string): PublicKey {
    const key = openSite(this.#site).config.keys.find(({ publicKey }) => publicKey.kid === kid)?.publicKey;
    if (key === undefined) throw new Error(`the site has no key ${kid}`);
    return key;
  }

  builtInOf({ builtIn }: Release): LicenseOptions['keys'] {
    if ('keys' in builtIn)
      return makeTrust({
        keys: builtIn.keys.map((kid) => ({ key: this.keyOf(kid), purpose: 'license', status: 'active' })),
      });
    const versions = readdirSync(join(this.#site, 'keysets'))
      .flatMap((name) => /^(\d+)\.keyset$/.exec(name)?.[1] ?? [])
      .map(Number)
      .filter((version) => version <= builtIn.keyset)
      .toSorted((a, b) => a - b);
    const blocks = versions.map((version) => readFileSync(join(this.#site, 'keysets', `${version}.keyset`)));
    return builtInChain(Buffer.concat(blocks), { issuer: ISSUER });
  }

  /** Takes what the site has shipped, published and released by now to the customers. */
  async look(now: number): Promise<void> {
    this.clock = Math.max(this.clock, now);
    const chain = join(this.#site, 'keysets/chain.keyset');
    const published = existsSync(chain) ? readFileSync(chain, 'utf8') : undefined;
    if (published !== undefined && published !== this.#chain) {
      this.#chain = published;
      for (const install of this.#installs) if (install.delivery === 'at once') install.receiveChain(published);
    }
    for (const file of this.#newLicenses()) await this.#deliver(file);
    await this.#ship();
  }

  #newLicenses(): readonly Uint8Array[] {
    const folder = join(this.#site, 'out');
    if (!existsSync(folder)) return [];
    const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.vtlic') && !this.#files.has(name))
      .map((name) => {
        this.#files.add(name);
        return readFileSync(join(folder, name));
      });
    return found.toSorted((a, b) => licenseOfFile(a).ctr - licenseOfFile(b).ctr);
  }

  async #deliver(file: Uint8Array): Promise<void> {
    const delivered: Delivered = { text: Buffer.from(file).toString('utf8'), license: licenseOfFile(file) };
    const lineage = lineageKey(delivered.license);
    const all = this.#delivered.get(lineage) ?? [];
    this.#delivered.set(lineage, [...all, delivered]);
    for (const install of this.#installs)
      if (install.lineage === lineage) await install.receive(delivered, this.#chain);
  }

  /** The releases of today: new ones are installed at every customer, and those that are over go. */
  async #ship(): Promise<void> {
    const file = join(this.#site, 'releases.json');
    if (!existsSync(file)) return;
    const releases = readReleases(file).filter(
      ({ from, until }) => from <= this.clock && this.clock < (until ?? Infinity),
    );
    const [newest] = releases.toSorted((a, b) => b.from - a.from);
    for (const [lineage, licenses] of this.#delivered) {
      for (const release of releases)
        for (const delivery of ['at once', 'with a license'] as const)
          await this.#installOnce(lineage, release, delivery, licenses);
      if (newest !== undefined) await this.#upgrade(lineage, newest);
    }
    const gone = this.#installs.filter(({ release }) => !releases.some(({ name }) => name === release.name));
    for (const install of gone) await install.close();
    this.#installs = this.#installs.filter((install) => !gone.includes(install));
  }

  async #installOnce(
    lineage: string,
    release: Release,
    delivery: Delivery,
    licenses: readonly Delivered[],
  ): Promise<void> {
    const isThere = this.#installs.some(
      (install) =>
        install.lineage === lineage && install.release.name === release.name && install.delivery === delivery,
    );
    if (isThere || (delivery === 'with a license' && !release.takesKeysets)) return;
    const install = new Install(this, join(this.#folder, String(this.#made++)), lineage, release, delivery);
    this.#installs.push(install);
    // Of a customer who was there before the release, no chain came with the license.
    const isNew = licenses.every(({ license }) => license.iat >= release.from);
    await install.begin(licenses, delivery === 'at once' || isNew ? this.#chain : undefined);
  }

  async #upgrade(lineage: string, release: Release): Promise<void> {
    const own = this.#upgraded.get(lineage);
    if (own === undefined) {
      const install = new Install(this, join(this.#folder, String(this.#made++)), lineage, release, 'with a license');
      this.#upgraded.set(lineage, install);
      this.#installs.push(install);
      await install.begin(this.#delivered.get(lineage) ?? [], this.#chain);
    } else if (own.release.name !== release.name) {
      own.release = release;
      await own.restart();
    }
  }

  readonly #upgraded = new Map<string, Install>();

  /** The published chain, to every install that takes keysets; a license that it frees is installed again. */
  async deliverChain(): Promise<void> {
    for (const install of this.#installs) {
      if (this.#chain !== undefined) install.receiveChain(this.#chain);
      await install.refresh();
      await install.installAgain();
    }
  }

  /** Asks every install while it runs, and again after a new start. Sorted, each once. */
  async ask(now: number): Promise<readonly FieldRefusal[]> {
    await this.look(now);
    const found = new Map<string, FieldRefusal>();
    for (const install of this.#installs)
      for (const live of [() => install.refresh(), () => install.restart()]) {
        await live();
        const { lineage } = install;
        const refused = install.refused();
        if (refused === undefined) continue;
        const release = install.release.name;
        found.set(`${release} ${lineage} ${refused}`, { release, lineage, reason: refused });
      }
    const refusals = [...found.keys()].toSorted().flatMap((name) => found.get(name) ?? []);
    const isNamed = ({ release, lineage }: FieldRefusal): boolean =>
      refusals.some((other) => other.reason !== UNSHOWN && other.release === release && other.lineage === lineage);
    return refusals.filter((refusal) => refusal.reason !== UNSHOWN || !isNamed(refusal));
  }

  /** The installs that take a license which they should not. */
  async takers(text: string): Promise<readonly Install[]> {
    const license = licenseOfFile(Buffer.from(text));
    const takers: Install[] = [];
    for (const install of this.#installs)
      if (install.lineage === lineageKey(license) && (await install.takes(text))) takers.push(install);
    return takers;
  }

  async remove(): Promise<void> {
    for (const install of this.#installs) await install.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A prediction of `vtlic rotation simulate --json`. */
export interface Prediction {
  readonly refused: readonly {
    readonly lineage: string;
    readonly release: string;
    readonly from: string;
    readonly until: string;
    readonly reason: string;
  }[];
}

/** What a prediction says of a day, in the order of `ask`. */
export function predictedOn({ refused }: Prediction, now: number): readonly FieldRefusal[] {
  const day = new Date(now * 1000).toISOString().slice(0, 10);
  const found = refused
    .filter(({ from, until }) => from <= day && day <= until)
    .map(({ release, lineage, reason }): FieldRefusal => ({ release, lineage, reason }));
  const nameOf = ({ release, lineage, reason }: FieldRefusal): string => `${release} ${lineage} ${reason}`;
  return found.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
