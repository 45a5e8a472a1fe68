/** One thread of the raw loop: each message from the parent is answered by one pass over its share. */
import { createPublicKey, verify } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { RawShare } from './parts/raw-signature-loop.ts';

const { pems, context, items } = workerData as RawShare;
const keys = pems.map((pem) => createPublicKey(pem));
/** Of a composite, ML-DSA-65 comes first, and has the context. */
const composite = keys.length === 2;

parentPort?.on('message', () => {
  const whole = items.every(({ message, parts }) =>
    keys.every((key, i) =>
      verify(null, message, composite && i === 0 ? { key, context } : key, parts[i] ?? new Uint8Array(0)),
    ),
  );
  parentPort?.postMessage(whole ? 'whole' : 'broken');
});
