/** `rotation simulate`: ten thousand customers over three years, beside reading their licenses from the ledger. */
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { fieldLicenses, owedLicenses } from '../../signer/rotation/field-licenses.ts';
import type { Release } from '../../signer/rotation/releases.ts';
import { dailyRefusals } from '../../signer/simulation/daily.ts';
import { plannedVersions } from '../../signer/simulation/planned-versions.ts';
import { simulate } from '../../signer/simulation/simulate.ts';
import { freshFolder } from './batch-site.ts';
import { EXAMPLE, freshKey } from './example.ts';
import { licenseLedger, unsignedKey } from './license-ledger.ts';
import { median } from './measure.ts';
import type { Part } from './report.ts';

const ROUNDS = 7;
const YEARS = 3;
/** The design's goal for ten thousand customers. */
const GOAL_MS = 10_000;
const NOW = EXAMPLE.nbf;
const COMMON: Omit<Release, 'name' | 'builtIn'> = {
  product: EXAMPLE.aud,
  takesKeysets: false,
  requireComposite: false,
  from: NOW - 300 * DAY_SECONDS,
};

function issuing(key: PublicKey, status: IssuingKey['status']): IssuingKey {
  return { alg: key.alg, publicBytes: key.bytes, purpose: 'license', status };
}

interface Rotation {
  readonly path: string;
  readonly old: PublicKey;
  readonly next: PublicKey;
  readonly root: PublicKey;
}

/** The whole command without its output: a move to a composite key, in the field of three releases. */
function simulation({ path, old, next, root }: Rotation): number {
  const keyset: Keyset = {
    iss: EXAMPLE.iss,
    version: 1,
    made: NOW - 400 * DAY_SECONDS,
    roots: [{ alg: root.alg, publicBytes: root.bytes }],
    threshold: 1,
    keys: [issuing(old, 'active'), issuing(next, 'pre-published')],
    requireComposite: false,
    revokedLicenses: [],
    lowestCounters: new Map(),
  };
  const releases: readonly Release[] = [
    { ...COMMON, name: 'old', builtIn: { keys: [old.kid] }, until: NOW + 500 * DAY_SECONDS },
    { ...COMMON, name: 'keyset', builtIn: { keyset: 1 } },
    { ...COMMON, name: 'taking', builtIn: { keyset: 1 }, takesKeysets: true },
  ];
  const view = openLedgerForReading(path);
  try {
    const begun = performance.now();
    const lineages = [...owedLicenses(view, keyset, NOW)];
    const known = [old, next];
    const versions = plannedVersions(
      [{ keyset, from: NOW - 300 * DAY_SECONDS, steps: [] }],
      [
        { on: NOW + 60 * DAY_SECONDS, step: 'activate', kid: next.kid },
        { on: NOW + 200 * DAY_SECONDS, step: 'retire', kid: old.kid },
        { on: NOW + 210 * DAY_SECONDS, step: 'policy', ed25519Until: NOW + 700 * DAY_SECONDS },
      ],
      { issuer: EXAMPLE.iss, nameOfKey: () => undefined, keyOfKid: () => undefined, digestsBy: () => [] },
    );
    const found = simulate({
      from: NOW,
      until: NOW + YEARS * 365 * DAY_SECONDS,
      renewDays: 30,
      versions,
      releases,
      lineages,
      keyOfKid: (kid) => known.find((key) => key.kid === kid),
    });
    if (found.refused.length === 0 || dailyRefusals(found).length === 0) throw new Error('nobody is refused');
    return performance.now() - begun;
  } finally {
    view.close();
  }
}

function reading(path: string): number {
  const view = openLedgerForReading(path);
  try {
    const begun = performance.now();
    let licenses = 0;
    for (const lineage of fieldLicenses(view, NOW)) licenses += lineage.length;
    if (licenses === 0) throw new Error('the ledger has no license');
    return performance.now() - begun;
  } finally {
    view.close();
  }
}

export async function measureSimulating(customers: number): Promise<Part> {
  const old = freshKey('ed25519').publicKey;
  const next = freshKey('ed25519+ml-dsa-65').publicKey;
  const root = freshKey('ed25519+ml-dsa-65').publicKey;
  const path = await licenseLedger(freshFolder(), unsignedKey(old), customers);
  const readMs: number[] = [];
  const simulateMs: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const [read, whole] = [reading(path), simulation({ path, old, next, root })];
    if (round < 0) continue;
    readMs.push(read);
    simulateMs.push(whole);
  }
  return {
    name: `A rotation simulated (${customers.toLocaleString('en-US')} customers, ${YEARS} years, 3 releases)`,
    rows: [
      { what: 'reading the licenses of each customer', value: median(readMs), unit: 'ms' },
      { what: 'rotation simulate, reading included', value: median(simulateMs), unit: 'ms' },
    ],
    ratios: [
      {
        what: 'rotation simulate ÷ reading',
        value: median(simulateMs.map((ms, i) => ms / (readMs[i] ?? ms))),
        atMost: 2,
      },
      { what: 'rotation simulate ÷ 10 seconds', value: median(simulateMs) / GOAL_MS, atMost: 1 },
    ],
    notes: ['the signatures in this ledger are random bytes: a simulation trusts the record and checks none'],
  };
}
