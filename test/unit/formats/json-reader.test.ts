import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { type JsonObjectReader, nearestName, readObject } from '../../../formats/json/reader.ts';
import { parseStrictJson } from '../../../formats/json/strict-json.ts';
import { thrown } from '../../support/thrown.ts';

const read = (text: string): JsonObjectReader =>
  readObject(parseStrictJson(utf8(text)), { code: 'request_invalid', file: 'request.json' });

describe('the reader', () => {
  it('reads what is there', () => {
    const root = read('{"a":"x","n":-5,"b":false,"list":["p","q"],"map":{"k":1,"l":2},"o":{"inner":true}}');
    expect(root.string('a')).toBe('x');
    expect(root.integer('n', { min: -5, max: -5 })).toBe(-5);
    expect(root.boolean('b')).toBe(false);
    expect(root.array('list').map((item) => item.string())).toEqual(['p', 'q']);
    expect(
      root
        .object('map')
        .entries()
        .map(([name, value]) => [name, value.integer()]),
    ).toEqual([
      ['k', 1],
      ['l', 2],
    ]);
    expect(root.object('o').boolean('inner')).toBe(true);
    expect(root.optionalString('no')).toBeUndefined();
    expect(root.optionalInteger('no')).toBeUndefined();
    expect(root.optionalBoolean('no')).toBeUndefined();
    expect(root.optionalArray('no')).toBeUndefined();
    expect(root.optionalObject('no')).toBeUndefined();
    expect(root.member('a')?.node).toMatchObject({ kind: 'string', line: 1, column: 6 });
    root.end();
  });

  it('names the member, its path and its place', () => {
    expect(thrown(() => read('{"limits":{"vaults":\n"x"}}').object('limits').integer('vaults'))).toMatchObject({
      code: 'request_invalid',
      message: '"limits.vaults" should be an integer, but it is the text "x"',
      place: { file: 'request.json', field: 'limits.vaults', line: 2, column: 1 },
    });
    expect(
      thrown(() =>
        read('{"f":["a",5]}')
          .array('f')
          .map((item) => item.string()),
      ),
    ).toMatchObject({
      message: '"f[1]" should be a text, but it is the number 5',
      place: { field: 'f[1]', line: 1, column: 11 },
    });
    expect(thrown(() => read('\n {"o":{}}').object('o').string('x'))).toMatchObject({
      message: '"o.x" is required, but it is missing',
      place: { field: 'o.x', line: 2, column: 7 },
    });
  });

  it('wants an object at the root', () => {
    expect(thrown(() => read('[]'))).toMatchObject({
      code: 'request_invalid',
      message: 'the document should be an object, but it is an array',
      place: { line: 1, column: 1 },
    });
  });

  it.each([
    ['null', 'should be an integer, but it is null'],
    ['true', 'should be an integer, but it is true'],
    ['[]', 'should be an integer, but it is an array'],
    ['{}', 'should be an integer, but it is an object'],
    ['"many"', 'should be an integer, but it is the text "many"'],
    ['"250"', 'should be a number, but it is the text "250"'],
    ['"x250"', 'should be an integer, but it is the text "x250"'],
    ['"250x"', 'should be an integer, but it is the text "250x"'],
    ['"-1"', 'should be a number, but it is the text "-1"'],
    ['""', 'should be an integer, but it is the text ""'],
    ['1e3', 'should be an integer in plain digits, but 1e3 has an exponent'],
    ['1E3', 'should be an integer in plain digits, but 1E3 has an exponent'],
    ['1.0', 'should be an integer in plain digits, but 1.0 has a fraction'],
    ['1.5e3', 'should be an integer in plain digits, but 1.5e3 has an exponent'],
    ['-0', 'should be an integer in plain digits, but it is -0'],
    ['9007199254740992', 'should be within ±(2^53-1), but it is 9007199254740992'],
    ['9007199254740993', 'should be within ±(2^53-1), but it is 9007199254740993'],
    ['-9007199254740992', 'should be within ±(2^53-1), but it is -9007199254740992'],
    ['-1', 'should be at least 0, but it is -1'],
    ['11', 'should be at most 10, but it is 11'],
  ])('refuses the integer %s in words of its own', (text, words) => {
    expect(thrown(() => read(`{"seats":${text}}`).integer('seats', { min: 0, max: 10 })).message).toBe(
      `"seats" ${words}`,
    );
  });

  it('takes the ends of a range, and of all integers', () => {
    const root = read('{"a":0,"b":10,"c":9007199254740991,"d":-9007199254740991}');
    expect([
      root.integer('a', { min: 0 }),
      root.integer('b', { max: 10 }),
      root.integer('c'),
      root.integer('d'),
    ]).toEqual([0, 10, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]);
  });

  it.each<[string, (root: JsonObjectReader) => unknown, string]>([
    ['a text', (root) => root.string('x'), 'should be a text, but it is the number 1'],
    ['a boolean', (root) => root.boolean('x'), 'should be true or false, but it is the number 1'],
    ['an array', (root) => root.array('x'), 'should be an array, but it is the number 1'],
    ['an object', (root) => root.object('x'), 'should be an object, but it is the number 1'],
    ['a text, if anything', (root) => root.optionalString('x'), 'should be a text, but it is the number 1'],
  ])('wants %s', (_, act, words) => {
    expect(thrown(() => act(read('{"x":1}'))).message).toBe(`"x" ${words}`);
  });

  it('does not take null for absent', () => {
    expect(thrown(() => read('{"x":null}').optionalString('x')).message).toBe('"x" should be a text, but it is null');
  });

  it('refuses a member that it does not know, and names the nearest known member that is still missing', () => {
    const root = read('{"tier":"x",\n "deploiment":"y"}');
    root.string('tier');
    root.optionalString('deployment');
    root.optionalString('name');
    expect(thrown(() => root.end())).toMatchObject({
      code: 'request_invalid',
      message: '"deploiment" is an unknown member',
      hint: 'Did you mean "deployment"?',
      place: { field: 'deploiment', line: 2, column: 2 },
    });
  });

  it('lists the known names where none is near', () => {
    const root = read('{"xyz":1}');
    root.optionalString('tier');
    expect(thrown(() => root.end()).hint).toBe('Known here: tier.');
    expect(thrown(() => read('{"xyz":1}').end()).hint).toBe('Known here: no members.');
  });

  it('knows no name by itself', () => {
    const root = read('{"constructor":1,"__proto__":2}');
    expect(thrown(() => root.end()).message).toBe('"constructor" is an unknown member');
    expect(read('{}').member('constructor')).toBeUndefined();
    expect(read('{}').member('__proto__')).toBeUndefined();
    expect(read('{"__proto__":2}').integer('__proto__')).toBe(2);
  });

  it('makes names and values fit for a terminal', () => {
    const fault = thrown(() =>
      read(String.raw`{"\u001b[2J":"\u202e"}`)
        .entries()
        .map(([, value]) => value.integer()),
    );
    expect(fault.message).toBe('"\\u{001B}[2J" should be an integer, but it is the text "\\u{202E}"');
    expect(fault.place.field).toBe('\\u{001B}[2J');
  });

  it.each<[string, string, string]>([
    ['a text', '"' + 'x'.repeat(50) + '"', `should be an integer, but it is the text "${'x'.repeat(40)}…"`],
    ['digits in a text', '"' + '7'.repeat(50) + '"', `should be a number, but it is the text "${'7'.repeat(40)}…"`],
    ['an integer', '7'.repeat(50), `should be within ±(2^53-1), but it is ${'7'.repeat(40)}…`],
  ])('shows the first 40 characters of what is wrong: %s', (_, value, words) => {
    expect(thrown(() => read(`{"n":${value}}`).integer('n')).message).toBe(`"n" ${words}`);
  });

  it('shows the first 40 characters of a number, and the first 80 of a name', () => {
    const fault = thrown(() => read(`{"${'n'.repeat(90)}":${'7'.repeat(50)}}`).string('n'.repeat(90)));
    expect(fault.message).toBe(`"${'n'.repeat(80)}…" should be a text, but it is the number ${'7'.repeat(40)}…`);
  });

  it('says to write digits without quotes, and -0 without its sign', () => {
    expect(thrown(() => read('{"n":"250"}').integer('n')).hint).toBe('Write 250 without the quotes.');
    expect(thrown(() => read('{"n":-0}').integer('n')).hint).toBe('Write 0.');
  });

  it('knows all members whose names are data', () => {
    const root = read('{"a":1,"b":2}');
    expect(root.entries().map(([name]) => name)).toEqual(['a', 'b']);
    root.end();
  });

  it('does not take a member for another one that is there', () => {
    const root = read('{"tier":1,"tiers":2}');
    root.integer('tier');
    expect(thrown(() => root.end()).hint).toBe('Known here: tier.');
  });

  it('refuses a name of a million characters at once', () => {
    const root = read(`{"${'deployment'.repeat(100_000)}":1}`);
    for (const name of ['tier', 'deployment', 'seats']) root.optionalString(name);
    expect(thrown(() => root.end()).hint).toBe('Known here: tier, deployment, seats.');
  });

  it('makes a fault of its own at a place', () => {
    const root = read('{"from":"2027-02-30"}');
    expect(root.required('from').fault('is a day that does not exist', 'February 2027 has 28 days.')).toMatchObject({
      message: '"from" is a day that does not exist',
      hint: 'February 2027 has 28 days.',
      place: { field: 'from', line: 1, column: 9 },
    });
    expect(root.fault('is odd').message).toBe('the document is odd');
  });
});

