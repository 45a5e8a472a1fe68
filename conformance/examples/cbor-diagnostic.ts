/** CBOR diagnostic notation (RFC 8949 §8), one entry a line for maps that do not fit one line. */
import { toHex } from '../../formats/bytes.ts';
import { isCborArray, isCborBytes, isCborMap, type CborValue } from '../../formats/cbor/value.ts';

const ONE_LINE = 60;

/** @param names comments for the keys of the outermost map */
export function diagnostic(
  value: CborValue,
  names: ReadonlyMap<CborValue, string> = new Map(),
  indent: string = '',
): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (isCborBytes(value)) return `h'${toHex(value)}'`;
  if (isCborArray(value)) {
    const items = value.map((item) => diagnostic(item, new Map(), `${indent}  `));
    const line = `[${items.join(', ')}]`;
    return line.length <= ONE_LINE ? line : `[\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}]`;
  }
  if (!isCborMap(value)) return String(value);
  const pairs = [...value].map(([key, item]) => {
    const name = names.get(key);
    return `${name === undefined ? '' : `/ ${name} / `}${diagnostic(key)}: ${diagnostic(item, new Map(), `${indent}  `)}`;
  });
  const line = `{${pairs.join(', ')}}`;
  if (line.length <= ONE_LINE && names.size === 0) return line;
  return `{\n${pairs.map((pair) => `${indent}  ${pair}`).join(',\n')}\n${indent}}`;
}
