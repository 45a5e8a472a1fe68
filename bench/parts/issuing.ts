/** Issuing with everything that belongs to it, beside the bare signing loop of the same key. */
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { signBatch } from '../../signer/batch/sign-batch.ts';
import { directChecker, workerChecker } from '../../signer/issue/checker.ts';
import { benchRuntime, freshFolder, makeBatchSite } from './batch-site.ts';
import { freshKey, signExample } from './example.ts';
import { median } from './measure.ts';
import type { Part, Row } from './report.ts';

const BARE_LICENSES = 1000;
const ROUNDS = 2;

/** Signs the message `count` times, `atOnce` of them in flight. */
export async function signMany(key: SigningKey, message: Uint8Array, atOnce: number, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await key.sign(message);
    }),
  );
}

/** Signatures a second. */
async function signingRate(key: SigningKey, atOnce: number, count: number): Promise<number> {
  const { message } = await signExample(freshKey(key.publicKey.alg));
  const begun = performance.now();
  await signMany(key, message, atOnce, count);
  return (count / (performance.now() - begun)) * 1000;
}

/** Licenses a second from the first intent to the last release, recovery, plan and key opening left out. */
export async function issuingRate(key: SigningKey, licenses: number): Promise<number> {
  const folder = freshFolder();
  const { site, ledger, reviewed } = await makeBatchSite(folder, licenses, key);
  const checker = key.signedBy === 'token' ? directChecker(key) : workerChecker(key);
  try {
    const begun = performance.now();
    const outcome = await signBatch(reviewed, {
      ledger,
      siteFolder: site.paths.folder,
      key,
      checker,
      runtime: benchRuntime,
      progress: () => undefined,
    });
    const took = performance.now() - begun;
    if (outcome.released !== licenses)
      throw new Error(`${outcome.released} of ${licenses} licenses were released: ${outcome.stoppedBy?.message ?? ''}`);
    return (licenses / took) * 1000;
  } finally {
    await checker.close();
    ledger.close();
  }
}

/** Bare loop and issuing take turns. */
async function compareIssuing(
  key: SigningKey,
  licenses: number,
  what: string,
): Promise<{ readonly rows: readonly Row[]; readonly ratio: number }> {
  await signingRate(key, 1, 50);
  const bare: number[] = [];
  const four: number[] = [];
  const issued: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await signingRate(key, 1, BARE_LICENSES));
    issued.push(await issuingRate(key, licenses));
    four.push(await signingRate(key, 4, BARE_LICENSES));
  }
  bare.push(await signingRate(key, 1, BARE_LICENSES));
  return {
    rows: [
      { what: `${what}: bare signing loop, one at a time`, value: median(bare), unit: 'a second' },
      { what: `${what}: bare signing loop, four in flight`, value: median(four), unit: 'a second' },
      { what: `${what}: issuing in a batch of ${licenses}`, value: median(issued), unit: 'a second' },
    ],
    ratio: median(issued) / median(bare),
  };
}

export async function measureIssuing(licenses: number): Promise<Part> {
  const composite = freshKey('ed25519+ml-dsa-65');
  const ed25519 = freshKey('ed25519');
  const first = await compareIssuing(composite, licenses, 'composite, software');
  const second = await compareIssuing(ed25519, licenses, 'Ed25519, software');
  return {
    name: 'Issuing with a software key',
    rows: [...first.rows, ...second.rows],
    ratios: [
      { what: 'composite: issuing ÷ bare loop', value: first.ratio, atLeast: 0.35 },
      { what: 'Ed25519: issuing ÷ bare loop', value: second.ratio },
    ],
    notes: [
      'issuing = intent, signature, second opinion in pure JavaScript on the other cores, record, anchor, file, release, all durable',
      'the second opinion takes longer than the signature: it is what bounds the ratio',
    ],
  };
}
