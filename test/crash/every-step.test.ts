/**
 * The process is killed at each step between the officer's confirmation and the release. The next start must finish by
 * itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import type { Entry } from '../../signer/ledger/entries/entry.ts';
import { openSite } from '../../signer/site/site.ts';
import type { Step } from '../../signer/runtime.ts';
import { makeTrust, verify } from '../../verifier/index.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const STOPS = join(import.meta.dirname, 'main-that-stops.ts');

/** Every step, and whether a license must have come out of it once the next run has recovered. */
const STEPS: readonly (readonly [Step, 'nothing' | 'void' | 'released'])[] = [
  ['ledger-open', 'nothing'],
  ['recovered', 'nothing'],
  ['key-open', 'nothing'],
  ['intent-durable', 'void'],
  ['signed', 'void'],
  ['self-checked', 'void'],
  ['issue-durable', 'released'],
  ['anchor-durable', 'released'],
  ['file-written', 'released'],
  ['file-linked', 'released'],
  ['release-durable', 'released'],
];

let fixture: SiteFixture | undefined;
afterEach(() => {
  fixture?.remove();
});

function plan(site: SiteFixture): string {
  const done = runCli(['issue', writeRequest(site), '--site', site.site, '--dry-run']);
  expect(done.stderr + done.stdout).toMatch(/[0-9a-f]{64}/);
  return done.stdout.trim();
}

function confirm(
  site: SiteFixture,
  digest: string,
  stop?: { readonly step: Step; readonly signal: NodeJS.Signals },
): CliResult {
  const args = ['issue', '--site', site.site, '--confirm', digest, ...site.secret];
  return stop === undefined ? runCli(args) : runCli([stop.step, stop.signal, ...args], { main: STOPS });
}

interface Found {
  readonly entries: readonly Entry[];
  /** Files of licenses under out/, with what they hold. */
  readonly files: readonly string[];
}

/** What is on disk, after the ledger has been recomputed from its bytes. */
async function look(site: SiteFixture): Promise<Found> {
  const ledger = openLedgerForReading(join(site.site, 'ledger.sqlite'));
  try {
    await ledger.verify();
    const out = join(site.site, 'out');
    const files = existsSync(out)
      ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'))
      : [];
    return { entries: [...ledger.entriesFrom(1)], files };
  } finally {
    ledger.close();
  }
}

/** No counter on two licenses; each file verifies and is in the ledger; nothing half-written. */
function checkInvariants(site: SiteFixture, found: Found): void {
  const intents = new Map(
    found.entries.flatMap((entry) => (entry.kind === 'intent' ? [[entry.seq, entry] as const] : [])),
  );
  const counters = [...intents.values()].map(
    (entry) => `${entry.body.sub}/${entry.body.aud}/${entry.body.dep ?? ''}/${entry.body.ctr}`,
  );
  expect(new Set(counters).size).toBe(counters.length);
  const issued = found.entries.flatMap((entry) => (entry.kind === 'issue' ? [entry.body.intent] : []));
  expect(new Set(issued).size).toBe(issued.length);
  const paths = issued.map((seq) => intents.get(seq)?.body.path);
  expect(found.files.map((name) => `out/${name}`).sort()).toEqual([...paths].sort());
  const trust = makeTrust({
    keys: openSite(site.site).config.keys.map((record) => ({
      key: record.publicKey,
      purpose: record.purpose,
      status: 'active' as const,
    })),
  });
  for (const name of found.files) {
    const verdict = verify(readFileSync(join(site.site, 'out', name)), trust, {
      issuer: 'example-vendor',
      product: 'vaultdesk',
      deployment: 'prod-eu',
      now: Math.floor(Date.now() / 1000),
      defaultGrace: 0,
    });
    const intent = [...intents.values()].find((entry) => entry.body.path === `out/${name}`);
    expect(verdict.ok ? verdict.license.ctr : verdict.reason).toBe(
      intent === undefined ? undefined : decodeLicense(intent.body.payload).ctr,
    );
  }
}

describe('kill -9', () => {
  it.each(STEPS)('a kill after %s ends in "%s", and the next license takes a higher counter', async (step, outcome) => {
    fixture = await makeSite();
    const digest = plan(fixture);
    const killed = confirm(fixture, digest, { step, signal: 'SIGKILL' });
    expect(killed.signal ?? (killed.code === 137 ? 'SIGKILL' : undefined)).toBe('SIGKILL');

    // The next start: the same plan again. Its counter is free only where nothing had been reserved.
    const next = confirm(fixture, digest);
    const found = await look(fixture);
    const kinds = found.entries.map((entry) => entry.kind);
    if (outcome === 'nothing') {
      expect(next.code).toBe(0);
      expect(kinds).toEqual(['genesis', 'intent', 'issue', 'release']);
    } else {
      expect(next.code).toBe(10);
      expect(next.stderr).toContain('counter 1');
      if (step !== 'release-durable') expect(next.stderr).toContain('recovered:');
      expect(kinds).toEqual(
        outcome === 'void' ? ['genesis', 'intent', 'void'] : ['genesis', 'intent', 'issue', 'release'],
      );
    }
    checkInvariants(fixture, found);

    // And the lineage goes on, with a higher counter.
    expect(confirm(fixture, plan(fixture)).code).toBe(0);
    const after = await look(fixture);
    checkInvariants(fixture, after);
    expect(after.entries.filter((entry) => entry.kind === 'intent').map((entry) => entry.body.ctr)).toEqual([1, 2]);
    expect(readdirSync(join(fixture.site, 'out/vaultdesk/acme-gmbh')).filter((name) => name.endsWith('.tmp'))).toEqual(
      [],
    );
    expect(readFileSync(join(fixture.site, 'site.json'), 'utf8')).toContain('license-1');
  });
});

describe('Ctrl-C, a closed window and kill', () => {
  it.each([
    ['ledger-open', 'nothing', 'SIGINT'],
    ['key-open', 'nothing', 'SIGINT'],
    ['intent-durable', 'void', 'SIGINT'],
    ['issue-durable', 'released', 'SIGINT'],
    ['file-written', 'released', 'SIGINT'],
    ['key-open', 'nothing', 'SIGTERM'],
    ['issue-durable', 'released', 'SIGHUP'],
  ] as const)(
    'a stop after %s ends in "%s" (%s), and the record says so without a recovery',
    async (step, outcome, signal) => {
      fixture = await makeSite();
      const stopped = confirm(fixture, plan(fixture), { step, signal });
      const found = await look(fixture);
      const kinds = found.entries.map((entry) => entry.kind);
      if (outcome === 'released') {
        expect(stopped.code).toBe(0);
        expect(kinds).toEqual(['genesis', 'intent', 'issue', 'release']);
      } else {
        expect(stopped.code).toBe(130);
        expect(stopped.stdout).toBe('');
        expect(kinds).toEqual(outcome === 'void' ? ['genesis', 'intent', 'void'] : ['genesis']);
        expect(found.entries.flatMap((entry) => (entry.kind === 'void' ? [entry.body.reason] : []))).toEqual(
          outcome === 'void' ? ['interrupted'] : [],
        );
      }
      checkInvariants(fixture, found);
    },
  );
});