describe('nearestName', () => {
  const names = ['customer', 'seats', 'graceDays', 'features', 'limits', 'from', 'until'];
  it.each([
    ['seat', 'seats'],
    ['saets', 'seats'],
    ['Seats', 'seats'],
    ['grace_days', 'graceDays'],
    ['feature', 'features'],
    ['costumer', 'customer'],
    ['form', 'from'],
    ['untill', 'until'],
    ['lmitss', 'limits'],
    ['fro', 'from'],
    ['fatuers', 'features'],
    ['xcustomer', 'customer'],
    ['scusotmre', 'customer'],
  ])('%s is near %s', (name, nearest) => expect(nearestName(name, names)).toBe(nearest));
  it.each(['', 'x', 'f', 'product', 'deployment', 'silmit', 'mrof', 'fxrm0', 'unt', 'frmo_', 'rxom', 'xfom'])(
    '%j is near none',
    (name) => expect(nearestName(name, names)).toBeUndefined(),
  );

  it('a name of one or two letters may differ by one', () => {
    expect(['id', 'i', 'idx', ''].map((name) => nearestName(name, ['ids']))).toEqual([
      'ids',
      undefined,
      'ids',
      undefined,
    ]);
  });

  it('a long name may differ by three, and no more', () => {
    const names = ['maintenance-window-hours'];
    expect(nearestName('maintenanc-windw-hour', names)).toBe(names[0]);
    expect(nearestName('mxintexance-xindow-hours', names)).toBe(names[0]);
    expect(nearestName('maintenanc-windw-hors-', names)).toBeUndefined();
    expect(nearestName('mxintexance-xindox-hours', names)).toBeUndefined();
    expect(nearestName('maintenanc-windw-houX', names)).toBeUndefined();
  });

  it('the nearest comes before one that is near, and the first before others that are as near', () => {
    expect(nearestName('feature', ['featurex1', 'features', 'featured'])).toBe('features');
    expect(nearestName('seats', ['seat', 'seats'])).toBe('seats');
  });
});
