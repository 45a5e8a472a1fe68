/** The sections of docs/format.md that an example is about, by its id. The first row that matches decides. */
const CLAUSES: readonly (readonly [id: RegExp, ...sections: string[]])[] = [
  [/^file-(?:too-large|blank$|decoded)/, '3.2'],
  [/^file-(?:crlf|mixed|blanks)/, '3.1'],
  [/^file-/, '3.1'],
  [/^cbor-(?:protected|second|inner-unwalked|map-unwalked|detached)/, '5.1', '4'],
  [/^cbor-/, '4'],
  [/^cose-(?:keyset|typ|alg|more|kid|no-alg|no-kid|no-typ|no-headers|whole)/, '5.2'],
  [/^cose-/, '5.1'],
  [/^claims-(?:before-policy|unknown|encoding|cnf|negative|named|case|key)/, '7.3'],
  [/^claims-/, '7.2'],
  [/^time-/, '10.3'],
  [/^key-half/, '8.2'],
  [/^key-mismatch/, '6.2'],
  [/^key-/, '2'],
  [/^signature-(?:large|small|torsion)/, '6.4'],
  [/^signature-/, '6.1'],
  [/^composite-(?:large|small|torsion)/, '6.4'],
  [/^composite-/, '6.3'],
  [/^policy-/, '2', '8.1'],
  [/^binding-/, '9'],
  [/^use-/, '7.2', '9'],
  [/^typ-/, '5.2'],
  [/^seen-/, '10.1'],
  [/^clk-/, '10.2'],
  [/^trust-(?:31|33|1983|mldsa|y-|x-|off|small|half)/, '8.1', '6.4'],
  [/^trust-shared/, '8.2'],
  [/^trust-/, '8.1'],
  [/^keys-/, '11.2'],
  [/^override-/, '11.3'],
];

/** @throws Error for an id that no row matches */
export function clauseOfExample(id: string): readonly string[] {
  const [, ...sections] = CLAUSES.find(([pattern]) => pattern.test(id)) ?? [];
  if (sections.length === 0) throw new Error(`no section of docs/format.md is known for the example ${id}`);
  return sections.map((section) => `format.md#${section}`);
}
