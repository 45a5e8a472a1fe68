/**
 * Judges every example of docs/examples/examples.json by a `vtlic` that somebody installed. Plain JavaScript without imports, so that it
 * runs on every runtime and in a bundle; it reads the examples as docs/format.md (Appendix A) tells the author of another verifier.
 */
'use strict';

/** The context of `small`: docs/format.md, Appendix B. */
const SMALL_CONTEXT = {
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  now: 1_814_400_000,
  defaultGrace: 0,
};
const SMALL_TRUST = { keys: [{ key: 'ed25519', purpose: 'license', status: 'active' }] };
const PARTS = ['small', 'judged', 'trusts', 'keyFiles', 'overrides'];

const utf8 = (text) => new TextEncoder().encode(text);
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));

function armored(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const lines = btoa(binary).match(/.{1,64}/g) ?? [];
  return utf8(`-----BEGIN VTLIC-----\n${lines.join('\n')}\n-----END VTLIC-----\n`);
}

function padded(file, pad) {
  if (pad === undefined) return file;
  const bytes = new Uint8Array(file.length + pad.count).fill(pad.byte);
  bytes.set(file);
  return bytes;
}

function fileOf({ file, fileHex, fill, pad }) {
  if (file !== undefined) return padded(utf8(file), pad);
  if (fileHex !== undefined) return padded(fromHex(fileHex), pad);
  const bytes = new Uint8Array(fill.count).fill(fill.byte);
  return fill.of === 'file' ? bytes : armored(bytes);
}

/** @returns {{ total: number, failed: string[], providers: object }} */
module.exports = function judge(vtlic, examples) {
  const { importPublicKey, makeTrust, parsePublicKeys, REASONS, trustFromOverride, verify, VtlicError } = vtlic;

  function trustOf({ keys, lowestCounters, ...rest }) {
    return makeTrust({
      ...rest,
      keys: keys.map(({ key, ...entry }) => {
        const { alg, publicKey } = typeof key === 'string' ? examples.keys[key] : key;
        return { ...entry, key: importPublicKey(alg, fromHex(publicKey)) };
      }),
      lowestCounters: Object.entries(lowestCounters ?? {}),
    });
  }

  function verdictOf(example, trust, { seen, ...context }) {
    const withSeen = seen === undefined ? {} : { seen: { ...seen, lineages: new Map(Object.entries(seen.lineages)) } };
    const verdict = verify(fileOf(example), trustOf(trust), { ...context, ...withSeen });
    return verdict.ok
      ? { ok: true, state: verdict.state }
      : { ok: false, layer: REASONS[verdict.reason].layer, reason: verdict.reason };
  }

  /** What `make` gives; an error of the library with one of these codes is a refusal, and any other a failure. */
  function madeOrRefused(codes, make) {
    try {
      return make();
    } catch (error) {
      if (error instanceof VtlicError && codes.includes(error.code)) return { ok: false };
      throw error;
    }
  }

  const trustValues = ({ keys, ...rest }) => ({
    ...rest,
    lowestCounters: [...rest.lowestCounters],
    keys: keys
      .map(({ key, ...entry }) => JSON.stringify({ kid: key.kid, ...entry }))
      .toSorted()
      .join(),
  });

  const FOUND = {
    small: (example) => verdictOf(example, SMALL_TRUST, SMALL_CONTEXT),
    judged: (example) => verdictOf(example, example.trust, example.context),
    trusts: ({ trust }) =>
      madeOrRefused(['key_invalid', 'configuration_invalid'], () => ({ ok: trustOf(trust) !== undefined })),
    keyFiles: (example) =>
      madeOrRefused(['key_invalid', 'json_malformed'], () => ({
        ok: true,
        kids: parsePublicKeys(fileOf(example)).map(({ kid }) => kid),
      })),
    overrides: ({ builtIn, variables, files }) =>
      madeOrRefused(['configuration_invalid'], () => {
        const readFile = (path) => {
          if (files?.[path] === undefined) throw new Error(`no file ${path}`);
          const file = files[path];
          return typeof file === 'string' ? utf8(file) : fileOf(file);
        };
        return { ok: true, trust: trustValues(trustFromOverride(variables, trustOf(builtIn), readFile)) };
      }),
  };

  function expectedOf(part, { expected }) {
    if (part === 'overrides' && expected.ok) return { ok: true, trust: trustValues(trustOf(expected.trust)) };
    // Of these parts the reason is one code for all refusals.
    return part === 'trusts' || part === 'overrides' ? { ok: expected.ok } : expected;
  }

  /** JSON with sorted members. */
  const text = (value) =>
    JSON.stringify(value, (_, member) =>
      member !== null && typeof member === 'object' && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    );

  function isRight(part, example) {
    try {
      return text(FOUND[part](example)) === text(expectedOf(part, example));
    } catch (error) {
      return `${String(error)}`.slice(0, 120);
    }
  }

  let total = 0;
  const failed = [];
  for (const part of PARTS) {
    for (const example of examples[part]) {
      total++;
      const right = isRight(part, example);
      if (right !== true) failed.push(right === false ? example.id : `${example.id} (${right})`);
    }
  }
  return { total, failed, providers: vtlic.chosenProviders() };
};
