/**
 * The real `vtlic issue --confirm` on a composite key in a token behind the fault proxy, one process and one fault at a
 * time: a sample of the fault table by a fixed rule (`sample`). What must hold after each case, and at the end of all
 * of them, is what a customer and an auditor see: files, the ledger, exit codes, sentences.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { toHex } from '../../formats/bytes.ts';
import { returnCodeInWords, returnCodeOf } from '../../keys/private/pkcs11/shared/return-codes.ts';
import { EXIT } from '../support/exit-codes.ts';
import type { IssueEntry } from '../../signer/ledger/entries/entry.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { requestDocument } from '../support/site-fixture.ts';
import { faulty, type FaultyToken } from './support/fault-proxy.ts';
import { classOf, FAULT_TABLE, FIRST_FAULT, type FaultClass } from './support/fault-table.ts';
import { runHere } from './support/run-here.ts';
import { makeKryoptic } from './support/kryoptic.ts';

const MAIN_WITH_LIMITS = fileURLToPath(new URL('./support/main-with-limits.ts', import.meta.url));
/** Of a case in which a call hangs; the others have time, so that a busy machine makes no fault of its own. */
const SHORT_LIMIT = 1_000;
const LIMIT = 20_000;

/**
 * The calls of C_SignInit and C_Sign in one run: ML-DSA and Ed25519 of the self-test at opening, then of the license.
 */
const SELF_TEST_CALLS = [1, 2] as const;
const LICENSE_CALLS = [3, 4] as const;
const SIGN_CALLS: readonly number[] = [...SELF_TEST_CALLS, ...LICENSE_CALLS];

interface Case {
  readonly call: string;
  readonly nth: number;
  /** As the proxy's configuration says it. */
  readonly how: string;
  /** Of `rv` and `late`. */
  readonly code?: string;
}

/** What `issue` calls; the first, clean run says whether that is still so. */
const CALLED = [
  'C_Initialize',
  'C_GetInfo',
  'C_GetSlotList',
  'C_GetSlotInfo',
  'C_GetTokenInfo',
  'C_GetMechanismList',
  'C_GetMechanismInfo',
  'C_OpenSession',
  'C_Login',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_FindObjectsFinal',
  'C_GetAttributeValue',
  'C_SignInit',
  'C_Sign',
  'C_Logout',
  'C_CloseAllSessions',
  'C_Finalize',
] as const;
/** Those that only ask, of which each has a hang or a death, in turn. */
const IN_TURN: readonly string[] = CALLED.filter((call) => /^C_(?:Get|Find)/.test(call));
const AT_CLOSING: readonly string[] = ['C_Logout', 'C_CloseAllSessions', 'C_Finalize'];
const signs = (call: string): boolean => call === 'C_SignInit' || call === 'C_Sign';

/**
 * Of each function: one code of each class (of the class's codes in the table the one whose place is the function's
 * own, so that functions differ), for the login also every code that says the PIN was refused, a hang, a death. For
 * the signing calls the codes go to the license's two components in turn, hang and death to the self-test's first and
 * to both of the license's; then wrong lengths, bytes and keys.
 */
function sample(): readonly Case[] {
  const cases: Case[] = [];
  [...CALLED, 'C_CloseSession'].forEach((call, place) => {
    const classes = new Map<FaultClass, string[]>();
    for (const code of FAULT_TABLE[call] ?? [])
      classes.set(classOf(code), [...(classes.get(classOf(code)) ?? []), code]);
    [...classes].forEach(([name, codes], i) => {
      const nth = signs(call) ? (LICENSE_CALLS[i % 2] ?? 0) : 1;
      const taken =
        call === 'C_Login' && name === 'user'
          ? codes.filter((code, at) => at === codes.length - 1 || REFUSED_LOGINS.includes(code))
          : codes.slice(place % codes.length).slice(0, 1);
      for (const code of taken) cases.push({ call, nth, how: `rv 0x${returnCodeOf(code).toString(16)}`, code });
    });
    const lost = IN_TURN.includes(call) ? [place % 2 === 0 ? 'hang' : 'kill'] : ['hang', 'kill'];
    for (const nth of signs(call) ? [1, ...LICENSE_CALLS] : [1]) for (const how of lost) cases.push({ call, nth, how });
  });
  for (const nth of SIGN_CALLS)
    cases.push({ call: 'C_Sign', nth, how: 'flip' }, { call: 'C_SignInit', nth, how: 'otherkey' });
  for (const nth of LICENSE_CALLS)
    for (const length of [0, nth === 3 ? 3308 : 63]) cases.push({ call: 'C_Sign', nth, how: `length ${length}` });
  cases.push(
    { call: 'C_Sign', nth: 3, how: 'late 0x30', code: 'CKR_DEVICE_ERROR' },
    { call: 'C_Login', nth: 1, how: 'late 0x5', code: 'CKR_GENERAL_ERROR' },
  );
  return cases;
}

