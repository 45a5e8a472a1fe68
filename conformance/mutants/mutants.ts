/** Every wrong verifier of the kit. */
import type { Mutant } from './mutant.ts';
import { MUTANTS_OF_CLAIMS } from './mutants-of-claims.ts';
import { MUTANTS_OF_CONTEXT } from './mutants-of-context.ts';
import { MUTANTS_OF_FILES } from './mutants-of-files.ts';
import { MUTANTS_OF_KEYSETS } from './mutants-of-keysets.ts';
import { MUTANTS_OF_POLICY } from './mutants-of-policy.ts';
import { MUTANTS_OF_SIGNATURES } from './mutants-of-signatures.ts';
import { MUTANTS_OF_TRUST } from './mutants-of-trust.ts';

export const MUTANTS: readonly Mutant[] = [
  ...MUTANTS_OF_FILES,
  ...MUTANTS_OF_SIGNATURES,
  ...MUTANTS_OF_CLAIMS,
  ...MUTANTS_OF_POLICY,
  ...MUTANTS_OF_TRUST,
  ...MUTANTS_OF_KEYSETS,
  ...MUTANTS_OF_CONTEXT,
];
