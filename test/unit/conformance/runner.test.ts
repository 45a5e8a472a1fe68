import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../support/run-cli.ts';
import { jsonLines, junitXml } from '../../../conformance/report/files.ts';
import { htmlReport } from '../../../conformance/report/html.ts';
import type { Report } from '../../../conformance/report/outcome.ts';
import { readVectors } from '../../../conformance/runner/cases.ts';
import { REFERENCE, runHere } from './run-here.ts';

const base = mkdtempSync(join(tmpdir(), 'vtlic-conform-test-'));
afterAll(() => rmSync(base, { recursive: true }));

const VECTORS = join(base, 'v1');
/** No other id begins with it: `--only` takes what begins so. */
const NBF = 'verify/time-nbf-iat';
const QUICK = ['--seconds', '0', '--only', NBF, '--quiet'];
beforeAll(() => cpSync(join(ROOT, 'vectors/v1'), VECTORS, { recursive: true }));

/** The reference verifier with a part of its answers replaced. */
function wrong(name: string, replace: string, capabilities = ['verify', 'state']): readonly string[] {
  const path = join(base, `${name}.mjs`);
  writeFileSync(
    path,
    `import { answering, REFERENCE } from '${ROOT}/conformance/harness/reference/answer.ts';
import { createInterface } from 'node:readline';
const answer = answering(REFERENCE);
const change = ${replace};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...request } = JSON.parse(line);
  const hello = { protocol: 1, name: 'wrong <b>', version: '1', capabilities: ${JSON.stringify(capabilities)} };
  console.log(JSON.stringify({ id, ...(request.op === 'hello' ? hello : change(request, answer)) }));
}`,
  );
  return [process.execPath, path];
}

describe("the README's first test of a verifier", () => {
  it('prints what is printed there, but for the time and the seed', { timeout: 120_000 }, () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [, command = '', printed = ''] =
      /```console\n\$ (packages\/with-node\.sh conformance\/runner\/main\.ts .*)\n([^`]+)```/.exec(readme) ?? [];
    const done = spawnSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8' });
    const same = (text: string): string => text.trim().replace(/in \d+ s \(seed \d+\)/, 'in N s (seed N)');
    expect(same(done.stdout)).toBe(same(printed));
    expect(printed).toContain('passed');
  });
});

describe('the reference verifier', () => {
  it('passes the smoke test, every vector that the protocol can ask, and generated cases', async () => {
    const { exit, text } = await runHere(['--seconds', '1', '--seed', '1', '--quiet', '--', ...REFERENCE]);
    expect(text).toContain('PASSED');
    expect(text).not.toContain('FAIL');
    expect(exit).toBe(0);
  }, 300_000);

  it('is asked for the histories that a verifier with state can answer', async () => {
    const report = join(base, 'histories.jsonl');
    const { exit } = await runHere(['--only', 'history/', '--quiet', '--json', report, '--', ...REFERENCE]);
    const cases = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<'part' | 'id' | 'outcome' | 'detail', string | undefined>>);
    const histories = cases.filter(({ part }) => part === 'vectors');
    const left = histories.filter(({ outcome }) => outcome !== 'pass');
    const environment = left.filter(({ id }) => id?.startsWith('history/environment-') === true);
    expect(new Set(environment.map(({ detail }) => detail))).toEqual(
      new Set(['the environment has variables of the override: the protocol has no request for it']),
    );
    const others = left.filter((one) => !environment.includes(one));
    expect(Object.fromEntries(others.map(({ id, detail }) => [id, detail]))).toEqual({
      'history/removed': 'the license file is removed: the protocol has no request for it',
      'history/renewal-after-gap': 'a renewal waits until its nbf: the protocol has no request for it',
      'history/renewal-early': 'a renewal waits until its nbf: the protocol has no request for it',
      'history/rotate-forged': 'a keyset is not taken: the protocol has no request for it',
      'history/rotate-pasted': 'keysets are pasted beside a license: the protocol has no request for it',
      'history/rotate-pasted-refused': 'keysets are pasted beside a license: the protocol has no request for it',
      'history/rotate-running': 'a keyset is not taken: the protocol has no request for it',
      'history/state-restored': 'a step is "save-state": the protocol has no request for it',
    });
    expect(histories.length - left.length).toBeGreaterThanOrEqual(23);
    expect(exit).toBe(0);
  });

  it('passes where it is asked by exit codes', async () => {
    const script = join(base, 'verify.sh');
    writeFileSync(
      script,
      `#!/bin/sh\nexec ${process.execPath} ${join(import.meta.dirname, 'one-shot-child.ts')} "$@"\n`,
    );
    chmodSync(script, 0o755);
    vi.stubEnv('VTLIC_CLOCK', '5');
    const { exit, text } = await runHere(['--one-shot', ...QUICK, '--', script]);
    vi.unstubAllEnvs();
    expect(text).toContain('vectors              1 of 1 passed');
    expect(exit).toBe(0);
  });
});

