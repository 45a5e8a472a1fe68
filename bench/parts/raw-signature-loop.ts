/** The signatures of a ledger checked by node:crypto and nothing else, one thread a core. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from '../../keys/public/composite.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import type { Checkable } from './license-ledger.ts';

/** What a thread is given: keys as PEM, and of each signature the message and one part for each key. */
export interface RawShare {
  readonly pems: readonly string[];
  readonly context: Uint8Array;
  readonly items: readonly { readonly message: Uint8Array; readonly parts: readonly Uint8Array[] }[];
}

function pemBlocks(key: PublicKey): string[] {
  const pem = Buffer.from(exportPublicKey(key, 'pem')).toString('utf8');
  return [...pem.matchAll(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g)].map(([block]) => block);
}

/** Threads are started and warm when it returns; `run` gives the milliseconds until the last of them is done. */
export async function rawSignatureLoop(
  key: PublicKey,
  checkables: readonly Checkable[],
): Promise<{ readonly run: () => Promise<number>; readonly close: () => Promise<void> }> {
  const threads = availableParallelism();
  const composite = key.mldsa65 !== undefined;
  const items = checkables.map(({ message, signature }) => {
    if (!composite) return { message, parts: [signature] };
    const { mldsa65, ed25519 } = splitCompositeSignature(signature);
    return { message: compositeMessage(message), parts: [mldsa65, ed25519] };
  });
  const share = Math.ceil(items.length / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    const workerData: RawShare = {
      pems: pemBlocks(key),
      context: COMPOSITE_LABEL,
      items: items.slice(i * share, (i + 1) * share),
    };
    return new Worker(new URL('../raw-signature-worker.ts', import.meta.url), { workerData });
  });
  const run = async (): Promise<number> => {
    const begun = performance.now();
    await Promise.all(
      workers.map(async (worker) => {
        worker.postMessage('go');
        const [answer] = (await once(worker, 'message')) as [unknown];
        if (answer !== 'whole') throw new Error('a measured signature is not valid');
      }),
    );
    return performance.now() - begun;
  };
  await run();
  return {
    run,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
