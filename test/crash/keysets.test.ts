/**
 * The process is killed at each step of signing and of publishing a keyset. The same command finishes the act; no root
 * key signs two payloads for a version, no version is published twice, and no act is missing from the record.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../formats/bytes.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import type { Step } from '../../signer/runtime.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const STOPS = join(import.meta.dirname, 'main-that-stops.ts');

/** Each step, and whether the root key has to refuse another draft of the version from then on. */
const SIGNING: readonly (readonly [Step, 'free' | 'bound'])[] = [
  ['ledger-open', 'free'],
  ['recovered', 'free'],
  ['keyset-signing-recorded', 'bound'],
  ['keyset-signing-anchored', 'bound'],
  ['root-record-written', 'bound'],
  ['keyset-signed', 'bound'],
];
const PUBLISHING: readonly (readonly [Step, 'draft' | 'published'])[] = [
  ['ledger-open', 'draft'],
  ['recovered', 'draft'],
  ['keyset-recorded', 'published'],
  ['keyset-anchored', 'published'],
  ['keyset-file-written', 'published'],
  ['keyset-chain-written', 'published'],
];
const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '1', '--activate', 'license-1'];

let fixture: SiteFixture;
let acts: KeysetActs;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  await addKey(fixture, 'root-1', 'root');
  await addKey(fixture, 'root-2', 'root');
  acts = new KeysetActs(fixture);
});
afterEach(() => {
  fixture.remove();
});

function killedAt(step: Step, args: readonly string[]): void {
  const done = runCli([step, 'SIGKILL', ...args, '--site', fixture.site], { main: STOPS });
  expect(done.signal ?? (done.code === 137 ? 'SIGKILL' : done.stderr)).toBe('SIGKILL');
}

function run(args: readonly string[]): CliResult {
  return runCli([...args, '--site', fixture.site]);
}

function digestOf(draft: string): string {
  return /SHA-256 ([0-9a-f]{64})/.exec(run(['keyset', 'show', draft]).stdout)?.[1] ?? '';
}

/** Every act of the ledger on keysets, after all of it was recomputed. */
async function recorded(): Promise<readonly string[]> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    await ledger.verify();
    return ledger.adminEntries().flatMap(({ body }) => {
      if (!('act' in body) || (body.act !== 'keyset' && body.act !== 'keyset-signing')) return [];
      return [`${body.act} ${body.version} ${toHex(body.payloadDigest)}`];
    });
  } finally {
    ledger.close();
  }
}

describe('kill -9 of vtlic keyset sign', () => {
  it.each(SIGNING)('after %s leaves the key %s, and the same command signs', async (step, state) => {
    const [draft, other] = [
      await acts.draft('1.draft', ...FIRST),
      await acts.draft('other.draft', ...FIRST, '--expires', '2040-01-01'),
    ];
    const sign = (of: string): readonly string[] => {
      const confirm = ['--key', 'root-1', '--confirm', digestOf(of), ...fixture.secret];
      return ['keyset', 'sign', of, ...confirm];
    };
    killedAt(step, sign(draft));
    expect(readdirSync(fixture.folder).filter((name) => name.endsWith('.signature'))).toEqual([]);
    if (state === 'bound') {
      const refused = run(sign(other));
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 1 already')]);
    }
    const done = run(sign(draft));
    expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
    const refused = run(sign(other));
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 1 already')]);
    expect(await recorded()).toEqual([`keyset-signing 1 ${digestOf(draft)}`]);
    await acts.publish(draft, done.stdout.trim());
  });
});