const REFUSED_LOGINS: readonly string[] = [
  'CKR_PIN_INCORRECT',
  'CKR_PIN_LOCKED',
  'CKR_USER_PIN_NOT_INITIALIZED',
  'CKR_FUNCTION_CANCELED',
];

/** The exit code that fits, by what an officer can know of the case. */
function exitOf({ call, how, code }: Case): number {
  const lost = how === 'hang' || how === 'kill';
  if (AT_CLOSING.includes(call)) return EXIT.done;
  // A module that refuses to describe a mechanism may have it all the same: the signature decides.
  if (call === 'C_GetMechanismInfo' && !lost) return EXIT.done;
  if (how === 'flip' || how === 'otherkey') return EXIT.selfCheck;
  // A session that cannot be closed is no second fault; a host that is lost over it is.
  if (signs(call) || call === 'C_CloseSession') return lost ? EXIT.signingUnknown : EXIT.signingFailed;
  if (call === 'C_Login') return REFUSED_LOGINS.includes(code ?? '') ? EXIT.secretRefused : EXIT.signingFailed;
  return call === 'C_OpenSession' || call.startsWith('C_Find') || call === 'C_GetAttributeValue'
    ? EXIT.signingFailed
    : EXIT.notFound;
}

let token: FaultyToken;
let folder: string;
let site: string;
let secret: readonly string[];
let digest: string | undefined;
let cases = 0;
const milliseconds: number[] = [];

