/** The members of a request as options of the command line, for `vtlic issue` and `vtlic renew`. */
import type { Command } from 'commander';
import { type MemberName, wordsOfMember } from '../request/parse.ts';
import { collect } from './options.ts';

/** The option of each member but the customer; `limits` is `--limit`, and `ext` has none. */
const FLAGS: readonly (readonly [member: MemberName, flags: string])[] = [
  ['name', '--name <text>'],
  ['product', '--product <id>'],
  ['deployment', '--deployment <id>'],
  ['tier', '--tier <tier>'],
  ['seats', '--seats <n>'],
  ['from', '--from <day>'],
  ['until', '--until <day>'],
  ['graceDays', '--grace-days <n>'],
  ['features', '--features <list>'],
  ['reference', '--reference <text>'],
  ['instances', '--instances <n>'],
  ['hosts', '--hosts <list>'],
  ['offlineSeconds', '--offline-seconds <n>'],
  ['updatesUntil', '--updates-until <day>'],
  ['use', '--use <use>'],
  ['resetClock', '--reset-clock'],
];

/** The options, as a command line has them. */
export const MEMBER_FLAGS: readonly string[] = FLAGS.map(([, flags]) => flags.split(' ')[0] ?? '');

export interface MemberOptions extends Readonly<Partial<Record<MemberName, string | true>>> {
  readonly limit: readonly string[];
}

/** @param words what an option means to this command, where that differs from what its member takes */
export function memberOptions(command: Command, words: Readonly<Partial<Record<MemberName, string>>>): Command {
  for (const [member, flags] of FLAGS) command.option(flags, words[member] ?? wordsOfMember(member));
  return command.option('--limit <name=value>', words.limits ?? wordsOfMember('limits'), collect, [] as string[]);
}

/** The members that the command line names, by their names. */
export function givenMembers(options: MemberOptions): readonly (readonly [MemberName, string | true])[] {
  return FLAGS.flatMap(([member]) => {
    const value = options[member];
    return value === undefined ? [] : [[member, value] as const];
  });
}
