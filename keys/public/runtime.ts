/**
 * What the library asks the JavaScript runtime around it. It never imports `node:…`, so that a bundle for a browser
 * needs no replacement for it, and it never reads a version number to decide anything (`known-answers.ts` decides).
 */

/** A KeyObject. The library passes it back unread. */
type KeyHandle = object;

/**
 * The part of `node:crypto` that verifying needs. Each member may be missing, or do something else than its name says.
 */
export interface NodeCrypto {
  hash(algorithm: string, bytes: Uint8Array, encoding: 'binary'): string;
  createPublicKey(input: { key: Uint8Array; format: 'der'; type: 'spki' }): KeyHandle;
  verify(
    algorithm: null,
    message: Uint8Array,
    key: KeyHandle | { key: KeyHandle; context: Uint8Array },
    signature: Uint8Array,
  ): boolean;
}

interface RuntimeProcess {
  readonly versions?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: string): unknown;
}

function runtimeProcess(): RuntimeProcess | undefined {
  return (globalThis as { readonly process?: RuntimeProcess }).process;
}

/**
 * `node:crypto` of Node.js 20.16 and later, and of what imitates it (Deno, Bun); undefined in a browser.
 *
 * It is loaded at its first use, because that takes 5 of the 18 ms that loading this library takes. A runtime that has
 * no such module, or refuses it, throws then, and so gives no known answer.
 */
export function findNodeCrypto(): NodeCrypto | undefined {
  const runtime = runtimeProcess();
  if (typeof runtime?.getBuiltinModule !== 'function') return undefined;
  let loaded: NodeCrypto | undefined;
  const crypto = (): NodeCrypto => {
    loaded ??= runtime.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
    if (loaded === undefined) throw new TypeError('this runtime has no node:crypto');
    return loaded;
  };
  return {
    hash: (algorithm, bytes, encoding) => crypto().hash(algorithm, bytes, encoding),
    createPublicKey: (input) => crypto().createPublicKey(input),
    verify: (algorithm, message, key, signature) => crypto().verify(algorithm, message, key, signature),
  };
}

function processVersions(): Readonly<Record<string, string | undefined>> {
  try {
    return runtimeProcess()?.versions ?? {};
  } catch {
    return {};
  }
}

/** For messages: `Node.js 22.1.0`. */
export function runtimeName(): string {
  const versions = processVersions();
  // Deno and Bun also say which Node.js they imitate.
  if (versions['deno'] !== undefined) return `Deno ${versions['deno']}`;
  if (versions['bun'] !== undefined) return `Bun ${versions['bun']}`;
  return versions['node'] === undefined ? 'this runtime' : `Node.js ${versions['node']}`;
}