const files = (): readonly string[] =>
  readdirSync(join(site, 'out'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** A plan whose counter is free: the last one, as long as no counter was taken since. */
async function plan(): Promise<string> {
  if (digest !== undefined) return digest;
  const planned = await runHere(['issue', join(folder, 'request.json'), '--site', site, '--dry-run']);
  expect(planned.code).toBe(0);
  digest = planned.stdout.trim();
  return digest;
}

function counters(): { readonly spent: number; readonly open: number } {
  const ledger = openLedgerForReading(join(site, 'ledger.sqlite'));
  try {
    const intents = [...ledger.entriesFrom(1)].filter((entry) => entry.kind === 'intent').length;
    return { spent: intents, open: ledger.openIntents().length };
  } finally {
    ledger.close();
  }
}

/** A counter that was taken for nothing is named, and none other. */
function expectVoidNamed(done: CliResult, taken: boolean): void {
  const named = / is void$/m.test(done.stderr);
  expect(`${named} ${done.stderr}`).toMatch(new RegExp(`^${taken && done.code !== 0} `));
}

async function issue(faults: readonly string[], limit: number): Promise<CliResult> {
  token.setFaults(faults);
  const before = counters().spent;
  const begun = performance.now();
  const done = runCli([String(limit), 'issue', '--site', site, '--confirm', await plan(), ...secret], {
    main: MAIN_WITH_LIMITS,
    env: { ...token.environment },
  });
  milliseconds.push(performance.now() - begun);
  const after = counters();
  // One run takes one counter or none, and leaves none open.
  expect(after.spent - before).toBeLessThanOrEqual(1);
  expect(after.open).toBe(0);
  expectVoidNamed(done, after.spent > before);
  if (after.spent > before) digest = undefined;
  return done;
}

beforeAll(() => {
  const made = makeKryoptic(['one']);
  token = faulty(made, []);
  folder = mkdtempSync(join(tmpdir(), 'vtlic-issue-faults-'));
  site = join(folder, 'site');
  writeFileSync(join(folder, 'pin'), made.pin, { mode: 0o600 });
  writeFileSync(join(folder, 'request.json'), JSON.stringify(requestDocument()));
  secret = ['--secret', `hsm=file:${join(folder, 'pin')}`];
  const run = (...args: readonly string[]): CliResult => runCli(args, { env: { ...made.environment } });
  expect(
    run(
      'init',
      site,
      '--issuer',
      'example-vendor',
      '--example-catalog',
      '--keystore',
      `hsm=pkcs11:token=one?module-path=${token.module}`,
    ),
  ).toMatchObject({ code: 0 });
  // The second key is there to sign in the place of the first.
  for (const name of ['k', 'other'])
    expect(run('key', 'generate', '--site', site, '--name', name, '--keystore', 'hsm', ...secret)).toMatchObject({
      code: 0,
    });
});
afterAll(() => {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  process.stdout.write(
    `fault walk of vtlic issue: ${cases} of ${sample().length} cases, one process each (median ${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)} ms)\n`,
  );
  token?.remove();
  rmSync(folder, { recursive: true, force: true });
});

it('calls what the sample is made for', async () => {
  const before = token.calls().length;
  expect(await issue([], LIMIT)).toMatchObject({ code: 0 });
  const calls = token.calls().slice(before);
  expect(new Set(calls)).toEqual(new Set(CALLED));
  for (const call of ['C_SignInit', 'C_Sign'])
    expect(calls.filter((name) => name === call)).toHaveLength(SIGN_CALLS.length);
  expect(readFileSync(new URL('../../docs/hsm.md', import.meta.url), 'utf8')).toContain(
    `${sample().length} runs of \`vtlic issue --confirm\``,
  );
});

describe.each(sample().map((fault) => [`${fault.call} ${fault.nth} ${fault.code ?? ''} ${fault.how}`, fault] as const))(
  '%s',
  (_, fault) => {
    it('ends with its exit code and a sentence, and releases nothing that is not valid', async () => {
      cases += 1;
      const { call, nth, how, code } = fault;
      const first = FIRST_FAULT[call];
      const before = { calls: token.calls().length, files: files().length };
      const done = await issue(
        [...(first === undefined ? [] : [first]), `${call} ${nth} ${how}`],
        how === 'hang' ? SHORT_LIMIT : LIMIT,
      );
      const told = `exit ${done.code} ${done.stdout}${done.stderr}`;

      expect(told).toMatch(new RegExp(`^exit ${exitOf(fault)} `));
      expect(files().length - before.files).toBe(done.code === 0 ? 1 : 0);
      expect(
        token
          .calls()
          .slice(before.calls)
          .filter((name) => name === 'C_Login').length,
      ).toBeLessThanOrEqual(1);
      expect(told).not.toContain(token.pin);
      expect(told).not.toMatch(/^\s+at |\.ts:\d|internal|defect/m);
      if (done.code === 0) return expect(done.stderr).toMatch(/^signed and released: /m);

      expect(done.stdout).toBe('');
      const lines = done.stderr.split('\n').filter((line) => line !== '');
      const sentences = lines.filter((line) => line.startsWith('vtlic: '));
      expect(sentences).toHaveLength(1);
      expect(lines.at(-1)).toMatch(/^ {2}→ \S/);
      const sentence = sentences[0] ?? '';
      // Of a session that was not closed the sentence says why it should have been.
      const named = first === undefined || how === 'hang' || how === 'kill' ? call : 'C_SignInit';
      if (call === 'C_CloseSession' || how === 'hang' || how === 'kill') expect(sentence).toMatch(/\(C_/);
      else if (done.code !== EXIT.selfCheck) expect(sentence).toContain(named);
      if (code !== undefined && first === undefined) expect(sentence).toContain(returnCodeInWords(returnCodeOf(code)));
      if (how === 'hang') expect(sentence).toContain('did not answer within 1 s');
    });
  },
);

describe('after all of them', () => {
  it('the ledger verifies', async () => {
    const verified = await runHere(['ledger', 'verify', '--site', site]);
    expect(`${verified.code} ${verified.stderr}`).toMatch(/^0 /);
  });

  it('no counter is on two licenses, and every file that was released is in the ledger and verifies', async () => {
    const ledger = openLedgerForReading(join(site, 'ledger.sqlite'));
    const entries = [...ledger.entriesFrom(1)];
    ledger.close();
    const intents = new Map(
      entries.flatMap((entry) => (entry.kind === 'intent' ? [[entry.seq, entry.body] as const] : [])),
    );
    expect(new Set([...intents.values()].map(({ ctr }) => ctr)).size).toBe(intents.size);
    const issued = entries.filter((entry): entry is IssueEntry => entry.kind === 'issue');
    const known = new Set(issued.map(({ body }) => toHex(body.cose)));
    expect(known.size).toBe(issued.length);

    const released = files();
    expect(released.length).toBe(issued.length);
    expect(released.length).toBeGreaterThan(5);
    expect(entries.filter(({ kind }) => kind === 'release')).toHaveLength(released.length);
    for (const file of released) {
      expect(known.delete(toHex(dearmor('VTLIC', readFileSync(file))))).toBe(true);
      const verified = await runHere([
        'verify',
        file,
        '--site',
        site,
        '--product',
        'vaultdesk',
        '--deployment',
        'prod-eu',
      ]);
      expect(`${verified.code} ${verified.stderr}`).toMatch(/^0 /);
    }
  });
});
