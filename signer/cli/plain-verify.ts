/**
 * `vtlic verify` in its plain form: a file, a product, the keys to trust, each option once and with its value behind a
 * blank. That is
 * how a script asks, perhaps for one file after the other, so it starts without the command line's own library. The
 * build packs this
 * file with all that it imports in it. Every other form, and whatever is wrong, goes the way of all commands and gets
 * its words there.
 */
import { asVtlicError, reportError } from './output.ts';
import { verifyFile, type VerifyFileOptions } from './commands/verify-file.ts';
import { graceDaysValue, hostValue, timeValue, type OptionValue } from './commands/verify-values.ts';
import { writeLine, writeResult } from './io.ts';

export interface PlainVerify {
  readonly file: string;
  readonly options: VerifyFileOptions;
}

type Options = { -readonly [O in keyof VerifyFileOptions]?: VerifyFileOptions[O] };

const TEXTS: ReadonlyMap<string, 'product' | 'deployment' | 'issuer'> = new Map([
  ['--product', 'product'],
  ['--deployment', 'deployment'],
  ['--issuer', 'issuer'],
]);

/** @param argv what follows the word `verify`; undefined where it is not the plain form */
export function readPlainVerify(argv: readonly string[]): PlainVerify | undefined {
  let file: string | undefined;
  const options: Options = {};
  const [hosts, trust]: [string[], string[]] = [[], []];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (!word.startsWith('-')) {
      if (file !== undefined || word === '') return undefined;
      file = word;
      continue;
    }
    if (word === '--json') {
      options.json = true;
      continue;
    }
    const value = argv[++i];
    if (value === undefined || value === '' || value.startsWith('-')) return undefined;
    const name = TEXTS.get(word);
    if (name !== undefined && options[name] === undefined) options[name] = value;
    else if (word === '--trust') trust.push(value);
    else if (word === '--host') {
      if (!take(hostValue(value), (host) => hosts.push(host))) return undefined;
    } else if (word === '--at' && options.at === undefined) {
      if (!take(timeValue(value), (time) => (options.at = time))) return undefined;
    } else if (word === '--build-date' && options.buildDate === undefined) {
      if (!take(timeValue(value), (time) => (options.buildDate = time))) return undefined;
    } else if (word === '--grace-days' && options.graceDays === undefined) {
      if (!take(graceDaysValue(value), (days) => (options.graceDays = days))) return undefined;
    } else return undefined;
  }
  const { product } = options;
  if (file === undefined || product === undefined || trust.length === 0) return undefined;
  return { file, options: { graceDays: 0, ...options, product, host: hosts, trust } };
}

function take<T>(read: OptionValue<T>, use: (value: T) => void): boolean {
  if (read.ok) use(read.value);
  return read.ok;
}

/** @returns the exit code; undefined where it is not the plain form, and nothing was done */
export function plainVerify(argv: readonly string[]): number | undefined {
  const plain = readPlainVerify(argv);
  if (plain === undefined) return undefined;
  const io = { out: writeResult, err: writeLine };
  try {
    return verifyFile(
      { ...io, cwd: process.cwd(), now: () => Math.floor(Date.now() / 1000) },
      plain.file,
      plain.options,
      undefined,
    );
  } catch (error) {
    return reportError(asVtlicError(error), argv, io);
  }
}
