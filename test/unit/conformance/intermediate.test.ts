/**
 * The intermediate values of the cases, computed again from their files with nothing of this project: a reader of CBOR
 * that is written here, the hashes and the Ed25519 of node:crypto.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CaseFolder, CaseKey, KeyValues } from '../../../conformance/vectors/case.ts';
import { readCases } from '../../../conformance/vectors/files.ts';

const cases = readCases();

type Item = number | string | boolean | Buffer | readonly Item[] | ReadonlyMap<unknown, Item>;

/** Reads one item; a tag is passed over. */
function itemAt(bytes: Buffer, at: number): { readonly value: Item; readonly end: number } {
  const [first = 0] = bytes.subarray(at);
  const info = first & 31;
  const width = info < 24 ? 0 : 2 ** (info - 24);
  const argument = width === 0 ? info : Number(`0x${bytes.toString('hex', at + 1, at + 1 + width)}`);
  const content = at + 1 + width;
  const many = (count: number): { readonly items: readonly Item[]; readonly end: number } => {
    const items: Item[] = [];
    let end = content;
    for (let i = 0; i < count; i++) {
      const next = itemAt(bytes, end);
      items.push(next.value);
      end = next.end;
    }
    return { items, end };
  };
  switch (first >> 5) {
    case 0:
      return { value: argument, end: content };
    case 1:
      return { value: -1 - argument, end: content };
    case 2:
      return { value: bytes.subarray(content, content + argument), end: content + argument };
    case 3:
      return { value: bytes.toString('utf8', content, content + argument), end: content + argument };
    case 4: {
      const { items, end } = many(argument);
      return { value: items, end };
    }
    case 5: {
      const { items, end } = many(2 * argument);
      const pairs = items.flatMap((key, i): [unknown, Item][] => (i % 2 === 0 ? [[key, items[i + 1] ?? 0]] : []));
      return { value: new Map(pairs), end };
    }
    case 6:
      return itemAt(bytes, content);
    default:
      return { value: first === 0xf5, end: content };
  }
}

const read = <T extends Item>(bytes: Buffer): T => itemAt(bytes, 0).value as T;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const fromHex = (hex = ''): Buffer => Buffer.from(hex, 'hex');

function byteString(content: Buffer): Buffer {
  const { length } = content;
  if (length < 24) return Buffer.concat([Buffer.of(0x40 + length), content]);
  if (length < 256) return Buffer.concat([Buffer.of(0x58, length), content]);
  if (length < 65_536) return Buffer.concat([Buffer.of(0x59, length >> 8, length & 255), content]);
  return Buffer.concat([Buffer.of(0x5a, 0, length >> 16, (length >> 8) & 255, length & 255), content]);
}

/** The blocks of a file with this label, decoded. */
function blocksOf(bytes: Uint8Array, label: string): readonly Buffer[] {
  const text = Buffer.from(bytes).toString('latin1');
  const blocks = text.matchAll(new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, 'g'));
  return [...blocks].map(([, body = '']) => Buffer.from(body, 'base64'));
}

function ed25519(raw: Buffer, message: Buffer, signature: Buffer): boolean {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') } });
  return verify(null, message, key, signature);
}

function fileOf({ files }: CaseFolder, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return bytes;
}

/** What is before the raw bytes in the input of a kid. */
const BEFORE_RAW = {
  ed25519: 'a301012006215820',
  'ed25519+ml-dsa-65': 'a301070371656432353531392b6d6c2d6473612d3635205907c0',
};
const coseKeyOf = ({ alg, publicKey }: Pick<CaseKey, 'alg' | 'publicKey'>): string => BEFORE_RAW[alg] + publicKey;

