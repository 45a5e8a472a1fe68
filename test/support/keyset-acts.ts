/** What tests of keysets do again and again: draft, sign and publish with the real commands, in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Runtime } from '../../signer/runtime.ts';
import { CONSENTING, runHere, type RanHere } from './run-here.ts';
import { addKey } from './site-keys.ts';
import { makeSite, type SiteFixture } from './site-fixture.ts';

/** The options of a first draft: two root keys, of which each signs, and the license key of the site. */
export const FIRST_OF_TWO_ROOTS: readonly string[] =
  '--add-root root-1 --add-root root-2 --threshold 1 --activate license-1'.split(' ');

/** A site with an Ed25519 license key and the root keys `root-1` and `root-2`; the caller removes its fixture. */
export async function makeSiteWithRoots(): Promise<KeysetActs> {
  const fixture = await makeSite({ algorithm: 'ed25519' });
  for (const root of ['root-1', 'root-2']) await addKey(fixture, root, 'root');
  return new KeysetActs(fixture);
}

export class KeysetActs {
  readonly fixture: SiteFixture;
  readonly runtime: Partial<Runtime>;

  constructor(fixture: SiteFixture, runtime: Partial<Runtime> = {}) {
    this.fixture = fixture;
    this.runtime = runtime;
  }

  /** Any command of the site; an officer at the terminal types what it asks for. */
  run(...args: readonly string[]): Promise<RanHere> {
    return runHere([...args, '--site', this.fixture.site], this.runtime, CONSENTING);
  }

  /** The same, with the secrets of the site. */
  runOpen(...args: readonly string[]): Promise<RanHere> {
    return this.run(...args, ...this.fixture.secret);
  }

  async succeed(run: Promise<RanHere>): Promise<string> {
    const { code, stdout, stderr } = await run;
    expect([code, stderr]).toEqual([0, expect.anything()]);
    return stdout.trim();
  }

  file(name: string): string {
    return join(this.fixture.folder, name);
  }

  /** @returns the path of the draft */
  draft(name: string, ...args: readonly string[]): Promise<string> {
    return this.succeed(this.run('keyset', 'draft', ...args, '--out', this.file(name)));
  }

  /** @returns the path of the signature */
  sign(draft: string, key: string): Promise<string> {
    return this.succeed(this.runOpen('keyset', 'sign', draft, '--key', key));
  }

  /** @returns the path of the chain */
  publish(draft: string, ...signatures: readonly string[]): Promise<string> {
    return this.succeed(this.run('keyset', 'publish', draft, ...signatures));
  }

  /** Drafts, signs with each key, and publishes. */
  async next(name: string, args: readonly string[], keys: readonly string[]): Promise<string> {
    const draft = await this.draft(name, ...args);
    return this.publishSigned(draft, keys);
  }

  async publishSigned(draft: string, keys: readonly string[]): Promise<string> {
    const signatures: string[] = [];
    for (const key of keys) signatures.push(await this.sign(draft, key));
    return this.publish(draft, ...signatures);
  }

  json(path: string): Record<string, unknown> {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  }
}
