/** Claims and what follows from them, where the examples of the documents leave a second fault or a gap. */
import { CONTEXT, verifyCases, type VerifyRow } from './verify-cases.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import type { CaseFolder } from './case.ts';
import {
  HOST,
  HOSTS,
  POLICY,
  SEEN,
  SUB,
  UPD,
  built,
  file,
  hostsHere,
  minimal,
  raw,
  set,
  type Row,
} from './claims-rows.ts';

export function claimsCases(): readonly CaseFolder[] {
  const rows = (list: readonly Row[], clause: string, context?: PlainContext): readonly VerifyRow[] =>
    list.map(([id, title, bytes, expected = 'claims_malformed']) => ({
      id: `claim-${id}`,
      title: `claim ${title}`,
      clause: [clause],
      file: bytes,
      expected,
      ...(context === undefined ? {} : { context }),
    }));
  return verifyCases([
    ...rows(SUB, '7.2'),
    ...rows(HOSTS, '7.2', hostsHere),
    ...rows(UPD, '7.2', built),
    {
      id: 'claim-unknown-true',
      title: 'a claim of a later version, beside all that are known',
      clause: ['7.3'],
      file: file(raw('floating', 'f5')),
      expected: 'claims_unknown',
    },
    {
      id: 'claim-unknown-seats',
      title: 'a misspelled optional claim',
      clause: ['7.3'],
      file: file(raw('feature', '80')),
      expected: 'claims_unknown',
    },
    ...POLICY.map(([id, title, bytes, expected = 'active', trust, clause]): VerifyRow => ({
      id,
      title,
      clause: [clause],
      file: bytes,
      expected,
      trust,
    })),
    ...SEEN.map(([id, title, bytes, expected = 'active', context, clause]): VerifyRow => ({
      id,
      title,
      clause: [clause],
      file: bytes,
      expected,
      context,
    })),
    {
      id: 'binding-build-now',
      title: 'updates ended, but the build is dated before their end',
      clause: ['9'],
      file: file(set('upd', 1_800_000_000)),
      expected: 'active',
      context: built,
    },
    {
      id: 'binding-two-hosts',
      title: 'this host has two fingerprints, and the first is not in the license',
      clause: ['9'],
      file: file(set('hosts', [HOST])),
      expected: 'active',
      context: { ...CONTEXT, hosts: ['22'.repeat(32), '11'.repeat(32)] },
    },
    {
      id: 'time-nbf-iat',
      title: 'iat is in the future, which is no fault',
      clause: ['7.2'],
      file: file(set(6, 1_830_000_000)),
      expected: 'active',
    },
    {
      id: 'time-perpetual-first',
      title: 'a perpetual license at the last second of 9999',
      clause: ['10.3'],
      file: file(set(4, 253_402_300_799)),
      expected: 'lapsed',
      context: { ...CONTEXT, now: 253_402_300_799 },
    },
    {
      id: 'time-grace-beyond',
      title: 'the grace of a perpetual license ends behind the largest time',
      clause: ['10.3'],
      file: file(set(4, 253_402_300_799), set('grace', 31_622_400)),
      expected: 'grace',
      context: { ...CONTEXT, now: 253_402_300_799 },
    },
    {
      id: 'time-zero',
      title: 'the time 0, long before nbf',
      clause: ['10.3'],
      file: minimal,
      expected: 'not_yet_valid',
      context: { ...CONTEXT, now: 0 },
    },
    {
      id: 'time-long-lapsed',
      title: 'the year 9999, long after exp: lapsed, and genuine',
      clause: ['10.3'],
      file: minimal,
      expected: 'lapsed',
      context: { ...CONTEXT, now: 253_402_300_799 },
    },
  ]);
}
