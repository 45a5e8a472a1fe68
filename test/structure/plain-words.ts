/**
 * Phrases of an older style that a reader had to read twice, and what to write in their place. `plain-words.test.ts`
 * refuses them in code, messages and documents.
 */
export interface UnclearPhrase {
  readonly find: RegExp;
  readonly write: string;
}

export const UNCLEAR_PHRASES: readonly UnclearPhrase[] = [
  { find: /\bshould stand\b/i, write: 'expected X, found Y' },
  { find: /\bstands? (?:twice|first|already|on line)\b/i, write: 'is repeated; the first is at line N' },
  { find: /\bshould lie\b/i, write: 'should be' },
  { find: /\bcomes? to lie\b/i, write: 'is, or moves to' },
  { find: /\bwhom it names\b/i, write: 'the customers that it names' },
  { find: /\bwho follows the record\b/i, write: 'the sequential pass' },
  { find: /\bheld against\b/i, write: 'compared with' },
  { find: /\btells another history\b/i, write: 'entry N differs' },
  { find: /\bnot known here\b/i, write: 'an unknown member' },
  { find: /\bof worth\b/i, write: 'it contains no data' },
  { find: /\bno longer stands\b/i, write: 'is out of date' },
  { find: /\bwith another hand\b|\bwith no hand\b/i, write: 'somebody else; automatically' },
  { find: /\bby way of\b/i, write: 'through, or with' },
  { find: /\bat a terminal alone\b/i, write: 'this command needs a terminal' },
  { find: /\bin the one way that is allowed\b/i, write: 'is not canonically encoded' },
  { find: /\bwere told (?:of|from)\b|\bis told (?:of|from)\b/i, write: 'is reported, is distinguished from' },
  { find: /\blooked at again\b/i, write: 'checked again' },
  { find: /\bdo(?:es)? not hold\b/i, write: 'is not valid, or does not contain' },
  { find: /\bst(?:ands?|ood) there\b/i, write: 'exists, or is there' },
  { find: /\blies? (?:in|beside|below)\b/i, write: 'is in, is beside' },
  { find: /\bvouch(?:es|ed)?\b/i, write: 'the anchor agrees with the ledger, or is the anchor of it' },
  { find: /\bsays? otherwise\b/i, write: 'differs from' },
  { find: /\bspeaks? of\b/i, write: 'is for, names, or contains' },
  { find: /\b(?:licenses|is) in hand\b/i, write: 'the licenses already begun' },
  { find: /\bit is not said\b/i, write: 'say who should have said it' },
  { find: /\bnobody sees\b/i, write: 'invisible' },
  { find: /\b(?:signs?|counts?|issues?|there) no more\b/i, write: 'no longer signs' },
  { find: /\bwhat(?:ever)? (?:came|comes|became|becomes) of\b/i, write: 'the result of, or what happened to' },
  { find: /\b(?:license|payload|lineage|row|key|customer|host|day)\(s\)/i, write: 'the right number (`counted`)' },
  { find: /\bat hand\b/i, write: 'current' },
  { find: /\bsays? nothing of\b/i, write: 'says nothing about' },
  { find: /\bso (?:many|much) (?:\w+ )?(?:are|is) (?:kept|named|shown)\b/i, write: 'at most this many are' },
  { find: /\b(?:officer|person|people)'s word\b|\b(?:at|on) the word of\b/i, write: 'confirmation, or review' },
  { find: /\bnot believed\b/i, write: 'not trusted' },
  { find: /\bgives? way to\b/i, write: 'is replaced by' },
  { find: /\bleaves with (?:the|an) exit code\b/i, write: 'ends with' },
  { find: /, but [^,;'`\n]{1,60} came\b(?! (?:from|to|in|out|back))/, write: 'X should be Y, not Z' },
];
