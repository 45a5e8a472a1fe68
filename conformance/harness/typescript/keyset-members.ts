/** The payload of a keyset: K2 of docs/keysets.md. */
import { hex } from './values.ts';
import { isBytes, Refusal, refuse, walk } from './cbor.ts';
import { isId, isInt, isList, isTime, type Check } from './verify.ts';

export type Members = ReadonlyMap<unknown, unknown>;

const COMPOSITE = 'ed25519+ml-dsa-65';

interface CoseKeyForm {
  readonly alg: string;
  /** Hexadecimal. */
  readonly head: string;
  readonly length: number;
}

const COSE_KEYS: readonly CoseKeyForm[] = [
  { alg: 'ed25519', head: 'a301012006215820', length: 40 },
  { alg: COMPOSITE, head: 'a301070371656432353531392b6d6c2d6473612d3635205907c0', length: 2010 },
];
export const coseKeyForm = (value: unknown): CoseKeyForm | undefined =>
  COSE_KEYS.find(({ head, length }) => isBytes(value) && value.length === length && hex(value).startsWith(head));

const isOneOf =
  (...texts: readonly string[]): Check =>
  (value) =>
    texts.includes(value as string);
const isUuid: Check = (v) => isBytes(v) && v.length === 16 && (v[6] ?? 0) >> 4 === 7 && (v[8] ?? 0) >> 6 === 2;
const isLineage: Check = (v) => {
  const parts = String(v).split('/');
  return typeof v === 'string' && (parts.length === 3 || parts.length === 4) && parts.every(isId);
};
const isLowest: Check = (v) =>
  v instanceof Map &&
  v.size >= 1 &&
  v.size <= 8192 &&
  [...v].every(([lineage, counter]) => isLineage(lineage) && isInt(1)(counter));

/** Name of a member → required, and what its value is. */
type Table = Readonly<Record<string, readonly [boolean, Check]>>;
const hasMembers = (members: Members, table: Table): boolean =>
  Object.entries(table).every(([name, [isRequired, check]]) =>
    members.has(name) ? check(members.get(name)) : !isRequired,
  );

const ISSUING_KEY: Table = {
  key: [true, (v) => coseKeyForm(v) !== undefined],
  purpose: [true, isOneOf('license', 'license-key')],
  status: [true, isOneOf('pre-published', 'active', 'retired', 'revoked')],
  products: [false, isList(64, isId)],
  tiers: [false, isList(64, isId)],
  from: [false, isTime],
  until: [false, isTime],
  honored: [false, isList(12_288, (v) => isBytes(v) && v.length === 32)],
};
const isIssuingKey: Check = (v) =>
  v instanceof Map &&
  hasMembers(v, ISSUING_KEY) &&
  (!v.has('from') || !v.has('until') || (v.get('from') as number) < (v.get('until') as number)) &&
  (!v.has('honored') || v.get('status') === 'revoked');
const keyBytes = (v: unknown): Buffer => Buffer.from((v as Members).get('key') as Uint8Array);
const POLICY: Table = { composite: [false, (v) => v === true], ed25519_until: [false, isTime] };
const KEYSET: Table = {
  iss: [true, isId],
  version: [true, isInt(1)],
  made: [true, isTime],
  expires: [false, isTime],
  roots: [true, isList(16, (v) => coseKeyForm(v) !== undefined)],
  threshold: [true, isInt(1, 16)],
  keys: [
    true,
    (v) =>
      Array.isArray(v) &&
      v.length <= 128 &&
      v.every(isIssuingKey) &&
      v.every((one, i) => i === 0 || keyBytes(v[i - 1]).compare(keyBytes(one)) < 0),
  ],
  policy: [false, (v) => v instanceof Map && v.size > 0 && hasMembers(v, POLICY)],
  revoked: [false, isList(16_384, isUuid)],
  lowest: [false, isLowest],
};

/** K2. */
export function readMembers(payload: Uint8Array): Members {
  const malformed = (): never => refuse('keyset', 'keyset_claims_malformed');
  let value: unknown;
  try {
    ({ value } = walk(payload, false));
  } catch (error) {
    if (error instanceof Refusal) return malformed();
    throw error;
  }
  if (!(value instanceof Map)) return malformed();
  const members: Members = value;
  const keys: unknown = members.get('keys');
  const maps = [
    [members, KEYSET] as const,
    [members.get('policy'), POLICY] as const,
    ...(Array.isArray(keys) ? keys : []).map((key: unknown) => [key, ISSUING_KEY] as const),
  ];
  for (const [map, table] of maps)
    if (map instanceof Map && [...map.keys()].some((name) => typeof name !== 'string' || !Object.hasOwn(table, name)))
      refuse('keyset', 'keyset_claims_unknown');
  if (!hasMembers(members, KEYSET)) return malformed();
  const [made, expires] = [members.get('made') as number, members.get('expires') as number | undefined];
  if (expires !== undefined && expires <= made) return malformed();
  const roots = members.get('roots') as readonly unknown[];
  return (members.get('threshold') as number) <= roots.length ? members : malformed();
}