describe('the intermediate values', () => {
  it('of each accepted license are those of its file, and what its key signed', () => {
    let accepted = 0;
    for (const folder of cases) {
      const { value } = folder;
      if (value.operation !== 'verify' || value.expected.verdict !== 'accepted') continue;
      const [cose = Buffer.of()] = blocksOf(fileOf(folder, value.license.file), 'VTLIC');
      const [header = Buffer.of(), , payload = Buffer.of(), signature = Buffer.of()] = read<readonly Buffer[]>(cose);
      const signed = Buffer.concat([
        Buffer.from('\x84\x6aSignature1', 'latin1'),
        byteString(header),
        Buffer.of(0x40),
        byteString(payload),
      ]);
      const kid = read<Map<number, Buffer>>(header).get(4)?.toString('hex');
      const key = value.trust.keys.find((one) => sha256(fromHex(coseKeyOf(one))) === kid);
      const isComposite = key?.alg !== 'ed25519';
      const message = Buffer.concat([
        Buffer.from('CompositeAlgorithmSignatures2025COMPSIG-MLDSA65-Ed25519-SHA512\0', 'latin1'),
        createHash('sha512').update(signed).digest(),
      ]);
      const isShort = payload.length <= 2048;
      expect(value.intermediate, value.id).toEqual({
        alg: key?.alg,
        kid,
        protected: header.toString('hex'),
        ...(isShort ? { payload: payload.toString('hex') } : {}),
        payloadSha256: sha256(payload),
        ...(isShort ? { sigStructure: signed.toString('hex') } : {}),
        ...(isComposite ? { compositeMessage: message.toString('hex') } : {}),
        signature: signature.toString('hex'),
      });
      const raw = fromHex(key?.publicKey).subarray(-32);
      expect(ed25519(raw, isComposite ? message : signed, signature.subarray(-64)), value.id).toBe(true);
      accepted++;
    }
    expect(accepted).toBeGreaterThan(100);
  });

  it('of a license that is no COSE_Sign1 are the bytes in its armor', () => {
    const malformed = cases.filter(({ value }) => value.operation === 'verify' && value.intermediate?.decoded);
    for (const folder of malformed) {
      const { value } = folder;
      if (value.operation !== 'verify') continue;
      const [decoded] = blocksOf(fileOf(folder, value.license.file), 'VTLIC');
      expect(value.intermediate, value.id).toEqual({ decoded: decoded?.toString('hex') });
    }
    expect(malformed.length).toBeGreaterThan(50);
  });

  it('of keys are the keys that are expected, and kids their SHA-256', () => {
    let keys = 0;
    for (const { value } of cases) {
      if (value.operation === 'verify' || value.intermediate?.keys === undefined) continue;
      const found: readonly KeyValues[] = value.intermediate.keys;
      for (const { coseKey, kid } of found) expect(sha256(fromHex(coseKey)), value.id).toBe(kid);
      if (value.operation === 'key-file' && 'kids' in value.expected)
        expect(found.map(({ kid }) => kid)).toEqual(value.expected.kids);
      const listed =
        value.operation === 'trust'
          ? value.trust.keys
          : value.operation === 'override' && 'trust' in value.expected
            ? value.expected.trust.keys
            : undefined;
      if (listed !== undefined)
        expect(
          found.map(({ coseKey }) => coseKey),
          value.id,
        ).toEqual(listed.map(coseKeyOf));
      keys += found.length;
    }
    expect(keys).toBeGreaterThan(80);
  });

  it('of blocks are those of the files, and what the roots signed', () => {
    let signatures = 0;
    for (const folder of cases) {
      const { value } = folder;
      // Of the other files some blocks have a fault, and not all values.
      if (value.operation !== 'keyset' || !('notices' in value.expected) || value.expected.notices.length > 0) continue;
      const roots = new Map<string, Buffer>();
      const blocks = [...folder.files.keys()].sort().flatMap((file) => {
        const found = blocksOf(fileOf(folder, file), 'VTLIC KEYSET');
        return (found.length > 16 ? [] : found).map((cose) => {
          const [body, , payload, signers] =
            read<readonly [Buffer, Item, Buffer, readonly (readonly Buffer[])[]]>(cose);
          const members = read<Map<string, Item>>(payload);
          for (const root of members.get('roots') as readonly Buffer[]) roots.set(sha256(root), root.subarray(-32));
          return { file, body, payload, signers, version: members.get('version') };
        });
      });
      const values = blocks.map(({ file, body, payload, signers, version }) => ({
        file,
        version,
        payloadSha256: sha256(payload),
        signers: signers.map(([own = Buffer.of(), , signature = Buffer.of()]) => {
          const header = read<Map<number, Item>>(own);
          const kid = (header.get(4) as Buffer).toString('hex');
          const alg = header.get(1) === -19 ? 'ed25519' : header.get(1);
          const signed = Buffer.concat([
            Buffer.from('\x85\x69Signature', 'latin1'),
            byteString(body),
            byteString(own),
            Buffer.of(0x40),
            byteString(payload),
          ]);
          const root = roots.get(kid);
          // A few cases have signatures that are not valid, and that no verifier judges.
          if (root !== undefined && alg === 'ed25519' && ed25519(root, signed, signature)) signatures++;
          return { alg, kid, sigStructureSha256: sha256(signed) };
        }),
      }));
      expect(value.intermediate?.blocks ?? [], value.id).toEqual(values);
    }
    expect(signatures).toBeGreaterThan(200);
  });

  it('of the licenses of a history are those of the files', () => {
    let licenses = 0;
    for (const folder of cases) {
      const { value } = folder;
      if (value.operation === 'verify') continue;
      for (const { file, ...values } of value.intermediate?.licenses ?? []) {
        const [cose = Buffer.of()] = blocksOf(fileOf(folder, file), 'VTLIC');
        const [header = Buffer.of(), , payload = Buffer.of()] = read<readonly Buffer[]>(cose);
        const claims = read<Map<number | string, number | string>>(payload);
        expect(values, `${value.id}: ${file}`).toEqual({
          kid: read<Map<number, Buffer>>(header).get(4)?.toString('hex'),
          lineage: [1, 3, 2, 'dep'].flatMap((key) => claims.get(key) ?? []).join('/'),
          counter: claims.get('ctr'),
          payloadSha256: sha256(payload),
        });
        licenses++;
      }
    }
    expect(licenses).toBeGreaterThan(80);
  });
});
