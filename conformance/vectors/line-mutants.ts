/**
 * `npm run test:mutants -- lines`: changes the verifier and the formats by one operator at a time and sees whether a
 * case of the vectors notices.
 *
 *     node conformance/vectors/line-mutants.ts [--every N] [--from N] [FILE…]    one change in N, from the first on
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { addMutant, loadMutant } from '../mutants/load.ts';
import type { CaseFolder } from './case.ts';
import { readCases } from './files.ts';
import type { agrees, judgeCase } from './judge.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What judges a license, a trust, an override and a keyset. */
const FILES: readonly string[] = [
  'verifier/verify.ts',
  'verifier/policy.ts',
  'verifier/binding.ts',
  'verifier/rollback.ts',
  'verifier/trust.ts',
  'verifier/override.ts',
  'verifier/keyset/acceptance.ts',
  'verifier/keyset/choose.ts',
  'formats/armor.ts',
  'formats/base64.ts',
  'formats/cbor/decode.ts',
  'formats/cbor/map-reader.ts',
  'formats/cose-algorithm.ts',
  'formats/cose-key.ts',
  'formats/cose-sign.ts',
  'formats/cose-sign1.ts',
  'formats/keyset/blocks.ts',
  'formats/keyset/decode-keyset.ts',
  'formats/license/decode-license.ts',
  'formats/license/ext.ts',
  'formats/license/id.ts',
];

interface Change {
  readonly file: string;
  readonly line: number;
  readonly at: number;
  readonly from: string;
  readonly to: string;
}

const OPERATORS: readonly (readonly [find: RegExp, to: string])[] = [
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ > /g, ' >= '],
  [/ >= /g, ' > '],
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \?\? /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bif \(/g, 'if (false && '],
  [/\bif \(/g, 'if (true || '],
  [/\bthrow (?=[a-z])/g, ''],
];

/** Texts of errors, comments and types: a change there changes no verdict. */
const SKIPPED = /^\s*(?:\/?\*|\/\/|import |export type|type |interface |readonly |\)|`|'|"|throw malformed|[a-z]+\?: )/;

function changesOf(file: string): readonly Change[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const found: Change[] = [];
  let at = 0;
  for (const [i, line] of source.split('\n').entries()) {
    if (!SKIPPED.test(line))
      for (const [find, to] of OPERATORS)
        for (const match of line.matchAll(find)) {
          // Inside a text in quotes nothing is an operator.
          const before = line.slice(0, match.index);
          if ((before.match(/['`"]/g)?.length ?? 0) % 2 === 1) continue;
          found.push({ file, line: i + 1, at: at + match.index, from: match[0], to });
        }
    at += line.length + 1;
  }
  return found;
}

const nameOf = ({ file, line, from, to }: Change, i: number): string => `${i} ${file}:${line} "${from}" -> "${to}"`;

interface Judge {
  readonly agrees: typeof agrees;
  readonly judgeCase: typeof judgeCase;
}

/** The first case that notices, or none. */
async function noticedBy(change: Change, cases: readonly CaseFolder[], name: string): Promise<string | undefined> {
  const source = readFileSync(join(ROOT, change.file), 'utf8');
  const changed = source.slice(0, change.at) + change.to + source.slice(change.at + change.from.length);
  addMutant(name, new Map([[pathToFileURL(join(ROOT, change.file)).href, changed]]));
  let judge: Judge;
  try {
    judge = (await loadMutant(name, import.meta.resolve('./judge.ts'))) as Judge;
  } catch {
    return 'its loading';
  }
  for (const folder of cases) {
    if (folder.value.operation === 'history') continue;
    try {
      if (!judge.agrees(folder.value, judge.judgeCase(folder))) return folder.value.id;
    } catch {
      return folder.value.id;
    }
  }
  return undefined;
}

/** Small files first, so that most changes are noticed soon. */
function inOrder(cases: readonly CaseFolder[]): readonly CaseFolder[] {
  const size = ({ files, value }: CaseFolder): number =>
    [...files.values()].reduce((sum, bytes) => sum + bytes.length, 'keyset' in value ? 5000 : 0);
  return [...cases].sort((a, b) => size(a) - size(b));
}

const SECONDS_BEFORE_IT_HANGS = 120;
const SHARDS = 2;

/** Tries the changes of these numbers in a process of its own, which is started again where a change makes it hang. */
async function tryAll(numbers: readonly number[], report: (line: string) => void): Promise<void> {
  let left = [...numbers];
  while (left.length > 0) {
    const child = spawn(process.execPath, ['--no-warnings', import.meta.filename, '--only', left.join()], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let timer = setTimeout(() => child.kill('SIGKILL'), SECONDS_BEFORE_IT_HANGS * 1000);
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), SECONDS_BEFORE_IT_HANGS * 1000);
      left = left.slice(1);
      report(line);
    }
    clearTimeout(timer);
    const [hung] = left;
    if (hung === undefined) return;
    left = left.slice(1);
    report(`killed ${hung} it hangs, or ends the process`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      every: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  });
  const changes = FILES.flatMap(changesOf);
  if (values.only !== undefined) {
    const cases = inOrder(readCases());
    for (const i of values.only.split(',').map(Number)) {
      const change = changes[i];
      if (change === undefined) continue;
      const found = await noticedBy(change, cases, `line-${i}`);
      process.stdout.write(`${found === undefined ? 'SURVIVED' : 'killed'} ${nameOf(change, i)} ${found ?? ''}\n`);
    }
    return;
  }
  const numbers = changes
    .map((_change, i) => i)
    .filter((i) => positionals.length === 0 || positionals.some((word) => changes[i]?.file.includes(word)))
    .filter((_i, n) => (n - Number(values.from)) % Number(values.every) === 0);
  let killed = 0;
  const report = (line: string): void => {
    if (line.startsWith('killed')) killed++;
    else process.stdout.write(`${line}\n`);
  };
  await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) =>
      tryAll(
        numbers.filter((_i, n) => n % SHARDS === shard),
        report,
      ),
    ),
  );
  process.stdout.write(`${killed} of ${numbers.length} changes were noticed, of ${changes.length} there are\n`);
}

await main();
