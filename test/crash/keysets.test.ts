/**
 * The process is killed at each step of signing, publishing and adopting a keyset, and of an emergency license. The
 * same command finishes the act; no root key signs two payloads for a version, no version is published twice, no plan
 * leads to two licenses, and no act is missing from the record.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../formats/bytes.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { sha256Hex } from '../../files/index.ts';
import { readKeysetBlocks } from '../../signer/keyset/adopt-chain.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import type { Step } from '../../signer/runtime.ts';
import { FIRST_OF_TWO_ROOTS, KeysetActs, makeSiteWithRoots } from '../support/keyset-acts.ts';
import { licenseOfFile } from '../support/products-in-the-field.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

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
const RESTORING: readonly Step[] = ['restore-drafted', 'restore-anchored', 'restore-cleared', 'restore-placed'];
/** Each step of the emergency license, and whether the plan is used up from then on. */
const ISSUING: readonly (readonly [Step, 'unsigned' | 'signed'])[] = [
  ['ledger-open', 'unsigned'],
  ['recovered', 'unsigned'],
  ['key-open', 'unsigned'],
  ['intent-durable', 'unsigned'],
  ['signed', 'unsigned'],
  ['self-checked', 'unsigned'],
  ['issue-durable', 'signed'],
  ['anchor-durable', 'signed'],
  ['file-written', 'signed'],
  ['file-linked', 'signed'],
  ['release-durable', 'signed'],
];

let fixture: SiteFixture;
let acts: KeysetActs;
beforeEach(async () => {
  acts = await makeSiteWithRoots();
  fixture = acts.fixture;
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
async function recorded(of = fixture): Promise<readonly string[]> {
  const ledger = openLedgerForReading(join(of.site, 'ledger.sqlite'));
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

function digestInChain(version: number): string {
  const blocks = readKeysetBlocks(readFileSync(join(fixture.site, 'keysets/chain.keyset')));
  return sha256Hex(blocks.find(({ keyset }) => keyset.version === version)?.payload ?? new Uint8Array());
}

function allowEmergencies(): void {
  const file = join(fixture.site, 'catalog.json');
  const catalog = JSON.parse(readFileSync(file, 'utf8')) as { products: { vaultdesk: Record<string, unknown> } };
  catalog.products.vaultdesk['maxEmergencyDays'] = 14;
  writeFileSync(file, JSON.stringify(catalog));
}

/** Every license of the ledger, after all of it was recomputed. */
async function issued(): Promise<readonly License[]> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    await ledger.verify();
    const entries = [...ledger.entriesFrom(1)];
    return entries.flatMap((entry) => {
      if (entry.kind !== 'issue') return [];
      const intent = entries.find(({ seq }) => seq === entry.body.intent);
      return intent?.kind === 'intent' ? [decodeLicense(intent.body.payload)] : [];
    });
  } finally {
    ledger.close();
  }
}

function licensesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.vtlic'))
    .map((name) => join(folder, name));
}

