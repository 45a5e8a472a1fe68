/** What runs inside the browser: the verifier over cases of the vectors, with both providers that it may choose. */
import { agrees, judgeCase } from '../../conformance/vectors/judge.ts';
import type { Case } from '../../conformance/vectors/case.ts';
import { nobleProvider } from '../../keys/public/provider-noble.ts';

/** A case with its files in base64. */
export interface SentCase {
  readonly value: Exclude<Case, { readonly operation: 'history' }>;
  readonly files: Readonly<Record<string, string>>;
}

export function judgeCases(cases: readonly SentCase[]): { readonly total: number; readonly failed: readonly string[] } {
  const failed = cases.flatMap(({ value, files }) => {
    const folder = {
      value,
      files: new Map(
        Object.entries(files).map(([name, text]) => [name, Uint8Array.from(atob(text), (c) => c.codePointAt(0) ?? 0)]),
      ),
    };
    return [undefined, nobleProvider].flatMap((provider) => {
      try {
        return agrees(value, judgeCase(folder, provider)) ? [] : [value.id];
      } catch (error) {
        return [`${value.id}: ${String(error)}`];
      }
    });
  });
  return { total: cases.length, failed };
}
