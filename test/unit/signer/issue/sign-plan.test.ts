/** In which order a license leaves, seen from the disk, and what a run that fails leaves behind. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anchorStatus } from '../../../../signer/ledger/status.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import type { Step } from '../../../../signer/runtime.ts';
import { csv, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

const COMMANDS: readonly [string, () => readonly string[]][] = [
  ['issue', () => ['issue', writeRequest(fixture)]],
  ['batch', () => ['batch', writeBatch(fixture, csv([row('acme-gmbh')])), '--new-customers']],
];

async function plan(args: readonly string[]): Promise<string> {
  return (await runHere([...args, '--site', fixture.site, '--dry-run'])).stdout.trim();
}

async function confirm(command: string, digest: string, runtime: Parameters<typeof runHere>[1] = {}): Promise<RanHere> {
  return runHere([command, '--confirm', digest, '--site', fixture.site, ...fixture.secret], runtime);
}

interface OnDisk {
  readonly kinds: readonly string[];
  /** Whether the anchor covers every license that the ledger has. */
  readonly isCovered: boolean | undefined;
}

async function onDisk(): Promise<OnDisk> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    return {
      kinds: [...ledger.entriesFrom(2)].map((entry) => (entry.kind === 'void' ? entry.body.reason : entry.kind)),
      isCovered: (await anchorStatus(ledger)).allLeaves,
    };
  } finally {
    ledger.close();
  }
}

describe.each(COMMANDS)('a license of %s', (command, args) => {
  it('is intended on disk before a key signs it, and covered by the anchor before its file is written', async () => {
    const seen = new Map<Step, OnDisk>();
    const digest = await plan(args());
    const done = await confirm(command, digest, {
      step: async (step) => {
        seen.set(step, await onDisk());
      },
    });
    expect(done.code, done.stderr).toBe(0);
    expect(seen.get('key-open')).toMatchObject({ kinds: [] });
    expect(seen.get('intent-durable')).toMatchObject({ kinds: ['intent'] });
    expect(seen.get('issue-durable')).toMatchObject({ kinds: ['intent', 'issue'], isCovered: false });
    expect(seen.get('file-written')).toMatchObject({ kinds: ['intent', 'issue'], isCovered: true });
    expect(seen.get('release-durable')).toMatchObject({ kinds: ['intent', 'issue', 'release'], isCovered: true });
  });
});

describe('a run of issue that fails', () => {
  it('leaves its counter void, not open, when it is interrupted between the intent and the signature', async () => {
    const digest = await plan(['issue', writeRequest(fixture)]);
    let isInterrupted = false;
    const done = await confirm('issue', digest, {
      step: (step) => {
        isInterrupted ||= step === 'intent-durable';
        return Promise.resolve();
      },
      interrupted: () => isInterrupted,
    });
    expect([done.code, done.stderr]).toEqual([130, expect.stringContaining('counter 1 of')]);
    expect((await onDisk()).kinds).toEqual(['intent', 'interrupted']);
  });

  it('signs nothing when the counter of its plan was used since: it exits with 10 and names the last one used', async () => {
    const request = writeRequest(fixture);
    const first = await plan(['issue', request]);
    const second = await plan(['issue', request]);
    expect((await confirm('issue', first)).code).toBe(0);
    const done = await confirm('issue', second);
    expect([done.code, done.stderr]).toEqual([10, expect.stringContaining('but 1 is the last one used now')]);
    expect((await onDisk()).kinds).toEqual(['intent', 'issue', 'release']);
  });
});