describe('kill -9 of vtlic keyset sign', () => {
  it.each(SIGNING)('after %s leaves the key %s, and the same command signs', async (step, state) => {
    const [draft, other] = [
      await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS),
      await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01'),
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
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
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

describe('kill -9 of vtlic keyset adopt', () => {
  it('at each step is finished by the same command, and every version is recorded once', async () => {
    await acts.next('1.draft', FIRST_OF_TWO_ROOTS, ['root-1']);
    await acts.next('2.draft', ['--expires', '2040-01-01'], ['root-2']);
    const versions = [1, 2].map((version) => `keyset ${version} ${digestInChain(version)}`);
    for (const [step, state] of PUBLISHING) {
      const other = await makeSite({ algorithm: 'ed25519' });
      try {
        const args = ['keyset', 'adopt', join(fixture.site, 'keysets/chain.keyset'), '--site', other.site];
        const killed = new PtyRun([step, 'SIGKILL', ...args], { main: STOPS });
        if (state === 'published') {
          await killed.until(/Type ADOPT/);
          killed.type('ADOPT\r');
        }
        expect([step, await killed.ended()]).toEqual([step, 137]);
        expect([step, await recorded(other)]).toEqual([step, state === 'published' ? versions : []]);
        const there = new KeysetActs(other);
        await there.succeed(there.run(...args.slice(0, 3)));
        expect([step, await recorded(other)]).toEqual([step, versions]);
        for (const name of ['chain.keyset', '2.keyset'])
          expect(readFileSync(join(other.site, 'keysets', name))).toEqual(
            readFileSync(join(fixture.site, 'keysets', name)),
          );
      } finally {
        other.remove();
      }
    }
  });
});

describe('kill -9 of vtlic issue --emergency', () => {
  it.each(ISSUING)('after %s leaves the plan %s, and the same command ends with one license', async (step, state) => {
    allowEmergencies();
    const request = writeRequest(fixture);
    const digest = await acts.succeed(acts.run('issue', request, '--emergency', '--dry-run'));
    const args = ['issue', '--emergency', '--confirm', digest, ...fixture.secret];
    killedAt(step, args);
    expect(await issued()).toHaveLength(state === 'signed' ? 1 : 0);
    const done = run(args);
    expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
    const again = run(args);
    expect([again.code, again.stdout, again.stderr]).toEqual([
      0,
      done.stdout,
      expect.stringContaining('this plan was used today'),
    ]);
    const [license, ...others] = await issued();
    expect(others).toEqual([]);
    expect(license?.use).toBe('emergency');
    expect(licensesIn(join(fixture.site, 'out'))).toEqual([done.stdout.trim()]);
    expect(licenseOfFile(readFileSync(done.stdout.trim()))).toEqual(license);
    const status = run(['rotation', 'status']);
    expect(status.stdout.match(/to do: /g)).toHaveLength(1);
  });
});

describe('kill -9 of vtlic ledger restore', () => {
  it('at each step loses no version that a root key may have signed in what the restored folder lacks', async () => {
    const old = join(fixture.folder, 'old-site');
    cpSync(fixture.site, old, { recursive: true });
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    await acts.sign(draft, 'root-1');
    const other = await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01', '--version', '1');
    const anchor = join(fixture.folder, 'anchor-then');
    cpSync(fixture.anchor, anchor);
    cpSync(`${fixture.anchor}.guard`, `${anchor}.guard`, { recursive: true });
    for (const step of RESTORING) {
      rmSync(fixture.site, { recursive: true });
      cpSync(old, fixture.site, { recursive: true });
      rmSync(`${fixture.anchor}.guard`, { recursive: true });
      cpSync(anchor, fixture.anchor);
      cpSync(`${anchor}.guard`, `${fixture.anchor}.guard`, { recursive: true });
      const args = ['ledger', 'restore', '--site', fixture.site];
      const killed = new PtyRun([step, 'SIGKILL', ...args], { main: STOPS });
      await killed.until(/Type RESTORE/);
      killed.type('RESTORE\r');
      expect([step, await killed.ended()]).toEqual([step, 137]);
      await acts.succeed(acts.run('ledger', 'restore'));
      for (const root of ['root-1', 'root-2']) {
        const refused = await acts.runOpen('keyset', 'sign', other, '--key', root);
        expect([step, refused.code, refused.stderr]).toEqual([
          step,
          4,
          expect.stringContaining('a version up to 1 may have been signed'),
        ]);
      }
      await acts.succeed(acts.run('ledger', 'verify'));
    }
  });
});

describe('two copies of a site', () => {
  it('never sign two payloads for a version while they share the anchor', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const other = await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01');
    const copy = join(fixture.folder, 'copy');
    cpSync(fixture.site, copy, { recursive: true });
    await acts.sign(draft, 'root-1');
    const sign = ['keyset', 'sign', other, '--key', 'root-1', '--confirm', digestOf(other), '--site', copy];
    const refused = runCli([...sign, ...fixture.secret]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('the ledger is older than its anchor')]);
    expect(existsSync(`${other}.signature`)).toBe(false);
  });

  it('are held apart by the record beside the key, where only the ledger and its anchor were put back', async () => {
    const draft = await acts.draft('1.draft', ...FIRST_OF_TWO_ROOTS);
    const other = await acts.draft('other.draft', ...FIRST_OF_TWO_ROOTS, '--expires', '2040-01-01');
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
