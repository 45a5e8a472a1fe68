/**
 * `vtlic manual` and `vtlic completion SHELL`: the manual page and the completions, made from the commands themselves,
 * so that they cannot disagree.
 */
import { type Command, Argument, type Option } from 'commander';
import type { Io } from '../io.ts';

/** Makes the whole tree of commands, with the options of each. */
type Whole = () => Promise<Command>;

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function defineManual(command: Command, io: Io, whole: Whole): void {
  command.addHelpText('after', '\nExample:\n  vtlic manual > vtlic.1').action(async () => {
    io.out(manualPage(await whole()));
  });
}

const COMPLETION_HELP = `
Examples:
  vtlic completion bash > ~/.local/share/bash-completion/completions/vtlic
  vtlic completion zsh > ~/.zfunc/_vtlic
  vtlic completion fish > ~/.config/fish/completions/vtlic.fish`;

export function defineCompletion(command: Command, io: Io, whole: Whole): void {
  command
    .addArgument(new Argument('<shell>', 'whose completion is written').choices(SHELLS))
    .addHelpText('after', COMPLETION_HELP)
    .action(async (shell: Shell) => {
      io.out(COMPLETIONS[shell](nodesOf(await whole())));
    });
}

/** One command, by its words after `vtlic`. */
interface Node {
  readonly words: readonly string[];
  readonly command: Command;
  readonly below: readonly string[];
  readonly options: readonly Option[];
}

function nodesOf(command: Command, words: readonly string[] = []): readonly Node[] {
  const { commands } = command;
  const help = words.length === 0 ? ['help'] : [];
  const options = command.options.filter(({ long }) => long !== undefined);
  return [
    { words, command, below: [...commands.map((child) => child.name()), ...help], options },
    ...commands.flatMap((child) => nodesOf(child, [...words, child.name()])),
  ];
}

/** What `vtlic help COMMAND` prints. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** troff reads a dot or an apostrophe at the beginning of a line, and every backslash. */
function troff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

function manualPage(program: Command): string {
  const nodes = nodesOf(program);
  const sections = nodes
    .filter(({ words }) => words.length > 0)
    .map(({ words, command }) =>
      [`.SS vtlic ${words.join(' ')}`, '.nf', troff(helpOf(command)).trimEnd(), '.fi'].join('\n'),
    );
  return [
    `.TH VTLIC 1 "" "vtlic ${program.version() ?? ''}" "vtlic"`,
    '.SH NAME',
    'vtlic \\- issues and verifies signed .vtlic license files, offline',
    '.SH SYNOPSIS',
    '.B vtlic',
    '.I COMMAND',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    troff(program.description()),
    'Standard output has the result only, standard error the narrative.',
    '.SH COMMANDS',
    ...sections,
    '.SH ENVIRONMENT',
    '.TP',
    '.B VTLIC_SITE',
    'the site, where \\-\\-site is not given.',
    '.SH EXIT STATUS',
    '0: done. 2: usage or configuration. The others are in README.md, "Exit codes".',
    '',
  ].join('\n');
}

const COMPLETIONS: Readonly<Record<Shell, (nodes: readonly Node[]) => string>> = { bash, zsh, fish };

const long = (option: Option): string => option.long ?? '';
const flagsOf = ({ options }: Node): readonly string[] => [...options.map(long), '--help'];

/** `case` branches: the words of a command, and what may follow. */
function branches(nodes: readonly Node[]): string {
  return nodes
    .map((node) => `    '${node.words.join(' ')}') words='${[...node.below, ...flagsOf(node)].join(' ')}' ;;`)
    .join('\n');
}

/** Every word that may be a part of a command's name, to tell them from values. */
function paths(nodes: readonly Node[]): string {
  return nodes
    .filter(({ words }) => words.length > 0)
    .map(({ words }) => `'${words.join(' ')}'`)
    .join('|');
}

function bash(nodes: readonly Node[]): string {
  return `# bash completion of vtlic; written by: vtlic completion bash
_vtlic() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at='' word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [ "$at$word" = help ] && continue
    case "\${at:+$at }$word" in
    ${paths(nodes)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${branches(nodes)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _vtlic vtlic
`;
}

function zsh(nodes: readonly Node[]): string {
  return `#compdef vtlic
# zsh completion of vtlic; written by: vtlic completion zsh
_vtlic() {
  local at='' word candidates='' i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    [[ "$at$word" == help ]] && continue
    case "\${at:+$at }$word" in
    ${paths(nodes)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${branches(nodes).replaceAll(') words=', ') candidates=')}
  esac
  compadd -- \${=candidates}
  _files
}
if [[ "\${funcstack[1]}" == _vtlic ]]; then _vtlic "$@"; else compdef _vtlic vtlic; fi
`;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const here = `__vtlic_at ${quoted(node.words.join(' '))}`;
    return [
      ...node.command.commands.map(
        (child) => `complete -c vtlic -f -n ${quoted(here)} -a ${child.name()} -d ${quoted(child.description())}`,
      ),
      ...node.options.map(
        (option) =>
          `complete -c vtlic -n ${quoted(here)} -l ${long(option).slice(2)}` +
          `${option.required ? ' -r' : ''} -d ${quoted(option.description)}`,
      ),
    ];
  });
  return `# fish completion of vtlic; written by: vtlic completion fish
function __vtlic_at
  set -l at
  for word in (commandline -opc)[2..-1]
    test "$at$word" = help; and continue
    switch (string join ' ' $at $word)
      case ${paths(nodes).replaceAll('|', ' ')}
        set at (string join ' ' $at $word)
    end
  end
  test "$at" = "$argv[1]"
end
complete -c vtlic -f -n "__vtlic_at ''" -a help -d 'shows the help of a command'
${lines.join('\n')}
`;
}
