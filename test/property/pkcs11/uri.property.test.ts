import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../formats/error.ts';
import { formatPkcs11Uri } from '../../../keys/private/pkcs11/uri/format-uri.ts';
import { parsePkcs11Uri, type Pkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => value.isWellFormed());
const absolute = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((value) => `/x${value.replaceAll('\0', '')}`)
  .filter((value) => value.isWellFormed());
const attributeName = fc.stringMatching(/^x-[a-z0-9_-]{1,8}$/);
const unique = (entries: readonly { name: string }[]): boolean =>
  new Set(entries.map(({ name }) => name)).size === entries.length;

const uri: fc.Arbitrary<Pkcs11Uri> = fc
  .record(
    {
      token: text,
      manufacturer: text,
      serial: text,
      model: text,
      libraryManufacturer: text,
      libraryDescription: text,
      libraryVersion: fc.tuple(fc.nat(255), fc.nat(255)).map(([major, minor]) => `${major}.${minor}`),
      slotManufacturer: text,
      slotDescription: text,
      slotId: fc.nat(Number.MAX_SAFE_INTEGER),
      object: text,
      type: fc.constantFrom('cert', 'data', 'private', 'public', 'secret-key'),
      id: fc.uint8Array({ maxLength: 24 }),
      modulePath: absolute,
      moduleName: fc.stringMatching(/^[a-z0-9._ é-]{1,10}$/),
      pinSourceFile: absolute.map((path) => path.replaceAll('%', '')),
      unknown: fc.array(fc.record({ name: attributeName, value: text }), { maxLength: 2 }).filter(unique),
      ignored: fc.array(fc.record({ name: attributeName, value: text }), { maxLength: 2 }),
    },
    { requiredKeys: ['unknown', 'ignored'] },
  )
  .map((value) => value as Pkcs11Uri);

describe('PKCS#11 URI', () => {
  it('parse of format is the identity', () => {
    fc.assert(
      fc.property(uri, (value) => {
        const formatted = formatPkcs11Uri(value);
        expect(formatted).toMatch(/^[\x21-\x7e]*$/);
        expect(parsePkcs11Uri(formatted)).toEqual(value);
        expect(formatPkcs11Uri(parsePkcs11Uri(formatted))).toBe(formatted);
      }),
      { numRuns: 500 },
    );
  });

  it('reads or refuses any text, with an error of its own kind', () => {
    const piece = fc.constantFrom(
      'token=',
      'id=',
      '%',
      '%41',
      ';',
      '?',
      '&',
      'module-path=/',
      'pin-source=file:/',
      'pin-value=',
      'a',
      'ü',
      '=',
      'type=private',
      'slot-id=1',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
        ),
        (rest) => {
          try {
            const parsed = parsePkcs11Uri(`pkcs11:${rest}`);
            expect(parsePkcs11Uri(formatPkcs11Uri(parsed))).toEqual(parsed);
          } catch (error) {
            expect(error).toBeInstanceOf(VtlicError);
            expect((error as VtlicError).code).toBe('configuration_invalid');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
