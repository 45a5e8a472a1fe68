/**
 * The plain form of `vtlic verify` is read without the command line's library; what it takes, it must take as that
 * library does.
 */
import { Command } from 'commander';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addVerify } from '../../../signer/cli/commands/verify.ts';
import type { Io } from '../../../signer/cli/io.ts';
import { readPlainVerify, type PlainVerify } from '../../../signer/cli/plain-verify.ts';

/** Nothing is run, so nothing of it is used. */
const NO_IO = Object.freeze({}) as Io;

function byCommander(argv: readonly string[]): PlainVerify | undefined {
  let read: PlainVerify | undefined;
  const program = new Command('vtlic')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  addVerify(program, NO_IO, () => undefined);
  const [command] = program.commands;
  command
    ?.exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    .action((file: string, options: PlainVerify['options']) => {
      read = { file, options };
    });
  try {
    program.parse(['verify', ...argv], { from: 'user' });
    return read;
  } catch {
    return undefined;
  }
}

const HOST = 'Ab'.repeat(32);
const word = fc.constantFrom(
  'a.vtlic',
  'vaultdesk',
  '-',
  '--',
  '-x',
  '',
  'help',
  '7',
  '--json',
  '--product',
  '--product=x',
  '--site',
  '--trust',
  '--at',
  '--unknown',
  HOST,
);
const option = fc.oneof(
  fc.tuple(
    fc.constantFrom('--product', '--deployment', '--issuer', '--trust'),
    fc.oneof(fc.constantFrom('x', 'vendor.pem', '-', '--json', ''), fc.string()),
  ),
  fc.tuple(fc.constant('--host'), fc.constantFrom(HOST, 'ab', `${HOST}0`)),
  fc.tuple(
    fc.constantFrom('--at', '--build-date'),
    fc.constantFrom(
      '2027-06-01',
      '2027-06-01T00:00:00Z',
      '1969-01-01',
      '2027-02-30',
      '9999-12-31T23:59:59-01:00',
      'now',
    ),
  ),
  fc.tuple(fc.constant('--grace-days'), fc.constantFrom('0', '30', '366', '367', '07', '-1', '1e2')),
  fc.constant(['--json']),
  fc.constant(['--site', 'my-site']),
);
/** Mostly what a script would say, in any order, with whatever else in between. */
const argv = fc
  .tuple(fc.array(option, { maxLength: 6 }), fc.array(word, { maxLength: 1 }), fc.boolean())
  .chain(([options, words, sound]) => {
    const parts: readonly (readonly string[])[] = [
      ...options,
      ...words.map((one) => [one]),
      ...(sound ? [['a.vtlic'], ['--product', 'vaultdesk'], ['--trust', 'vendor.pem']] : []),
    ];
    return fc.shuffledSubarray([...parts], { minLength: parts.length });
  })
  .map((parts) => parts.flat());

it('the plain form of verify means what the whole command line means by it', () => {
  let plain = 0;
  fc.assert(
    fc.property(argv, (words) => {
      const read = readPlainVerify(words);
      if (read === undefined) return;
      plain++;
      expect(read).toEqual(byCommander(words));
    }),
    { numRuns: 4000 },
  );
  expect(plain).toBeGreaterThan(150);
});

it.each([
  ['the plain form', ['a.vtlic', '--product', 'p', '--trust', 't', '--json'], true],
  ['no trust: a site is meant', ['a.vtlic', '--product', 'p'], false],
  ['a site', ['a.vtlic', '--product', 'p', '--trust', 't', '--site', 's'], false],
  ['help', ['--help'], false],
  ['a build date', ['a.vtlic', '--product', 'p', '--trust', 't', '--build-date', '2027-11-24'], true],
  ['a build date that is none', ['a.vtlic', '--product', 'p', '--trust', 't', '--build-date', 'v2'], false],
  ['a value that does not hold', ['a.vtlic', '--product', 'p', '--trust', 't', '--at', 'soon'], false],
])('%s', (_name, words, plain) => {
  expect(readPlainVerify(words) !== undefined).toBe(plain);
});
