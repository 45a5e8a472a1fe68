/** Histories with variables of the override beside keysets: K4 and K6 of docs/keysets.md, section 11.3 of format.md. */
import { testKey } from '../examples/keysets.ts';
import type { HistoryCase } from './case.ts';
import type { Row } from './history-rows.ts';
import {
  begin,
  byFirst,
  byOther,
  byRoot,
  bySecond,
  chain1,
  chain1Composite,
  chain2,
  chain2WithoutPolicy,
  install,
  put,
  refused,
  refusedStart,
  restart,
  rotate,
  start,
} from './history-steps.ts';

/** What a history with keysets has beside its steps. */
export type Setting = Pick<HistoryCase, 'builtIn' | 'environment'>;

type SettingRow = readonly [...Required<Row>, setting: Setting];

const base64Of = (name: string): string => Buffer.from(testKey(name).publicKey.bytes).toString('base64');

const POLICY_STAYS = 'that the environment takes no policy of a keyset away';
const NO_ROOTS = 'that the environment does not change which keysets are taken';

export const ENVIRONMENT_ROWS: readonly SettingRow[] = [
  [
    'environment-policy-blank',
    'composite is required by the built-in keyset, and LICENSE_REQUIRE_COMPOSITE is blank',
    POLICY_STAYS,
    [
      ...begin(byFirst),
      start('free_tier', 'algorithm_not_allowed'),
      // Ed25519 roots signed a version without the policy: it does not count.
      rotate(chain2WithoutPolicy),
      restart('free_tier', 'algorithm_not_allowed'),
      refused(byFirst, 'algorithm_not_allowed', 'free_tier'),
    ],
    'keysets',
    { builtIn: chain1Composite, environment: { LICENSE_REQUIRE_COMPOSITE: ' \t' } },
  ],
  [
    'environment-policy-zero',
    'composite is required by the built-in keyset, and LICENSE_REQUIRE_COMPOSITE is 0',
    'that LICENSE_REQUIRE_COMPOSITE is 1 or absent',
    [...begin(byFirst), refusedStart('start', 'configuration_invalid')],
    'keysets',
    { builtIn: chain1Composite, environment: { LICENSE_REQUIRE_COMPOSITE: '0' } },
  ],
  [
    'environment-policy-false',
    'LICENSE_REQUIRE_COMPOSITE is false, and the keyset requires nothing',
    'that LICENSE_REQUIRE_COMPOSITE is 1 or absent',
    [...begin(byFirst), refusedStart('start', 'configuration_invalid')],
    'keysets',
    { builtIn: chain1, environment: { LICENSE_REQUIRE_COMPOSITE: 'false' } },
  ],
  [
    'environment-policy-key',
    'composite is required by the built-in keyset, and LICENSE_PUBLIC_KEY gives its Ed25519 key anew',
    POLICY_STAYS,
    [
      ...begin(byFirst),
      start('free_tier', 'algorithm_not_allowed'),
      refused(byFirst, 'algorithm_not_allowed', 'free_tier'),
    ],
    'keysets',
    { builtIn: chain1Composite, environment: { LICENSE_PUBLIC_KEY: base64Of('issuing 1') } },
  ],
  [
    'environment-policy-added',
    'LICENSE_REQUIRE_COMPOSITE is 1: Ed25519 licenses are refused, and a keyset by Ed25519 roots is taken',
    NO_ROOTS,
    [
      ...begin(byFirst),
      start('free_tier', 'algorithm_not_allowed'),
      rotate(chain2),
      // The version that is taken revokes the key, which is judged before the algorithm.
      restart('free_tier', 'key_revoked'),
      refused(bySecond, 'algorithm_not_allowed', 'free_tier'),
    ],
    'keysets',
    { builtIn: chain1, environment: { LICENSE_REQUIRE_COMPOSITE: '1' } },
  ],
  [
    'environment-key-revoked',
    'LICENSE_PUBLIC_KEY gives a key, and a keyset revokes it',
    'that a key of the environment which a keyset knows keeps its status',
    [
      ...begin(byFirst),
      start('active', 1),
      rotate(chain2),
      restart('free_tier', 'key_revoked'),
      rotate(null),
      restart('free_tier', 'key_revoked'),
      refused(byFirst, 'key_revoked', 'free_tier'),
    ],
    'keysets',
    { builtIn: chain1, environment: { LICENSE_PUBLIC_KEY: base64Of('issuing 1') } },
  ],
  [
    'environment-key-other',
    'LICENSE_PUBLIC_KEY gives a key that no keyset has, and a keyset then revokes the built-in key',
    'that the keys for licenses are exactly those of the environment, with a keyset too',
    [
      ...begin(byFirst),
      refusedStart('start', 'key_unknown'),
      put(byOther),
      restart('active', 2),
      rotate(chain2),
      restart('active', 2),
      refused(byFirst, 'key_unknown', 'active', 2),
      refused(bySecond, 'key_unknown', 'active', 2),
      install(byOther, 'active', 2),
    ],
    'keysets',
    { builtIn: chain1, environment: { LICENSE_PUBLIC_KEY: base64Of('issuing 6') } },
  ],
  [
    'environment-key-root',
    'LICENSE_PUBLIC_KEY gives a root of the keyset',
    'that a root stays a root, and signs no license',
    [...begin(byRoot), refusedStart('start', 'key_wrong_purpose')],
    'keysets',
    { builtIn: chain1, environment: { LICENSE_PUBLIC_KEY: base64Of('root 1') } },
  ],
];
