/**
 * Finds out whether this runtime has what the signer needs, before anything else is loaded. On an older Node the other
 * files cannot even be linked (`node:sqlite`), or they would take a fault of the runtime for damage to a ledger.
 *
 * This file and `main.ts` import nothing but modules that every Node has, and use no syntax newer than ES2022.
 */

/** The first release that the tests run on; `packages/with-node.sh` and `engines` say the same. */
const MIN_NODE: readonly [major: number, minor: number] = [24, 19];

/** PKCS #8 of an ML-DSA-65 private key as its seed (RFC 9881 §6), before the 32 bytes of the seed. */
const MLDSA65_SEED_PREFIX = '3034020100300b060960864801650304031204228020';

const NEEDED = `needs Node.js ${MIN_NODE.join('.')} or later`;

/** One sentence that says what the version lacks; undefined where it is new enough. */
export function tooOld(version: string = process.versions.node): string | undefined {
  return isNewEnough(version) ? undefined : `${NEEDED}, and this is Node.js ${version}`;
}

/** One sentence that says what is missing for signing and for a ledger; undefined where nothing is. */
export async function missingFromRuntime(version: string = process.versions.node): Promise<string | undefined> {
  const old = tooOld(version);
  if (old !== undefined) return old;
  // A version number says nothing about how Node was built.
  if (!(await hasSqlite())) return `${NEEDED} with SQLite, and this Node.js ${version} was built or started without it`;
  if (!(await signsWithContext()))
    return `${NEEDED} with ML-DSA-65, and the OpenSSL of this Node.js ${version} lacks it or gets it wrong`;
  return undefined;
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
}

async function hasSqlite(): Promise<boolean> {
  try {
    return typeof (await import('node:sqlite')).DatabaseSync === 'function';
  } catch {
    return false;
  }
}

/**
 * Node 24.6 and 24.7 know ML-DSA and ignore its context (FIPS 204 §5.2): there a signature is valid under every
 * context.
 */
async function signsWithContext(): Promise<boolean> {
  try {
    const { createPrivateKey, createPublicKey, sign, verify } = await import('node:crypto');
    const der = Buffer.concat([Buffer.from(MLDSA65_SEED_PREFIX, 'hex'), Buffer.alloc(32, 1)]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(key);
    const message = Buffer.from('probe');
    const signature = sign(null, message, { key, context: Buffer.from('right') });
    const valid = (context: string): boolean =>
      verify(null, message, { key: publicKey, context: Buffer.from(context) }, signature);
    return valid('right') && !valid('wrong') && !valid('');
  } catch {
    return false;
  }
}
