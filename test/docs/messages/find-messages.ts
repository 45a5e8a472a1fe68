/** Every `new VtlicError(code, sentence, { hint })` of the sources, with what its callers add to the sentence. */
import {
  child,
  children,
  nameOf,
  optionalChild,
  sourcesOf,
  walk,
  type Callable,
  type Located,
  type Node,
  type SourceFile,
} from './syntax.ts';
import { definingSource, fill, render, saysSomething, textOf, type Param, type Text } from './render.ts';

export interface Message {
  readonly code: string;
  readonly sentence: string;
  /** Undefined where the error has none. */
  readonly hint: string | undefined;
  /** The file that makes the error. */
  readonly file: string;
}

interface Draft {
  readonly code: Text;
  readonly sentence: Text;
  readonly hint: Text | undefined;
  readonly file: string;
}

/** How far callers are followed: a function that hands a sentence on, and the function that calls that one. */
const MAX_CALLERS = 4;

export interface Found {
  readonly messages: readonly Message[];
  /** Errors whose sentence is only a value, so that this search cannot see what they say: `file: expression`. */
  readonly unseen: readonly string[];
}

export function findMessages(folders: readonly string[]): Found {
  const files = sourcesOf(folders);
  const sources = new Map(files.map((file) => [file.path, file]));
  const calls = callsByName(files);
  const messages = new Map<string, Message>();
  const unseen = new Set<string>();
  for (const file of files) {
    walk(file, (located) => {
      if (located.node.type !== 'NewExpression' || nameOf(child(located.node, 'callee')) !== 'VtlicError') return;
      for (const draft of draftsOf(located, sources)) {
        for (const whole of withCallers(draft, calls, sources, MAX_CALLERS)) {
          const message = {
            code: textOf(whole.code),
            sentence: textOf(whole.sentence),
            hint: whole.hint === undefined ? undefined : textOf(whole.hint),
            file: whole.file,
          };
          if (saysSomething(whole.sentence)) messages.set(JSON.stringify(message), message);
          else unseen.add(`${whole.file}: ${message.code}: ${message.sentence}`);
        }
      }
    });
  }
  return { messages: [...messages.values()], unseen: [...unseen].toSorted() };
}

function draftsOf({ file, node, within }: Located, sources: ReadonlyMap<string, SourceFile>): readonly Draft[] {
  const [code, sentence, details] = children(node, 'arguments');
  if (code === undefined || sentence === undefined) throw new Error(`${file.path}: an error without a sentence`);
  const scope = { file, within, sources };
  const hint = details === undefined ? undefined : hintOf(details);
  const hints = hint === undefined ? [undefined] : paired(render(hint, scope));
  const codes = render(code, scope);
  return render(sentence, scope).flatMap((said) =>
    codes.flatMap((one) => hints.map((next) => ({ code: one, sentence: said, hint: next, file: file.path }))),
  );
}

/** An empty text or `undefined` in the place of a hint is no hint. */
function paired(texts: readonly Text[]): readonly (Text | undefined)[] {
  return texts.map((parts) => (['', 'undefined', '{undefined}'].includes(textOf(parts)) ? undefined : parts));
}

/** The expression of `hint` in the details, or in what is spread into them. */
function hintOf(node: Node): Node | undefined {
  if (node.type === 'ConditionalExpression')
    return hintOf(child(node, 'consequent')) ?? hintOf(child(node, 'alternate'));
  if (node.type !== 'ObjectExpression') return undefined;
  for (const member of children(node, 'properties')) {
    if (member.type === 'SpreadElement') {
      const found = hintOf(child(member, 'argument'));
      if (found !== undefined) return found;
    } else if (nameOf(optionalChild(member, 'key')) === 'hint') return child(member, 'value');
  }
  return undefined;
}

/** Calls and `new` by the name of what is called, without its object. */
function callsByName(files: readonly SourceFile[]): ReadonlyMap<string, readonly Located[]> {
  const calls = new Map<string, Located[]>();
  for (const file of files) {
    walk(file, (located) => {
      if (located.node.type !== 'CallExpression') return;
      const callee = child(located.node, 'callee');
      const name = nameOf(callee) ?? nameOf(optionalChild(callee, 'property'));
      if (name === undefined) return;
      const list = calls.get(name) ?? [];
      list.push(located);
      calls.set(name, list);
    });
  }
  return calls;
}

function paramsOf(draft: Draft): readonly Param[] {
  return [...draft.code, ...draft.sentence, ...(draft.hint ?? [])].flatMap((part) =>
    typeof part === 'string' || part.param === undefined ? [] : [part.param],
  );
}

/** The draft with what each caller of its function says in the place of parameters; itself where no caller says more. */
function withCallers(
  draft: Draft,
  calls: ReadonlyMap<string, readonly Located[]>,
  sources: ReadonlyMap<string, SourceFile>,
  depth: number,
): readonly Draft[] {
  const callable = paramsOf(draft)[0]?.callable;
  if (callable?.name === undefined || depth === 0) return [draft];
  const filled = (calls.get(callable.name) ?? [])
    .filter((call) => reaches(call, callable, sources))
    .flatMap((call) => filledBy(call, draft, callable, sources))
    .flatMap((next) => withCallers(next, calls, sources, depth - 1));
  return filled.length === 0 ? [draft] : filled;
}

function filledBy(
  { file, node, within }: Located,
  draft: Draft,
  callable: Callable,
  sources: ReadonlyMap<string, SourceFile>,
): readonly Draft[] {
  const args = children(node, 'arguments');
  const argument = ({ callable: of, index }: Param): readonly Text[] | undefined => {
    if (of.node !== callable.node) return undefined;
    const given = args[index];
    return given === undefined ? [['']] : render(given, { file, within, sources });
  };
  const hints = draft.hint === undefined ? [undefined] : paired(fill(draft.hint, argument));
  return fill(draft.code, argument).flatMap((code) =>
    fill(draft.sentence, argument).flatMap((sentence) =>
      hints.map((hint) => ({ code, sentence, hint, file: saysMore(sentence, draft) ? file.path : draft.file })),
    ),
  );
}

function saysMore(sentence: Text, draft: Draft): boolean {
  return textOf(sentence) !== textOf(draft.sentence);
}

/** Whether this call can be one of that function: by import or in the same file; a method in a file that knows its own. */
function reaches(call: Located, callable: Callable, sources: ReadonlyMap<string, SourceFile>): boolean {
  const callee = child(call.node, 'callee');
  const sameFile = call.file.path === callable.file.path;
  if (callable.isMethod) {
    if (callee.type !== 'MemberExpression') return false;
    return sameFile || (child(callee, 'object').type !== 'ThisExpression' && knows(call.file, callable, sources));
  }
  if (callee.type !== 'Identifier') return false;
  const from = call.file.imports.get(callable.name ?? '');
  if (from === undefined) return sameFile;
  return definingSource(from, sources)?.file.path === callable.file.path;
}

function knows(file: SourceFile, callable: Callable, sources: ReadonlyMap<string, SourceFile>): boolean {
  return [...file.imports.values()].some((from) => definingSource(from, sources)?.file.path === callable.file.path);
}
