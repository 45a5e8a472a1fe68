import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '../../../formats/base64.ts';
import { utf8, utf8FaultAt } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { parseStrictJson, type JsonNode } from '../../../formats/json/strict-json.ts';
import { makeUuidV7, uuidFromBytes, uuidToBytes } from '../../../formats/license/id.ts';

describe('base64', () => {
  it('agrees with Node, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
        expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it('has one spelling: whatever is decoded is encoded as it was', () => {
    const alphabetSoup = fc.string({ unit: fc.constantFrom(...Array.from('ABQgwxyz019+/-_= \n')), maxLength: 12 });
    let decoded = 0;
    fc.assert(
      fc.property(alphabetSoup, (text) => {
        const bytes = decodeBase64(text);
        const url = decodeBase64Url(text);
        expect(bytes === undefined ? text : encodeBase64(bytes)).toBe(text);
        expect(url === undefined ? text : encodeBase64Url(url)).toBe(text);
        if (bytes !== undefined || url !== undefined) decoded++;
      }),
      { numRuns: 5000 },
    );
    expect(decoded).toBeGreaterThan(100);
  });
});

describe('cleanText', () => {
  const dirty = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\u001b', '\u009b', '\u202e', '\u2028', '\ud800', '\udc00', '\u{e0041}', 'a', '\\', '🚀'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 300,
  });

  it('leaves nothing that a terminal acts upon or hides', () => {
    fc.assert(
      fc.property(dirty, (text) => {
        expect(cleanText(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b-\u200d\u2060\ufeff]/u);
      }),
      { numRuns: 1000 },
    );
  });

  it('is at most ten characters for one, and changes nothing twice', () => {
    fc.assert(
      fc.property(dirty, fc.nat(50), (text, max) => {
        const once = cleanText(text, max);
        expect(once.length).toBeLessThanOrEqual(10 * max + 1);
        expect(cleanText(once, 1000)).toBe(once);
      }),
    );
  });
});

describe('UTF-8', () => {
  it('is judged as Node judges it', () => {
    const nearly = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .array(
          fc.constantFrom(
            0x41,
            0x80,
            0xbf,
            0xc0,
            0xc2,
            0xdf,
            0xe0,
            0xa0,
            0xed,
            0x9f,
            0xef,
            0xf0,
            0x90,
            0xf4,
            0x8f,
            0xf5,
          ),
          { maxLength: 6 },
        )
        .map((bytes) => Uint8Array.from(bytes)),
    );
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(nearly, (bytes) => {
        let valid = true;
        try {
          strict.decode(bytes);
        } catch {
          valid = false;
        }
        const at = utf8FaultAt(bytes);
        expect(at < 0).toBe(valid);
        expect(at).toBeLessThan(Math.max(1, bytes.length));
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('strict JSON', () => {
  const toValue = (node: JsonNode): unknown => {
    switch (node.kind) {
      case 'object':
        return Object.fromEntries(node.members.map(({ name, value }) => [name, toValue(value)]));
      case 'array':
        return node.items.map(toValue);
      case 'number':
        return Number(node.text);
      case 'null':
        return null;
      default:
        return node.value;
    }
  };

  it('reads what JSON.stringify writes, as JSON.parse reads it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6, stringUnit: 'binary' }),
        fc.constantFrom('', ' ', '\n', '\t', '\r\n'),
        fc.nat(4),
        (json, blank, indent) => {
          const text = `${blank}${JSON.stringify(JSON.parse(json), undefined, indent)}${blank}`;
          expect(toValue(parseStrictJson(utf8(text)))).toEqual(JSON.parse(json));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes nothing that JSON.parse refuses', () => {
    const soup = fc.string({
      unit: fc.constantFrom(...Array.from('{}[]:,"\\ud80-+.eE123truefalsn \n')),
      maxLength: 14,
    });
    let taken = 0;
    fc.assert(
      fc.property(soup, (text) => {
        let node;
        try {
          node = parseStrictJson(utf8(text));
        } catch {
          return;
        }
        taken++;
        expect(toValue(node)).toEqual(JSON.parse(text));
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('knows the place of every value: the text there begins with it', () => {
    const first: Readonly<Record<JsonNode['kind'], RegExp>> = {
      object: /^\{/,
      array: /^\[/,
      string: /^"/,
      number: /^[-0-9]/,
      boolean: /^[tf]/,
      null: /^n/,
    };
    fc.assert(
      fc.property(fc.json({ maxDepth: 4, stringUnit: 'binary' }), fc.nat(3), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        const lines = text.split('\n').map((line) => Array.from(line));
        const walk = (node: JsonNode): void => {
          expect((lines[node.line - 1] ?? []).slice(node.column - 1).join('')).toMatch(first[node.kind]);
          if (node.kind === 'array') node.items.forEach(walk);
          if (node.kind === 'object') for (const member of node.members) walk(member.value);
        };
        walk(parseStrictJson(utf8(text)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('license ids', () => {
  it('hold the time, and sort by it', () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(time, time, random, random, (a, b, randomA, randomB) => {
        const [idA, idB] = [makeUuidV7(a, randomA), makeUuidV7(b, randomB)];
        expect(Number.parseInt(idA.replaceAll('-', '').slice(0, 12), 16)).toBe(a);
        expect(a === b || idA < idB === a < b).toBe(true);
        const bytes = uuidToBytes(idA);
        expect(bytes).toBeDefined();
        expect(uuidFromBytes(bytes ?? new Uint8Array(16))).toBe(idA);
      }),
    );
  });
});
