/**
 * A batch signed in a token that goes away in the midst of it, and one that a person stops: what is void is listed,
 * the rest goes on.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../support/exit-codes.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { csv, customers, row } from '../support/batch-file.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';

const MAIN_WITH_LIMITS = fileURLToPath(new URL('./support/main-with-limits.ts', import.meta.url));
const ROWS = 40;

let token: FaultyToken;
let folder: string;
let site: string;
let secret: readonly string[];

const run = (...args: readonly string[]): CliResult => runCli(args, { env: { ...token.environment } });
const plan = (name: string, ...more: readonly string[]): string =>
  run('batch', join(folder, `${name}.csv`), '--site', site, '--new-customers', '--dry-run', ...more).stdout.trim();

beforeAll(() => {
  const made = makeKryoptic(['t']);
  token = faulty(made, []);
  folder = mkdtempSync(join(tmpdir(), 'vtlic-token-batch-'));
  site = join(folder, 'site');
  writeFileSync(join(folder, 'pin'), made.pin, { mode: 0o600 });
  secret = ['--secret', `hsm=file:${join(folder, 'pin')}`];
  for (const name of ['hang', 'stop'])
    writeFileSync(join(folder, `${name}.csv`), csv(customers(ROWS).map((customer) => row(`${name}-${customer}`))));
  expect(
    run(
      'init',
      site,
      '--issuer',
      'example-vendor',
      '--example-catalog',
      '--keystore',
      `hsm=pkcs11:token=t?module-path=${token.module}`,
    ),
  ).toMatchObject({ code: 0 });
  expect(run('key', 'generate', '--site', site, '--name', 'k', ...secret)).toMatchObject({ code: 0 });
});
afterAll(() => {
  token?.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly intents: number;
  readonly open: number;
  readonly voids: readonly string[];
}

function ledger(): Outcome {
  const view = openLedgerForReading(join(site, 'ledger.sqlite'));
  try {
    const entries = [...view.entriesFrom(1)];
    const intents = new Map(
      entries.flatMap((entry) => (entry.kind === 'intent' ? [[entry.seq, entry.body] as const] : [])),
    );
    const voids = entries.flatMap((entry) => (entry.kind === 'void' ? [entry.body.intent] : []));
    return {
      intents: intents.size,
      open: view.openIntents().length,
      voids: voids.map((seq) => `${intents.get(seq)?.sub ?? '?'} ${intents.get(seq)?.ctr ?? '?'}`).sort(),
    };
  } finally {
    view.close();
  }
}

const resultsOf = (done: string): string => readFileSync(/\S+results\.csv/.exec(done)?.[0] ?? '', 'utf8');
const released = (): number =>
  readdirSync(join(site, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'))
    .length;

/** Whatever was left: planned again, confirmed, and then every row has one license. */
function goesOn(name: string): void {
  token.setFaults([]);
  const before = released();
  const done = run('batch', '--site', site, '--confirm', plan(name, '--resume'), '--resume', ...secret);
  expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
  expect(released()).toBeGreaterThan(before);
  expect(released() % ROWS).toBe(0);
  expect(run('ledger', 'verify', '--site', site)).toMatchObject({ code: 0 });
}

describe('a batch in a token', () => {
  it('a batch that hangs in a signature ends with exit 8, and the results list each void counter', () => {
    token.setFaults(['C_Sign 30 hang']);
    const done = runCli(['2000', 'batch', '--site', site, '--confirm', plan('hang'), ...secret], {
      main: MAIN_WITH_LIMITS,
      env: { ...token.environment },
    });
    expect(`${done.code} ${done.stderr}`).toMatch(
      new RegExp(`^${EXIT.signingUnknown} [^]*the results list the void counters: \\d+[^]*→ .*run again`),
    );
    const { open, voids } = ledger();
    expect(open).toBe(0);
    expect(voids.length).toBeGreaterThan(0);
    const listed = resultsOf(`${done.stdout}${done.stderr}`)
      .split('\n')
      // Names are quoted, since they contain a comma: the customer is column 2, the status 8, the counter 12.
      .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/))
      .filter((fields) => fields[7] === 'void');
    expect(listed.map((fields) => `${fields[1]} ${fields[11]}`).sort()).toEqual(voids);
    goesOn('hang');
  });

  it('a batch stopped with Ctrl-C finishes the licenses already begun, takes its host along, and goes on', async () => {
    const voidsBefore = ledger().voids.length;
    const digest = plan('stop');
    token.setFaults(['C_Sign 0 slow 20']);
    const before = token.calls().length;
    const terminal = new PtyRun(['batch', '--site', site, '--confirm', digest, ...secret], {
      env: { ...token.environment },
    });
    try {
      for (
        const until = Date.now() + 60_000;
        token
          .calls()
          .slice(before)
          .filter((call) => call === 'C_Sign').length < 12 && Date.now() < until;
      )
        await new Promise((resolve) => setTimeout(resolve, 20));
      terminal.type('\u0003');
      expect(await terminal.ended()).toBe(EXIT.interrupted);
    } finally {
      terminal.kill();
    }
    // The host logged out by itself: a Ctrl-C that reached it would have ended it in a signature.
    expect(token.calls().slice(-3)).toEqual(['C_Logout', 'C_CloseAllSessions', 'C_Finalize']);
    const { open, voids } = ledger();
    expect({ open, voids: voids.length }).toEqual({ open: 0, voids: voidsBefore });
    expect(released() % ROWS).toBeGreaterThan(0);
    goesOn('stop');
  });
});