describe('a wrong verifier', () => {
  it('that accepts everything fails the smoke test, and nothing else is run', async () => {
    const { exit, text } = await runHere([
      ...QUICK,
      '--',
      ...wrong('yes', '() => ({ verdict: "accepted", state: "active" })'),
    ]);
    expect(text).toContain('FAIL  smoke/altered-signature');
    expect(text).toContain('the verifier says accepted (active), expected refused (signature, signature_invalid)');
    expect(exit).toBe(1);
  });

  it('that forgets the counter at a restart is found, explained, written down, and replayed', async () => {
    const forgets = wrong(
      'forgets',
      '(request, answer) => answer(request.op === "restart" ? { ...request, loseState: true } : request)',
    );
    const found = join(base, 'found');
    const search = [
      '--no-vectors',
      '--search',
      'histories',
      '--seconds',
      '10',
      '--seed',
      '5',
      '--quiet',
      '--found',
      found,
    ];
    const { exit, text } = await runHere([
      ...search,
      '--html',
      join(base, 'r.html'),
      '--junit',
      join(base, 'r.xml'),
      '--',
      ...forgets,
    ]);
    expect(exit).toBe(1);
    expect(text).toMatch(
      /accepts (?:counter \d after \d|another payload with counter \d|counter \d of another lineage).* once restarted/,
    );
    const [folder = ''] = readdirSync(found);
    const steps = (JSON.parse(readFileSync(join(found, folder, 'found.json'), 'utf8')) as { readonly steps: unknown[] })
      .steps;
    const lines = readFileSync(join(found, folder, 'requests.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { readonly id: number }).id)).toEqual(steps.map((_, i) => i + 2));
    // The first one is the new installation.
    expect(steps.length - 1).toBeLessThanOrEqual(5);
    const replay = ['--quiet', '--case', join(found, folder), '--'];
    expect(await runHere([...replay, ...forgets])).toMatchObject({ exit: 1 });
    expect(await runHere([...replay, ...REFERENCE])).toMatchObject({ exit: 0 });
    expect(readFileSync(join(base, 'r.html'), 'utf8')).toContain('wrong &lt;b&gt;');
    expect(readFileSync(join(base, 'r.xml'), 'utf8')).toMatch(
      /<testsuite name="generated histories" tests="\d+" failures="[1-9]/,
    );
  });

  it('whose library has no ML-DSA is asked about all else, and its errors are counted', async () => {
    const without = wrong(
      'no-ml-dsa',
      `(request, answer) => request.trust?.keys.some(({ alg }) => alg !== 'ed25519')
        ? { error: 'the library has no ML-DSA' }
        : answer(request)`,
    );
    const { exit, text } = await runHere([
      '--only',
      'verify/',
      '--seconds',
      '1',
      '--seed',
      '1',
      '--quiet',
      '--',
      ...without,
    ]);
    expect(text).not.toContain('the harness broke too often');
    expect(text).not.toContain('FAIL');
    const [, passed = 0, asked = 0] = /^vectors +(\d+) of (\d+) passed$/m.exec(text) ?? [];
    expect(Number(passed)).toBeGreaterThan(300);
    expect(Number(asked) - Number(passed)).toBeGreaterThan(50);
    expect(text).toMatch(/^ERROR generated\/licenses$/m);
    expect(text).toMatch(/"the library has no ML-DSA" \(\d+ times\)$/m);
    expect(text).toContain('An ERROR is no verdict on a license');
    expect(exit).toBe(3);
  }, 300_000);

  it('is told its failures in the order of the documents, since later ones often follow from earlier ones', () => {
    const sections = readVectors(VECTORS).cases.map(({ clause: [first = ''] }) => first);
    const places = [
      'format.md#2',
      'format.md#7.2',
      'format.md#10.3',
      'keysets.md#K1',
      'keysets.md#K5',
      'runtime.md#',
    ].map((start) => sections.findIndex((section) => section.startsWith(start)));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('disagrees with another one that is named beside it', async () => {
    const late = wrong(
      'late',
      '(request, answer) => { const a = answer(request); return a.state === "grace" ? { ...a, state: "lapsed" } : a; }',
    );
    const { exit, text } = await runHere([
      '--seconds',
      '0',
      '--only',
      'verify/time',
      '--quiet',
      '--junit',
      join(base, 'two.xml'),
      '--',
      ...late,
      '--',
      ...REFERENCE,
    ]);
    expect(text).toContain('wrong <b> says accepted (lapsed), vtlic says accepted (grace)');
    expect(text).not.toContain('generated');
    expect(readFileSync(join(base, 'two-compared.xml'), 'utf8')).toContain(
      '<testsuite name="differential" tests="1" failures="1"',
    );
    expect(exit).toBe(1);
  });

  it('has a number beside another one of its name, and is compared where both have a verdict', async () => {
    const [one, two] = ['one', 'two'].map((name) =>
      wrong(name, `(request, answer) => request.context.now % 2 ? { error: '${name}' } : answer(request)`),
    );
    const only = ['--only', 'verify/time-', '--seconds', '0', '--quiet'];
    const { exit, text } = await runHere([...only, '--', ...(one ?? []), '--', ...(two ?? [])]);
    expect(text).toContain('wrong <b> (1): the harness has a fault of its own: "one"');
    expect(text).toContain('wrong <b> (2): the harness has a fault of its own: "two"');
    expect(exit).toBe(3);
  }, 60_000);
});

it('a verifier that ends badly once it was compared with another one is broken', async () => {
  const started = join(base, 'started');
  const script = join(base, 'ends-badly.sh');
  const lines = [`echo x >> ${started}`, REFERENCE.join(' '), `test "$(wc -l < ${started})" = 1`];
  writeFileSync(script, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
  const { exit, text } = await runHere([...QUICK, '--', script, '--', ...REFERENCE]);
  expect(text).toContain('ERROR differential/end');
  expect(text).toContain('the harness ended with exit code 1 when asked to end');
  expect(exit).toBe(3);
});

describe('the reports', () => {
  it('have only characters that XML and HTML can have, and say why a case was not run', () => {
    const odd = 'a\0\u001b[2J]]></script><b a="\ud800\uffff';
    const seen = { name: odd, version: '1', capabilities: [], command: odd };
    const one = { part: 'vectors', id: 'verify/a', title: odd, clause: [odd], detail: odd, milliseconds: 1 } as const;
    const outcomes = (['fail', 'error', 'skipped', 'reported'] as const).map((outcome) => ({ ...one, outcome }));
    const head = { runner: odd, seed: 1, startedAt: 0, milliseconds: 1 };
    const report: Report = { ...head, verifier: seen, generated: { licenses: 0, settings: 0, histories: 0 }, outcomes };
    const clean = 'a\ufffd\ufffd[2J]]&gt;&lt;/script&gt;&lt;b a=&quot;\ufffd\ufffd';
    for (const text of [junitXml(report), htmlReport(report)]) {
      expect(text).toContain(clean);
      expect(text.replaceAll(clean, '')).not.toMatch(/[^\n\x20-\x7e]|<script|<b /);
    }
    expect(htmlReport(report)).toContain(`<td>${clean} (${clean})</td><td class="skipped">`);
    for (const line of jsonLines(report).trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('type');
  });

  it('of several commands have a number each, and are empty where a verifier could not be started', async () => {
    const [old, junit] = [join(base, 'several-2.xml'), join(base, 'several.xml')];
    writeFileSync(old, 'an earlier report');
    const run = await runHere([...QUICK, '--junit', junit, '--', ...REFERENCE, '--', './no-such-verifier']);
    expect(run.exit).toBe(3);
    expect(readFileSync(join(base, 'several-1.xml'), 'utf8')).toContain('<testsuite name="vectors" tests="1"');
    expect(readFileSync(old, 'utf8')).toBe('');
  });

  it.runIf(process.platform === 'linux')('are written, but for one that cannot be', async () => {
    const [junit, html] = [join(base, 'others.xml'), join(base, 'others.html')];
    const reports = ['--json', '/dev/full', '--junit', junit, '--html', html];
    const { exit, text } = await runHere([...QUICK, ...reports, '--', ...REFERENCE]);
    expect(text).toContain('error: /dev/full: ');
    expect(exit).toBe(2);
    expect(readFileSync(junit, 'utf8')).toContain('</testsuites>');
    expect(readFileSync(html, 'utf8')).toContain('</html>');
  });

  it('have what was found, also where its folder cannot be written', async () => {
    const other = wrong('other-reasons', '(request, answer) => ({ ...answer(request), reason: "other" })');
    const [found, report] = [join(base, 'a-file'), join(base, 'unkept.jsonl')];
    writeFileSync(found, '');
    const search = ['--no-vectors', '--search', 'licenses', '--seconds', '60', '--quiet', '--found', found];
    const { exit, text } = await runHere([...search, '--json', report, '--', ...other]);
    expect(text).toContain(`error: ${found}: a part of this path is not a folder`);
    expect(readFileSync(report, 'utf8')).toMatch(/"id":"found\/license-\d+-5".*\n\{"type":"end","exit":1/);
    expect(exit).toBe(1);
  }, 120_000);
});

describe('the list of expected failures', () => {
  const list = join(base, 'expected.txt');
  const never = wrong(
    'never',
    '(request, answer) => { const a = answer(request); return a.state && request.context.now !== 1800000000 ? { verdict: "refused" } : a; }',
  );
  const run = (lines: string, command: readonly string[]): ReturnType<typeof runHere> => {
    writeFileSync(list, lines);
    return runHere([...QUICK, '--expected-failures', list, '--', ...command]);
  };

  it('lets a case fail that is in it, with its reason', async () => {
    expect(await runHere([...QUICK, '--', ...never])).toMatchObject({ exit: 1 });
    const { exit, text } = await run(`# ours\n${NBF} the clock is not read yet\n`, never);
    expect(text).toContain('1 expected failure,');
    expect(exit).toBe(0);
  });

  it('fails for a case in it that passes', async () => {
    const { exit, text } = await run(`${NBF} the clock is not read yet\n`, REFERENCE);
    expect(text).toContain('passes it, but it is listed as an expected failure (the clock is not read yet)');
    expect(exit).toBe(1);
  });

  it.each([
    ['verify/no-such-case why\n', 'there is no case verify/no-such-case'],
    [`${NBF}\n`, `the case ${NBF} has no reason`],
    [`${NBF} a\n${NBF} b\n`, 'is listed twice'],
  ])('is refused where it has %j', async (lines, sentence) => {
    const { exit, text } = await run(lines, REFERENCE);
    expect(text).toContain(sentence);
    expect(exit).toBe(2);
  });
});

it.each([`${ROOT}/./vectors/v1/`, `${ROOT}//vectors/v1`])('takes %s as a folder of vectors', async (folder) => {
  const { exit, text } = await runHere([...QUICK, '--vectors', folder, '--', ...REFERENCE]);
  expect(text).toContain('vectors              1 of 1 passed');
  expect(exit).toBe(0);
});

it('prints what a case of somebody else says about its failure without control characters', async () => {
  const odd = 'a\u001b[2J\u202eb';
  const vectors = foreignCase({ title: odd, forgets: odd, clause: [odd] });
  const { exit, text } = await runHere([...QUICK, '--', ...wrong('never', '() => ({ verdict: "refused" })')], {
    vectors,
  });
  expect(text).toContain('a verifier that does this has forgotten: a\\u{001B}[2J\\u{202E}b');
  expect(text).not.toMatch(/[^\n -~]/);
  expect(exit).toBe(1);
});

/** A folder of vectors with one case, which has other members than the published one. */
function foreignCase(members: object): string {
  const folder = mkdtempSync(join(base, 'own-'));
  cpSync(join(ROOT, 'vectors/v1', NBF), join(folder, NBF), { recursive: true });
  const path = join(folder, NBF, 'case.json');
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...members }));
  const files = readdirSync(join(folder, NBF)).map((name) => `${NBF}/${name}`);
  const digestOf = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  const digests = Object.fromEntries(files.map((file) => [file, digestOf(file)]));
  const manifest = { schema: 'vtlic-vectors/1', version: '1', cases: [NBF], files: digests };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

describe('nothing is run', () => {
  const command = ['--', ...REFERENCE];

  it.each([
    [{ title: 5 }, 'no title'],
    [{ clause: 'format.md#3' }, 'no list of clauses'],
    [{ clause: ['format.md#3', 5] }, 'no list of clauses'],
    [{ forgets: {} }, 'a member forgets that is no text'],
    [{ expected: {} }, 'no expected verdict'],
    [{ expected: undefined }, 'no expected verdict'],
    [{ expected: { verdict: 'refused' } }, 'no expected reason'],
    [{ expected: { verdict: 'accepted' } }, 'no expected state'],
    [{ operation: 'trust', expected: { verdict: 'misuse' } }, 'no expected verdict'],
    [{ operation: 'history', steps: [] }, 'no steps'],
    [{ operation: 'keyset', expected: { verdict: 'accepted' } }, 'no expected version, source and notices'],
    [{ operation: 'override', expected: { verdict: 'accepted', license: {} } }, 'no expected verdict'],
  ])('where a case of somebody else has %j', async (members, sentence) => {
    const done = await runHere([...QUICK, ...command], { vectors: foreignCase(members) });
    expect(done.text).toContain(`cannot be used: ${NBF} has ${sentence}`);
    expect(done.exit).toBe(2);
  });

  it.each([
    [{ context: undefined }, 'in the request of its step 1, the member context of verify should be an object'],
    [{ context: { hosts: 'ab' } }, 'in the request of its step 1, the member hosts of the context should be a list'],
    [{ context: { issuer: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) as unknown } }, 'it is nested too deeply'],
    [
      { expected: { verdict: 'refused', reason: 'revoked', layer: {}, scored: 'reason' } },
      'in what its step 1 expects, the member layer of its answer to verify should be a text',
    ],
  ])('where the request of a case of somebody else is wrong, by %j', async (members, sentence) => {
    const done = await runHere([...QUICK, ...command], { vectors: foreignCase(members) });
    expect(done.text).toContain(`cannot be used: ${NBF}: ${sentence}`);
    expect(done.exit).toBe(2);
  });

  it('where found.json of a case is nested too deeply to be asked again', async () => {
    mkdirSync(join(base, 'deep'), { recursive: true });
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    writeFileSync(join(base, 'deep/found.json'), `{"schema":"vtlic-found/1","a":${deep}}`);
    const { exit, text } = await runHere(['--case', join(base, 'deep'), ...command]);
    expect(text).toContain('found.json is not a case that can be replayed: it is nested too deeply');
    expect(exit).toBe(2);
  });

  it('where what is quoted could move the cursor', async () => {
    mkdirSync(join(base, 'escapes'), { recursive: true });
    writeFileSync(join(base, 'escapes/found.json'), '\u001b]0;x\u0007');
    const { exit, text } = await runHere(['--case', join(base, 'escapes'), ...command]);
    expect(text).toContain('cannot read the case');
    expect(text).not.toMatch(/[^\n -~]/);
    expect(exit).toBe(2);
  });

  it('where vectors are not as they were published', async () => {
    const path = join(VECTORS, NBF, 'case.json');
    const original = readFileSync(path);
    appendFileSync(path, ' ');
    const altered = await runHere([...QUICK, ...command], { vectors: VECTORS });
    rmSync(path);
    const missing = await runHere([...QUICK, ...command], { vectors: VECTORS });
    writeFileSync(path, original);
    expect(altered.text).toContain(`${NBF}/case.json is not the file that the manifest lists`);
    expect(missing.text).toContain(`${NBF}/case.json is in the manifest, but not in the folder`);
    const manifest = join(VECTORS, 'manifest.json');
    const untouched = readFileSync(manifest);
    const later = Buffer.from(original.toString('utf8').replace('vtlic-case/1', 'vtlic-case/9'));
    const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    writeFileSync(path, later);
    writeFileSync(manifest, untouched.toString('utf8').replace(digestOf(original), digestOf(later)));
    const newerCase = await runHere([...QUICK, ...command], { vectors: VECTORS });
    expect(newerCase.text).toContain(`${NBF} has the schema vtlic-case/9, expected vtlic-case/1`);
    expect(newerCase.exit).toBe(2);
    writeFileSync(path, original);
    writeFileSync(manifest, untouched);
    writeFileSync(manifest, '{"schema":"vtlic-vectors/1"}');
    const empty = await runHere([...QUICK, ...command], { vectors: VECTORS });
    expect(empty.text).toContain('manifest.json lists no files, or no cases');
    writeFileSync(manifest, untouched.toString('utf8').replace('vtlic-vectors/1', 'vtlic-vectors/9'));
    const newer = await runHere([...QUICK, ...command], { vectors: VECTORS });
    expect(newer.text).toContain('the schema vtlic-vectors/9, expected vtlic-vectors/1');
    const none = await runHere([...QUICK, ...command], { vectors: join(base, 'nowhere') });
    expect(none.text).toContain('has no manifest.json, so it is not a folder of vectors');
    expect([altered, missing, newer, none].map(({ exit }) => exit)).toEqual([2, 2, 2, 2]);
  });

  it.each([
    [[], 'no verifier is named'],
    [['--', ''], 'no verifier is named'],
    [['./verifier'], './verifier is not an option'],
    [['--seconds', 'soon', ...command], '--seconds is "soon"'],
    [['--onyl', 'x', ...command], "Unknown option '--onyl'"],
    [['--only', 'verify/nothing', ...command], 'no vector has an id that begins with "verify/nothing"'],
    [['--case', '/nowhere', ...command], 'cannot read the case /nowhere/found.json: there is no such file or folder'],
    [['--json', '/nowhere/r.jsonl', ...command], '/nowhere/r.jsonl: there is no such file or folder'],
    [['--json', 'r.xml', '--junit', './r.xml', ...command], 'two reports have the same file'],
    [['--no-vectors', '--seconds', '0', ...command], 'nothing is left to run without vectors and generated cases'],
    [['--only', NBF, '--search', 'licenses', ...command], '--search has no effect without generated cases'],
    [['--case', '/nowhere', '--seconds', '9', ...command], '--seconds has no effect beside --case'],
    [['--no-vectors', '--only', NBF, ...command], '--only has no effect beside --no-vectors'],
  ])('for the arguments %j', async (argv, sentence) => {
    const { exit, text } = await runHere(argv);
    expect(text).toContain(`error: ${sentence}`);
    expect(exit).toBe(2);
  });

  it.each([
    ['null', 'its schema is not vtlic-found/1'],
    ['{ "schema": "vtlic-found/9" }', 'its schema is not vtlic-found/1'],
    [{ id: undefined }, 'it has no id'],
    [{ id: 'a\u001b[2J' }, 'it has no id'],
    [{ title: 5 }, 'it has no title'],
    [{ scored: null }, 'its member scored is not true or false'],
    [{ steps: [] }, 'it has no steps'],
    [{ steps: [null] }, 'its step 1 has no request of the protocol'],
    [{ steps: [{ request: { op: 'magic' }, expected: {} }] }, 'its step 1 has no request of the protocol'],
    [
      { steps: [{ request: { op: 'verify' } }] },
      'in the request of its step 1, the member license of verify should be a text, but it is none',
    ],
    [
      { steps: [{ request: { op: 'rotate', trust: [] } }] },
      'in the request of its step 1, the member trust of rotate should be an object, but it is []',
    ],
    [
      { steps: [{ request: { op: 'verify', license: '', trust: {}, context: { hosts: 'a' } } }] },
      'in the request of its step 1, the member hosts of the context should be a list, but it is "a"',
    ],
    [{ steps: [{ request: { op: 'restart' } }] }, 'its step 1 has no expected answer'],
    [{ steps: [{ request: { op: 'restart', id: 9 } }] }, 'the request of its step 1 has an id, which the runner gives'],
    [
      { steps: [{ request: { op: 'restart' }, expected: { verdict: 'valid' } }] },
      'in what its step 1 expects, its answer',
    ],
  ])('where found.json of a case is or has %j', async (broken, sentence) => {
    const found = { schema: 'vtlic-found/1', id: 'found/license-1-1', title: 'a case', scored: true, steps: [] };
    const text = typeof broken === 'string' ? broken : JSON.stringify({ ...found, ...broken });
    mkdirSync(join(base, 'broken'), { recursive: true });
    writeFileSync(join(base, 'broken/found.json'), text);
    const done = await runHere(['--case', join(base, 'broken'), ...command]);
    expect(done.text).toContain(`found.json is not a case that can be replayed: ${sentence}`);
    expect(done.exit).toBe(2);
  });

  it('a defect of the runner is a sentence, with the seed by which it can be seen again', async () => {
    const now = (): number => {
      throw new TypeError('odd');
    };
    const { exit, text } = await runHere([...QUICK, '--seed', '77', '--', ...REFERENCE], { now });
    expect(text).toContain('error: a defect of this program: TypeError: odd\nhint: report it');
    expect(text).toMatch(/the seed 77 and the place: at .*runner\.test\.ts/);
    expect(exit).toBe(2);
  });

  it.each([[[]], [['--one-shot']]])(
    'a command that the system refuses at once cannot be started (%j)',
    async (more) => {
      const { exit, text } = await runHere([...QUICK, ...more, '--', 'a\0b']);
      expect(text).toContain('cannot start a');
      expect(text).not.toContain('defect');
      expect(exit).toBe(3);
    },
  );

  it('is a failure where the verifier has no capability for any case that is asked for, also in the report', async () => {
    const only = wrong('only-verify', '(request, answer) => answer(request)', ['verify']);
    const report = join(base, 'nothing.jsonl');
    const { exit, text } = await runHere(['--only', 'history/', '--quiet', '--json', report, '--', ...only]);
    expect(text).toMatch(/FAILED: 3 passed, 0 failed, \d+ not run; no case was run after the smoke test/);
    expect(readFileSync(report, 'utf8')).toContain('{"type":"end","exit":1');
    expect(exit).toBe(1);
  });
});

describe('the command', () => {
  const MAIN = `${process.execPath} ${ROOT}/conformance/runner/main.ts`;

  it('goes on to its reports where nobody reads its output any more', () => {
    const report = join(base, 'piped.jsonl');
    const run = `${MAIN} ${QUICK.join(' ')} --json ${report} -- ${REFERENCE.join(' ')}`;
    const { stderr } = spawnSync('sh', ['-c', `(sleep 1; ${run}; echo "exit $?" >&2) | true`], { encoding: 'utf8' });
    expect(stderr).toBe('exit 0\n');
    expect(readFileSync(report, 'utf8')).toContain('{"type":"end","exit":0');
  });
});

describe('the recipe for a CI', () => {
  const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
  const [, recipe = ''] = read('examples/conformance-ci.yml').split('    steps:\n');

  it('is the one that docs/conformance.md shows', () => {
    expect(read('docs/conformance.md')).toContain(`\`\`\`yaml\n${recipe.replaceAll(/^ {6}/gm, '')}\`\`\`\n`);
  });

  it('passes a right verifier and fails a wrong one, by the command as it is printed', () => {
    const folder = join(base, 'ci');
    const script = (path: string, line: string): void => {
      writeFileSync(join(folder, path), `#!/bin/sh\nexec ${line} "$@"\n`);
      chmodSync(join(folder, path), 0o755);
    };
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    script(
      'node_modules/.bin/vtlic-conform',
      `${process.execPath} ${ROOT}/conformance/runner/main.ts --only verify/time`,
    );
    const [, command = ''] = /- run: (node_modules.*)$/m.exec(recipe) ?? [];
    const run = (verifier: readonly string[]): number | null => {
      script('my-verifier', verifier.join(' '));
      return spawnSync('sh', ['-c', command.replace('--seconds 60', '--seconds 0')], { cwd: folder }).status;
    };
    expect(run(REFERENCE)).toBe(0);
    expect(readFileSync(join(folder, 'conform.xml'), 'utf8')).toContain('<testsuite name="vectors"');
    expect(run(wrong('no', '() => ({ verdict: "refused" })'))).toBe(1);
  });
});
