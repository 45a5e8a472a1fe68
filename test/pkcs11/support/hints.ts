/** The ways out that messages name: their commands are run as a shell would run them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/run-cli.ts';
import { runHere, type RanHere } from '../../support/run-here.ts';
import type { DeviceSite } from './device-site.ts';

/** What stands for a value in a hint: `vtlic hsm keys KEYSTORE`. */
export type Values = Readonly<Record<string, string>>;

/** The hints of an output, which follow an arrow. */
export function hintsIn(output: string): readonly string[] {
  return [...output.matchAll(/→ (.*)/g)].map((match) => match[1] ?? '');
}

/** The commands in a text, each to its end: a semicolon, a comma, or the end of the line. */
export function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/\b(?:vtlic [a-z]|pkcs11-tool -|chmod )[^;,\n]*/g)].map(([command]) => command.trim());
}

function wordsOf(command: string): readonly string[] {
  const text = execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
  return text.split('\0').slice(0, -1);
}

/** Runs a command of this toolkit as a hint gives it, for the site and with the PIN of the device. */
export async function follow(device: DeviceSite, command: string, values: Values = {}): Promise<RanHere> {
  const [program, ...words] = wordsOf(command).map((word) => values[word] ?? word);
  if (program !== 'vtlic') throw new Error(`not a command of this toolkit: ${command}`);
  const line = words.join(' ');
  if (line.startsWith('help')) return runHere(words);
  if (/^(?:hsm list|key (?:list|retire))/.test(line)) return device.runWithout(...words);
  return words.includes('--site') ? runHere([...words, '--secret', `h=file:${device.pinFile}`]) : device.run(words);
}

/** Runs a command of OpenSC as a hint gives it, with the PIN that it would ask for. */
export function followTool(device: DeviceSite, command: string): { readonly code: number; readonly output: string } {
  const done = spawnSync('bash', ['-c', `${command} --pin ${device.behavior.pin}`], { encoding: 'utf8' });
  return { code: done.status ?? -1, output: `${done.stdout}${done.stderr}` };
}

/** Files whose messages are about tokens. */
const ROOMS: readonly string[] = ['keys/private/pkcs11', 'signer/hsm', 'signer/keys'];
const FILES: readonly string[] = ['signer/anchor/anchor-token.ts'];
/** Texts that are no message: what locks a site says of its holder, and words of a list. */
const NOT_MESSAGES =
  /^(?:vtlic hsm doctor|vtlic key (?:generate|adopt|default|retire|retire --undo|remove)|.* --wrapped)$/;

export interface HintOfSource {
  readonly file: string;
  readonly text: string;
  /** Matches it in an output. */
  readonly pattern: RegExp;
}

/** Each text in the source that names a command or an option. */
export function hintsOfSource(): readonly HintOfSource[] {
  const below = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name)),
  );
  return [...below, ...FILES].flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8')
      .replaceAll(/\/\*[^]*?\*\//g, '')
      .replaceAll(/^\s*\/\/.*$/gm, '');
    return [...source.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)]
      .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
      .filter((text) => /\bvtlic [a-z]|(?:^|[\s(])--[a-z]/.test(text) && !NOT_MESSAGES.test(text))
      .map((text) => ({ file, text, pattern: patternOf(text) }));
  });
}

function patternOf(text: string): RegExp {
  const parts = text.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
  return new RegExp(parts.map((part) => part.replaceAll(/[^\w\s]/g, '\\$&')).join('.*'));
}
