/** The help of every command, its examples, and the manual and completions that are made from the same commands. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { runHere } from '../support/run-here.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const completion = (await runHere(['completion', 'bash'])).stdout;
/** The words of every command after `vtlic`, groups included. */
const COMMANDS = [...completion.matchAll(/^ {4}'([a-z -]+)'\) words='/gm)].map((match) => match[1] ?? '');
const GROUPS = new Set(COMMANDS.filter((name) => COMMANDS.some((other) => other.startsWith(`${name} `))));
const LEAVES = COMMANDS.filter((name) => !GROUPS.has(name));

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterAll(() => {
  fixture.remove();
});

async function helpOf(name: string): Promise<string> {
  const done = await runHere(['help', ...name.split(' ').filter((word) => word !== '')]);
  expect([done.code, done.stderr]).toEqual([0, '']);
  return done.stdout;
}

const GROUPS_OF_OPTIONS: readonly string[] = [
  'Options:',
  'What the license says:',
  'The draft and its number:',
  'Review and signature:',
  'Passphrases, PINs and tokens:',
  'Common options:',
];

/** The lines below a heading, up to the next empty line. */
function partOf(help: string, heading: string): string {
  const [, after = ''] = help.split(`\n${heading}\n`);
  return after.split('\n\n')[0] ?? '';
}

function examplesIn(help: string): readonly string[] {
  const [, after = ''] = help.replaceAll(/ \\\n */g, ' ').split(/^Examples?:$/m);
  return [...after.matchAll(/^ {2}(vtlic .+)$/gm)].map((match) => match[1] ?? '');
}

/** The words of a line, as a shell splits it; what comes after `>`, `<` or `|` is left out. */
function wordsOf(line: string): readonly string[] {
  const [command = ''] = line.split(/ [<>|] /);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

describe('the help', () => {
  it('knows every command', () => {
    expect(COMMANDS.length).toBeGreaterThan(35);
    expect(LEAVES).toContain('ledger show');
  });

  it('names the variable of the site and the exit codes on its main page', async () => {
    const help = await helpOf('');
    expect(help).toContain('VTLIC_SITE');
    expect(help).toMatch(/^Exit codes: 0 done; 2 usage/m);
  });

  it.each(['', ...COMMANDS])('fits 80 columns for "vtlic %s" and says its purpose in one line', async (name) => {
    const help = await helpOf(name);
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(help).toMatch(/^Usage: vtlic .*\n\n\S.{10,}/);
    expect(help).not.toContain('default: []');
  });

  it.each(LEAVES)(
    'groups the options of "vtlic %s", explains each argument and marks what is required',
    async (name) => {
      const help = await helpOf(name);
      const headings = [...help.matchAll(/^([A-Z][^\n:]*:)$/gm)].map((match) => match[1] ?? '');
      const groups = headings.filter((heading) => GROUPS_OF_OPTIONS.includes(heading));
      expect(groups).toEqual(GROUPS_OF_OPTIONS.filter((heading) => groups.includes(heading)));
      expect(groups.at(-1)).toBe('Common options:');
      expect(partOf(help, 'Common options:')).toContain('--help');
      if (help.includes('--site <dir>')) expect(partOf(help, 'Common options:')).toContain('--site <dir>');
      if (help.includes('--last-try'))
        expect(partOf(help, 'Passphrases, PINs and tokens:')).toMatch(/--secret [^]*--last-try/);
      const [, before = '', after = ''] = /^Usage: vtlic [a-z -]*?((?:--.*)?)\[options\](.*)$/m.exec(help) ?? [];
      for (const [, argument = ''] of after.matchAll(/[<[]([a-z]+)/g))
        expect(partOf(help, 'Arguments:')).toMatch(new RegExp(`^ {2}${argument} {2,}\\S`, 'm'));
      for (const [option] of before.matchAll(/--[a-z-]+/g))
        expect(help.replaceAll(/\s+/g, ' ')).toMatch(new RegExp(`${option} <[^>]+> (?:(?! -).)*\\(required\\)`));
      expect(help).not.toMatch(/default: \d{4,}|\(default:[^)]*\)\s+\(default:/);
    },
  );

  it('marks by "required" what a command does not run without', async () => {
    expect(await helpOf('verify')).toMatch(/^Usage: vtlic verify --product <id> \[options\] <file>$/m);
    expect((await runHere(['verify', 'FILE'])).stderr).toContain("required option '--product <id>' not specified");
    expect(await helpOf('init')).toMatch(/^Usage: vtlic init --issuer <id> \[options\] <dir>$/m);
  });

  it.each(LEAVES)('gives for "vtlic %s" an example, which the command line takes', async (name) => {
    const examples = examplesIn(await helpOf(name));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const [, ...args] = wordsOf(example);
      const done = runCli(args, { cwd: fixture.site });
      expect([example, done.stderr]).toEqual([
        example,
        expect.not.stringMatching(
          /unknown option|missing required|not specified|takes \d arguments?, but|no command|which command|is given twice|argument .* is invalid|defect/,
        ),
      ]);
    }
  });
});

describe('the manual', () => {
  it('has the help of every command, as troff', async () => {
    const { stdout } = await runHere(['manual']);
    expect(stdout).toMatch(/^\.TH VTLIC 1 /);
    for (const name of COMMANDS)
      expect(stdout).toContain(`.SS vtlic ${name}\n.nf\nUsage: vtlic ${name.replaceAll('-', '\\-')}`);
    expect(stdout).toContain('\\-\\-years <n>');
    // Every line that begins with a dot is a request that man knows.
    const requests = new Set([...stdout.matchAll(/^\.(\S+)/gm)].map((match) => match[1]));
    expect([...requests].sort()).toEqual(['B', 'RI', 'I', 'SH', 'SS', 'TH', 'TP', 'fi', 'nf'].sort());
  });
});

/** zsh and fish are not on every machine: their tests are skipped by name there. */
const isMissing = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).error !== undefined;

/** What a shell prints. */
function inShell(shell: string, args: readonly string[]): string {
  const done = spawnSync(shell, args, { encoding: 'utf8', env: { ...process.env, HOME: fixture.folder } });
  expect([done.status, done.stderr]).toEqual([0, '']);
  return done.stdout.trim();
}

describe('the completion', () => {
  it.each([
    ['', 'init'],
    ['ledger sh', 'show'],
    ['help key re', 'retire'],
    ['renew acme-gmbh --ye', '--years'],
    ['verify x --product ledger --gr', '--grace-days'],
  ])('completes "vtlic %s" in bash with %s', (line, offered) => {
    const file = join(fixture.folder, 'vtlic.bash');
    writeFileSync(file, completion);
    const words = ['vtlic', ...line.split(' ')];
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vtlic; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync('bash', ['-c', script, 'bash', file, ...words], { encoding: 'utf8' });
    expect(found.trim().split('\n')).toContain(offered);
  });

  it.each(['zsh', 'fish'])('knows for %s every command and every option', async (shell) => {
    const { code, stdout } = await runHere(['completion', shell]);
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(stdout).toContain(`'${name}'`);
    const options = new Set(completion.match(/--[a-z0-9-]+/g)?.map((option) => option.slice(2)));
    for (const option of ['help', 'version']) options.delete(option);
    for (const option of options) expect(stdout).toMatch(new RegExp(`(?:--|-l )${option}\\b`));
  });

  const OFFERS: readonly (readonly [string, string])[] = [
    ['', 'init'],
    ['ledger sh', 'show'],
    ['help key re', 'retire'],
    ['renew acme-gmbh --ye', '--years'],
  ];

  it.skipIf(isMissing('zsh')).each(OFFERS)('completes "vtlic %s" in zsh with %s', async (line, offered) => {
    const file = join(fixture.folder, '_vtlic');
    writeFileSync(file, (await runHere(['completion', 'zsh'])).stdout);
    // The functions of its completion system are replaced: what would be offered is printed.
    const script =
      'compdef() { : }; _files() { : }; compadd() { shift; print -l -- "$@" }; source "$1"; shift; ' +
      'words=("$@"); CURRENT=$#; _vtlic';
    const found = inShell('zsh', ['-f', '-c', script, 'zsh', file, 'vtlic', ...line.split(' ')]);
    expect(found.split('\n')).toContain(offered);
  });

  it.skipIf(isMissing('fish')).each(OFFERS)('completes "vtlic %s" in fish with %s', async (line, offered) => {
    const file = join(fixture.folder, 'vtlic.fish');
    writeFileSync(file, (await runHere(['completion', 'fish'])).stdout);
    const found = inShell('fish', [
      '--no-config',
      '-c',
      'source $argv[1]; complete -C $argv[2]',
      file,
      `vtlic ${line}`,
    ]);
    expect(found.split('\n').map((offer) => offer.split('\t')[0])).toContain(offered);
  });

  it('refuses a shell that it does not know with the names of those that there are', async () => {
    const done = await runHere(['completion', 'csh']);
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
  });
});
