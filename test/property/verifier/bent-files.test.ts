import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { isReason } from '../../../verifier/reasons.ts';
import type { Verdict } from '../../../verifier/verdict.ts';
import { verify } from '../../../verifier/verify.ts';
import { compositeKey, context, ed25519Key, fileOf, licenseFile, trust } from '../../unit/verifier/sample.ts';

const trustValue = trust();
const judge = (file: Uint8Array): Verdict => verify(file, trustValue, context);

describe('verify', () => {
  it('gives a verdict for any bytes, and never throws', { timeout: 120_000 }, () => {
    const armored = fc
      .base64String({ maxLength: 600 })
      .map((text) => utf8(`-----BEGIN VTLIC-----\n${text.replaceAll(/(.{64})/g, '$1\n')}\n-----END VTLIC-----\n`));
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 2000 }), fc.string({ unit: 'binary' }).map(utf8), armored),
        (file) => {
          const verdict = judge(file);
          expect(!verdict.ok && isReason(verdict.reason)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives a verdict for any genuine payload, and never throws', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (payload) => {
        const verdict = judge(await fileOf(payload));
        expect(verdict.ok ? '' : verdict.layer).toBe('claims');
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['ed25519', ed25519Key, 4000],
    ['ed25519+ml-dsa-65', compositeKey, 2500],
  ] as const)(
    'refuses a file of %s with one byte changed, inserted or removed, or reads the very same license',
    { timeout: 120_000 },
    async (_, key, numRuns) => {
      const file = await licenseFile({ dep: 'prod-eu' }, key);
      const where = { ...context, deployment: 'prod-eu' };
      const whole = verify(file, trustValue, where);
      expect(whole).toMatchObject({ ok: true, state: 'active' });
      const counts = { same: 0, refused: 0 };
      fc.assert(
        fc.property(
          fc.constantFrom('change', 'insert', 'remove'),
          fc.nat(file.length - 1),
          fc.oneof(fc.nat(255), fc.constantFrom(0x09, 0x0a, 0x0d, 0x20)),
          (how, at, byte) => {
            const middle = how === 'remove' ? [] : [byte];
            const bent = Uint8Array.of(
              ...file.subarray(0, at),
              ...middle,
              ...file.subarray(how === 'insert' ? at : at + 1),
            );
            const verdict = verify(bent, trustValue, where);
            if (!verdict.ok) {
              counts.refused++;
              return;
            }
            expect(verdict).toEqual(whole);
            counts.same++;
            const squeeze = (bytes: Uint8Array): string =>
              new TextDecoder('latin1').decode(bytes).replaceAll(/[\t\n\r ]/g, '');
            expect(squeeze(bent)).toBe(squeeze(file));
          },
        ),
        { numRuns },
      );
      expect(counts.refused).toBeGreaterThan(numRuns / 2);
    },
  );

  it('says the same by either provider of a file with one byte changed', { timeout: 120_000 }, async () => {
    const files = [await licenseFile({}, ed25519Key), await licenseFile({}, compositeKey)];
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(255), (file, at, byte) => {
        const bent = file.slice();
        bent[at % bent.length] = byte;
        expect(verify(bent, trustValue, { ...context, provider: nobleProvider })).toEqual(judge(bent));
      }),
      { numRuns: 300 },
    );
  });
});
