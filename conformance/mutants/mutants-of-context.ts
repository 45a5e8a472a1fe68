/** Mutants that judge a license in a context which section 9 of docs/format.md forbids. */
import { mutant, type Mutant } from './mutant.ts';

const CONTEXT = 'verifier/context.ts';

/** @param condition in the source, after which it throws */
const without = (name: string, lacks: string, condition: string): Mutant =>
  mutant(`context-${name}`, lacks, CONTEXT, `if (${condition}) throw`, 'if (false) throw');

export const MUTANTS_OF_CONTEXT: readonly Mutant[] = [
  without('issuer', 'that the issuer of the context is an id', '!isId(issuer)'),
  without('product', 'that the product of the context is an id', '!isId(product)'),
  without('deployment', 'that the deployment of the context is an id', 'deployment !== undefined && !isId(deployment)'),
  without('hosts', 'that a fingerprint of this host has 32 bytes', '!SHA256_HEX.test(host)'),
  mutant(
    'context-first-host',
    'that every fingerprint of this host has 32 bytes',
    CONTEXT,
    'for (const host of hosts ?? [])',
    'for (const host of (hosts ?? []).slice(0, 1))',
  ),
  without('now', 'the bounds of the time', '!isWhole(now, MAX_TIME)'),
  without('build-date', 'the bounds of the build date', 'buildDate !== undefined && !isWhole(buildDate, MAX_TIME)'),
  without('clock', 'the bounds of the clock', 'clock !== undefined && !isWhole(clock, MAX_TIME)'),
  without('default-grace', 'the bounds of the default grace', '!isWhole(defaultGrace, MAX_GRACE_SECONDS)'),
  mutant(
    'context-negative',
    'that no time and no grace is below 0',
    CONTEXT,
    'Number.isInteger(value) && value >= 0 && value <= max',
    'Number.isInteger(value) && value <= max',
  ),
  mutant(
    'context-large',
    'the upper bounds of times and of the grace, as for a time in milliseconds',
    CONTEXT,
    'Number.isInteger(value) && value >= 0 && value <= max',
    'Number.isInteger(value) && value >= 0',
  ),
  mutant(
    'context-seen',
    'that what was accepted before is checked too, which a store may have damaged',
    CONTEXT,
    'if (seen !== undefined) checkSeen(seen);',
    '',
  ),
  without('current', 'that the current lineage is among the lineages', '!seen.lineages.has(seen.current)'),
  without('highest-iat', 'the bounds of the highest iat', '!isWhole(seen.highestIat, MAX_TIME)'),
  without('lineage', 'that the lineages of what was accepted are lineages', '!isLineage(lineage)'),
  without('counter', 'the bounds of the highest counters', '!Number.isSafeInteger(counter) || counter < 1'),
  mutant(
    'context-counter-large',
    'that a highest counter is at most 2^53-1',
    CONTEXT,
    '!Number.isSafeInteger(counter) || counter < 1',
    'counter < 1',
  ),
  without('digest', 'that the digest of what was accepted has 32 bytes', '!SHA256_HEX.test(payloadDigest)'),
];
