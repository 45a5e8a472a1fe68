/** An answer against what was expected: the rules of scoring (docs/conformance.md, "Answers"). */
import { cleanText } from '../../formats/clean-text.ts';
import type { Answer } from '../protocol/protocol.ts';

export interface Mismatch {
  /** A wrong reason is a failure too, but not a wrong verdict. */
  readonly kind: 'verdict' | 'state' | 'reason' | 'detail';
  readonly sentence: string;
}

/** @param scored whether layer and reason are compared, where the answer has them */
export function mismatchOf(answer: Answer, expected: Answer, scored: boolean): Mismatch | undefined {
  const differ = (kind: Mismatch['kind']): Mismatch => ({
    kind,
    sentence: `says ${wordsOfAnswer(answer)}, expected ${wordsOfAnswer(expected)}`,
  });
  if (answer.verdict !== expected.verdict) return differ('verdict');
  if (expected.state !== undefined && answer.state !== expected.state) return differ('state');
  const detail = faultOfDetails(answer, expected);
  if (detail !== undefined) return { kind: 'detail', sentence: detail };
  if (!scored) return undefined;
  for (const name of ['reason', 'layer'] as const)
    if (expected[name] !== undefined && answer[name] !== undefined && answer[name] !== expected[name])
      return differ('reason');
  return undefined;
}

function faultOfDetails(answer: Answer, expected: Answer): string | undefined {
  for (const name of ['payloadDigest', 'lineage'] as const)
    if (expected[name] !== undefined && answer[name] !== undefined && answer[name] !== expected[name])
      return `says the ${name} ${cleanText(answer[name])}, expected ${expected[name]}`;
  for (const name of ['version', 'source', 'requireComposite'] as const)
    if (expected[name] !== undefined && answer[name] !== expected[name])
      return `says the ${name} ${cleanText(String(answer[name]))}, expected ${expected[name]}`;
  const notices = (of: Answer): string =>
    (of.notices ?? []).map(({ source, reason }) => `${source} ${reason}`).join(', ');
  if (expected.notices !== undefined && notices(answer) !== notices(expected))
    return `has the notices [${cleanText(notices(answer))}], expected [${notices(expected)}]`;
  if (expected.keys === undefined) return undefined;
  // Of a trust the order means nothing; of a file of keys it does.
  const isTrust = expected.requireComposite !== undefined;
  const keys = (of: Answer): string => {
    const all = (of.keys ?? []).map(({ kid, purpose, status }) =>
      [kid, ...(isTrust ? [purpose, status] : [])].join(' '),
    );
    return (isTrust ? all.sort() : all).join(', ');
  };
  return keys(answer) === keys(expected)
    ? undefined
    : `has the keys [${cleanText(keys(answer))}], expected [${keys(expected)}]`;
}

export function wordsOfAnswer({ verdict, state, layer, reason, version }: Answer): string {
  if (verdict === 'accepted') return `accepted (${state ?? 'no state'})`;
  if (verdict !== 'refused') return verdict ?? (version === undefined ? 'a description' : `version ${version}`);
  if (reason === undefined) return 'refused';
  return `refused (${layer === undefined ? '' : `${cleanText(layer)}, `}${cleanText(reason)})`;
}
