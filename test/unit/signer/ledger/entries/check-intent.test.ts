import { expect, it } from 'vitest';
import { coseFault } from '../../../../../signer/ledger/entries/check-intent.ts';
import { ACME, coseFor, intentFor } from '../ledger-inputs.ts';

const SIGNATURE_BYTES = 64;

it('every bit before the signature belongs to what was intended', () => {
  const intent = intentFor(ACME, 1);
  const cose = coseFor(intent);
  expect(coseFault(intent, cose)).toBeUndefined();
  for (let at = 0; at < cose.length - SIGNATURE_BYTES; at++) {
    for (let bit = 1; bit < 256; bit *= 2) {
      const changed = cose.map((byte, i) => (i === at ? byte ^ bit : byte));
      expect(coseFault(intent, changed), `byte ${at}, bit ${bit}`).toBeDefined();
    }
  }
});

it('a license that is shorter or longer is none', () => {
  const intent = intentFor(ACME, 1);
  const cose = coseFor(intent);
  expect(coseFault(intent, cose.subarray(0, -1))).toBeDefined();
  expect(coseFault(intent, Uint8Array.of(...cose, 0))).toBeDefined();
});