describe('kill -9 of vtlic keyset publish', () => {
  it.each(PUBLISHING)('after %s leaves it %s, and the same command ends with the files', async (step, state) => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const signature = await acts.sign(draft, 'root-1');
    const args = ['keyset', 'publish', draft, signature, '--confirm', digestOf(draft)];
    killedAt(step, args);
    const published = (await recorded()).filter((act) => act.startsWith('keyset 1'));
    expect(published.length).toBe(state === 'published' ? 1 : 0);
    const done = run(args);
    expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
    expect((await recorded()).filter((act) => act.startsWith('keyset 1'))).toHaveLength(1);
    const chain = readFileSync(join(fixture.site, 'keysets/chain.keyset'));
    expect(readFileSync(join(fixture.site, 'keysets/1.keyset'))).toEqual(chain);
    expect(readdirSync(join(fixture.site, 'keysets')).sort()).toEqual(['1.keyset', 'chain.keyset']);
    // The next version follows.
    await acts.next('2.draft', ['--expires', '2040-01-01'], ['root-2']);
  });
});

describe('a stop of vtlic keyset adopt', () => {
  it.each(['keyset-recorded', 'keyset-anchored', 'keyset-file-written'] as const)(
    'after %s is finished by the same command, and every version is recorded once',
    async (step) => {
      await acts.next('1.draft', FIRST, ['root-1']);
      await acts.next('2.draft', ['--expires', '2040-01-01'], ['root-2']);
      const other = await makeSite({ algorithm: 'ed25519' });
      try {
        const args = ['keyset', 'adopt', join(fixture.site, 'keysets/chain.keyset')];
        const stopped = new KeysetActs(other, {
          step: (done) => (done === step ? Promise.reject(new Error('stopped')) : Promise.resolve()),
        });
        expect((await stopped.run(...args)).code).toBe(1);
        const there = new KeysetActs(other);
        await there.succeed(there.run(...args));
        expect(readFileSync(join(other.site, 'keysets/chain.keyset'))).toEqual(
          readFileSync(join(fixture.site, 'keysets/chain.keyset')),
        );
        const ledger = openLedgerForReading(join(other.site, 'ledger.sqlite'));
        try {
          await ledger.verify();
          expect(ledger.adminEntries().map(({ body }) => ('version' in body ? body.version : 0))).toEqual([1, 2]);
        } finally {
          ledger.close();
        }
      } finally {
        other.remove();
      }
    },
  );
});

describe('two copies of a site', () => {
  it('never sign two payloads for a version while they share the anchor', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const other = await acts.draft('other.draft', ...FIRST, '--expires', '2040-01-01');
    const copy = join(fixture.folder, 'copy');
    cpSync(fixture.site, copy, { recursive: true });
    await acts.sign(draft, 'root-1');
    const sign = ['keyset', 'sign', other, '--key', 'root-1', '--confirm', digestOf(other), '--site', copy];
    const refused = runCli([...sign, ...fixture.secret]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('the ledger is older than its anchor')]);
    expect(existsSync(`${other}.signature`)).toBe(false);
  });

  it('are held apart by the record beside the key, where only the ledger and its anchor were put back', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const other = await acts.draft('other.draft', ...FIRST, '--expires', '2040-01-01');
    const files = ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm'];
    const old = files.flatMap((name) => {
      const path = join(fixture.site, name);
      return existsSync(path) ? [[path, readFileSync(path)] as const] : [];
    });
    const anchor = join(fixture.folder, 'old-anchor');
    cpSync(fixture.anchor, anchor);
    cpSync(`${fixture.anchor}.guard`, `${anchor}.guard`, { recursive: true });
    await acts.sign(draft, 'root-1');
    for (const name of files) rmSync(join(fixture.site, name), { force: true });
    for (const [path, bytes] of old) writeFileSync(path, bytes);
    rmSync(`${fixture.anchor}.guard`, { recursive: true });
    cpSync(anchor, fixture.anchor);
    cpSync(`${anchor}.guard`, `${fixture.anchor}.guard`, { recursive: true });
    const sign = ['keyset', 'sign', other, '--key', 'root-1', '--confirm', digestOf(other)];
    const refused = run([...sign, ...fixture.secret]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 1 already')]);
  });
});
