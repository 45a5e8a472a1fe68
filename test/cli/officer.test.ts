/** As an officer sits there: a real pseudo-terminal, the passphrase without echo, the view, and one word. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PtyRun, runCli } from '../support/run-cli.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let run: PtyRun | undefined;
beforeEach(async () => {
  fixture = await makeSite();
});
afterEach(() => {
  run?.kill();
  fixture.remove();
});

function licenses(): string[] {
  return readdirSync(fixture.site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'));
}

function start(request: string): PtyRun {
  run = new PtyRun(['issue', request, '--site', fixture.site]);
  return run;
}

const PROMPT = /Sign this\? Type Yes/;

describe('issue on a terminal', () => {
  it('shows what will be signed, takes Yes and the passphrase, and releases the license', async () => {
    const terminal = start(writeRequest(fixture));
    await terminal.until(PROMPT);
    for (const words of [
      'acme-gmbh',
      'Acme GmbH',
      'vaultdesk',
      'prod-eu',
      'enterprise',
      '250',
      '30 days',
      'audit-export, sso',
      'PO-4711',
      'New customer lineage',
      'custody software',
    ])
      expect(terminal.output).toContain(words);
    terminal.type('Yes\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type(`${PASSPHRASE}\r`);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output).not.toContain(PASSPHRASE);
    expect(terminal.output).not.toContain('correct');
    const [file] = licenses();
    expect(file).toMatch(/^out\/vaultdesk\/acme-gmbh\/1-[0-9a-f]{8}\.vtlic$/);
    expect(
      runCli([
        'verify',
        join(fixture.site, file ?? ''),
        '--site',
        fixture.site,
        '--product',
        'vaultdesk',
        '--deployment',
        'prod-eu',
      ]).code,
    ).toBe(0);
  });

  it.each(['no', 'yes', 'YES', 'Yes ', 'y', ''])(
    'takes %j for a refusal: exit 10, no license, no entry',
    async (answer) => {
      const terminal = start(writeRequest(fixture));
      await terminal.until(PROMPT);
      terminal.type(`${answer}\r`);
      expect(await terminal.ended()).toBe(10);
      expect(terminal.output).toContain('declined');
      expect(licenses()).toEqual([]);
    },
  );

  it('takes nothing that was typed before the question was shown', async () => {
    const terminal = start(writeRequest(fixture));
    // Into the terminal's buffer while the process still starts.
    terminal.type('Yes\r');
    await terminal.until(PROMPT);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(terminal.output).not.toContain('Passphrase');
    terminal.type('no\r');
    expect(await terminal.ended()).toBe(10);
    expect(licenses()).toEqual([]);
  });

  it('takes Ctrl-C at the prompt for an interruption: exit 130, no license', async () => {
    const terminal = start(writeRequest(fixture));
    await terminal.until(PROMPT);
    terminal.type('\u0003');
    expect(await terminal.ended()).toBe(130);
    expect(licenses()).toEqual([]);
  });

  it('refuses a third wrong passphrase with exit 6, and spends no counter', async () => {
    const terminal = start(writeRequest(fixture));
    await terminal.until(PROMPT);
    terminal.type('Yes\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type('not the passphrase\r');
    await terminal.until(/2 tries are left\)\r\nPassphrase of key license-1: /);
    terminal.type('not the passphrase\r');
    await terminal.until(/one try is left\)\r\nPassphrase of key license-1: /);
    terminal.type('not the passphrase\r');
    expect(await terminal.ended()).toBe(6);
    expect(terminal.output).not.toContain('not the passphrase');
    expect(licenses()).toEqual([]);
    const plan = runCli(['issue', join(fixture.folder, 'request.json'), '--site', fixture.site, '--dry-run']);
    expect(plan.stderr).toMatch(/counter\s+1\n/);
  });

  it('takes the right passphrase after a wrong one, without another review', async () => {
    const terminal = start(writeRequest(fixture));
    await terminal.until(PROMPT);
    terminal.type('Yes\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type('not the passphrase\r');
    await terminal.until(/2 tries are left\)\r\nPassphrase of key license-1: /);
    terminal.type(`${PASSPHRASE}\r`);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.output.match(new RegExp(PROMPT, 'g'))).toHaveLength(1);
    expect(licenses()).toHaveLength(1);
  });

  it('edits the line: backspace and Ctrl-U', async () => {
    const terminal = start(writeRequest(fixture));
    await terminal.until(PROMPT);
    terminal.type('nonsense\u0015Yesx\u007f\r');
    await terminal.until(/Passphrase of key license-1: /);
    terminal.type(`wrong\u0015${PASSPHRASE}é\u007f\r`);
    expect(await terminal.ended()).toBe(0);
  });

  it('says what a second license replaces', async () => {
    const first = start(writeRequest(fixture));
    await first.until(PROMPT);
    first.type('Yes\r');
    await first.until(/Passphrase/);
    first.type(`${PASSPHRASE}\r`);
    expect(await first.ended()).toBe(0);
    const second = start(writeRequest(fixture, { seats: 300 }));
    await second.until(PROMPT);
    expect(second.output).toMatch(/Replaces license [0-9a-f-]{36} \(counter 1, enterprise, 250 seats/);
    second.type('no\r');
    expect(await second.ended()).toBe(10);
  });
});

describe('key generate on a terminal', () => {
  it('asks again for two passphrases that differ and for a short one, and never echoes', async () => {
    run = new PtyRun(['key', 'generate', '--site', fixture.site, '--name', 'second', '--algorithm', 'ed25519']);
    await run.until(/New passphrase for key second: /);
    run.type('five random words in a row\r');
    await run.until(/again: /);
    run.type('five random words in a raw\r');
    await run.until(/differ: no key was made \(2 tries are left\)\r\nNew passphrase for key second: /);
    run.type('short words\r');
    await run.until(/at least 12 characters, and not only blanks \(one try is left\)\r\nNew passphrase/);
    run.type('five random words in a row\r');
    await run.until(/again: [^]*again: /);
    run.type('five random words in a row\r');
    expect(await run.ended()).toBe(0);
    expect(run.output).not.toContain('words');
    expect(runCli(['key', 'list', '--site', fixture.site]).stdout).toContain('second');
  });

  it('makes no key where the third pair of passphrases differs too', async () => {
    run = new PtyRun(['key', 'generate', '--site', fixture.site, '--name', 'second']);
    for (const left of ['', '2 tries are left', 'one try is left']) {
      await run.until(new RegExp(`${left}[^]*New passphrase for key second: $`));
      run.type('five random words in a row\r');
      await run.until(/again: $/);
      run.type('five random words in a raw\r');
    }
    expect(await run.ended()).toBe(6);
    expect(runCli(['key', 'list', '--site', fixture.site]).stdout).not.toContain('second');
  });
});
