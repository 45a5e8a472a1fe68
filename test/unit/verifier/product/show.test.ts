import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import {
  errorLines,
  fingerprintLines,
  noticeLines,
  outcomeLine,
  statusLines,
} from '../../../../verifier/product/show.ts';
import type { Entitlements, LicenseFacts, LicenseView, Notice } from '../../../../verifier/runtime/index.ts';
import { EXP, NBF } from '../sample.ts';

const ENTITLEMENTS: Entitlements = {
  source: 'license',
  tier: 'enterprise',
  seats: 250,
  features: ['audit-export', 'sso'],
  limits: { vaults: 50, users: 7 },
  instances: 3,
  use: 'trial',
};
const LICENSE: LicenseFacts = {
  id: '0193817a-6c00-7000-8000-000000000001',
  customer: 'acme-gmbh',
  name: 'Acme \u202eGmbH',
  deployment: 'site-a',
  tier: 'enterprise',
  seats: 250,
  features: [],
  limits: {},
  counter: 7,
  from: NBF,
  until: EXP,
};
const NOTICE: Notice = {
  code: 'file_unwritable',
  sentence: 'The file cannot be replaced.',
  remedy: 'Make the folder writable.',
  detail: '/a: read\u001bonly',
  values: {},
};
const VIEW: LicenseView = {
  state: 'free_tier',
  entitlements: undefined,
  warnings: [],
  place: 'the file /a/license.vtlic',
  location: { kind: 'file', path: '/a/license.vtlic' },
  refusals: { count: 0 },
};

describe('the lines of a status', () => {
  it('say all that a view has, one fact in a line', () => {
    const view: LicenseView = {
      ...VIEW,
      entitlements: ENTITLEMENTS,
      license: LICENSE,
      waiting: { ...LICENSE, counter: 8, from: EXP },
      nextChange: EXP,
      installFault: NOTICE,
    };
    expect(statusLines(view)).toEqual([
      '    tier          enterprise',
      '    seats         250',
      '    use           trial, not production',
      '    instances     3',
      '    features      audit-export, sso',
      '    limit vaults  50',
      '    limit users   7',
      '    customer      acme-gmbh (Acme \\u{202E}GmbH)',
      '    deployment    site-a',
      '    license id    0193817a-6c00-7000-8000-000000000001',
      '    counter       7',
      '    from          2027-01-01T00:00:00Z',
      '    until         2027-12-31',
      '    waiting       counter 8, from 2028-01-01T00:00:00Z',
      '    next change   2028-01-01T00:00:00Z',
      '    read from     the file /a/license.vtlic',
      '    no install    The file cannot be replaced. (/a: read\\u{001B}only)',
    ]);
  });

  it('leave out what a view does not have', () => {
    expect(statusLines(VIEW)).toEqual(['    read from  the file /a/license.vtlic']);
    const { use: _use, instances: _instances, ...rest } = ENTITLEMENTS;
    expect(statusLines({ ...VIEW, entitlements: { ...rest, features: [], limits: {} } })).toEqual([
      '    tier       enterprise',
      '    seats      250',
      '    read from  the file /a/license.vtlic',
    ]);
    expect(statusLines({ ...VIEW, entitlements: { ...rest, features: ['sso'], limits: {} } })[2]).toBe(
      '    features   sso',
    );
    const { name: _name, deployment: _deployment, ...license } = LICENSE;
    expect(statusLines({ ...VIEW, license })[0]).toBe('    customer    acme-gmbh');
    expect(statusLines({ ...VIEW, license })).toHaveLength(6);
  });

  it('show 4000 characters of a text and no more', () => {
    const [line = ''] = statusLines({ ...VIEW, place: 'x'.repeat(4001) });
    expect(line).toBe(`    read from  ${'x'.repeat(4000)}…`);
  });
});

describe('the line of an outcome', () => {
  it.each([
    ['full', 'full: the product starts with its license, which expires in 2 days'],
    ['grace', 'grace: the product starts with its license, which has expired; its grace ends at 2028-01-01T00:00:00Z'],
    ['free_tier', 'free tier: the product starts, but without a license in force'],
    ['does_not_start', 'refused: the product does not start'],
  ] as const)('is whole for %s, whatever else the view has', (outcome, line) => {
    expect(outcomeLine(outcome, { ...VIEW, license: LICENSE, daysToExpiry: 2, graceUntil: EXP })).toBe(line);
  });
});

describe('the lines of a notice', () => {
  it('are a sentence with its code and detail, and what to do', () => {
    expect(noticeLines('warning', NOTICE)).toEqual([
      'warning: The file cannot be replaced. (file_unwritable: /a: read\\u{001B}only)',
      '  → Make the folder writable.',
    ]);
  });
});

describe('the lines of a fingerprint', () => {
  it('name what it is made from, the others, and what is missing', () => {
    const used = { source: 'operator', fingerprint: 'aa' } as const;
    const other = { source: 'machine', fingerprint: 'bb' } as const;
    const absent = [{ source: 'kubernetes', reason: 'LICENSE_CLUSTER_UID is not set\u001b' }] as const;
    expect(fingerprintLines({ used, hosts: ['aa'], candidates: [used, other], absent })).toEqual([
      'made from LICENSE_HOST_ID',
      'not used: bb, from the machine id',
      'not from LICENSE_CLUSTER_UID: LICENSE_CLUSTER_UID is not set\\u{001B}',
    ]);
    expect(fingerprintLines({ used: undefined, hosts: [], candidates: [], absent: [] })).toEqual([
      'nothing identifies this host',
    ]);
  });
});

describe('the lines of an error', () => {
  it.each<[string, unknown, readonly string[]]>([
    [
      'with file, field and hint',
      new VtlicError('usage', 'is wrong\u001b', { file: 'a\u001b', field: 'b\u001b', hint: 'Do\u001b.' }),
      ['vtlic-product: a\\u{001B}: b\\u{001B}: is wrong\\u{001B}', '  → Do\\u{001B}.'],
    ],
    ['with a field only', new VtlicError('usage', 'is wrong', { field: 'b' }), ['vtlic-product: b: is wrong']],
    ['with a file only', new VtlicError('usage', 'is wrong', { file: 'a' }), ['vtlic-product: a: is wrong']],
    [
      'that is a defect',
      new TypeError('x is not a function'),
      ['vtlic-product: a defect of this program: TypeError: x is not a function'],
    ],
    ['that is none', undefined, ['vtlic-product: a defect of this program: a value was thrown that is not an error']],
  ])('say where, what and what to do: an error %s', (_, error, lines) => {
    expect(errorLines(error)).toEqual(lines);
  });
});
