/** The examples of the specification as cases: docs/examples and the vectors have one source. */
import { utf8 } from '../../formats/bytes.ts';
import { judgedExamples } from '../examples/judged-examples.ts';
import { keyFileExamples } from '../examples/key-file-examples.ts';
import { judgedKeysets, type JudgedKeyset } from '../examples/keyset-examples.ts';
import { overrideExamples } from '../examples/override-examples.ts';
import { active, type ExampleTrust } from '../examples/example-trust.ts';
import { fileOf, smallExamples } from '../examples/small-examples.ts';
import { trustExamples } from '../examples/trust-examples.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import type { CaseFolder, FileInput } from './case.ts';
import { FORGETS, isState, trustValues, verdictOf } from './case-parts.ts';
import { clauseOfExample } from './example-clauses.ts';
import { intermediateOf } from './intermediate.ts';

/** The context of Appendix B of docs/format.md. */
export const SMALL_CONTEXT: PlainContext = Object.freeze<PlainContext>({
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  now: 1_814_400_000,
  defaultGrace: 0,
});
const SMALL_TRUST: ExampleTrust = { keys: [active('ed25519')] };

const LICENSE: FileInput = Object.freeze<FileInput>({ file: 'license.vtlic' });

/** Examples of Appendix B whose file would be refused for something else too. */
const HAS_SEVERAL_FAULTS = /^(?:file|cbor|cose)-/;
/** Examples of Appendix C that show which fault comes first. */
const SHOW_ORDER: ReadonlySet<string> = new Set([
  'claims-iss-empty',
  'claims-iss-dot',
  'claims-iss-blank',
  'claims-iss-slash',
  'claims-iss-umlaut',
  'claims-iss-bytes',
  'claims-dep-empty',
  'claims-tag',
  'claims-indefinite',
  'claims-cti-15',
  'claims-ctr-large',
  'claims-limits-key',
  'claims-hosts-empty',
  'claims-hosts-31',
  'claims-hosts-unsorted',
  'claims-hosts-twice',
  'claims-hosts-many',
  'claims-hosts-text',
  'claims-upd-negative',
  'claims-upd-late',
  'claims-upd-text',
  'claims-upd-true',
  'key-unknown',
  'key-half-alg',
  'key-mismatch',
  'claims-unknown-first',
  'claims-encoding-first',
  'claims-unknown-and-bound',
  'claims-no-bytes',
  'claims-array',

  'claims-before-policy',
  'policy-revoked-purpose',
  'policy-scope-license',
  'policy-before-binding',
  'binding-build-product',
  'binding-build-host',
  'binding-build-rolled-back',
  'seen-known-next',
]);

/** Honest libraries differ on these. */
const GRAY = /-torsion-r$/;

const scoredOf = (id: string): 'reason' | 'verdict' =>
  HAS_SEVERAL_FAULTS.test(id) || SHOW_ORDER.has(id) ? 'verdict' : 'reason';

function verifyCases(): readonly CaseFolder[] {
  const smallTexts = byThemselves(smallExamples.map(({ what }) => what));
  const judgedTexts = byThemselves(judgedExamples.map(({ what }) => namedLicenses(what)));
  const small = smallExamples.map(({ id, input, expected }, i) => ({
    id,
    title: `${titleGroup(id)}: ${smallTexts[i] ?? ''}`,
    file: fileOf(input),
    trust: SMALL_TRUST,
    context: SMALL_CONTEXT,
    expected,
  }));
  const judged = judgedExamples.map(({ id, file, trust, context, expected }, i) => ({
    id,
    title: `${titleGroup(id)}: ${judgedTexts[i] ?? ''}`,
    file: utf8(file),
    trust,
    context,
    expected,
  }));
  return [...small, ...judged].map(({ id, title, file, trust, context, expected }) => {
    const intermediate = intermediateOf(file);
    return {
      value: {
        id: `verify/${id}`,
        title,
        clause: clauseOfExample(id),
        profile: GRAY.test(id) ? 'gray-ed25519' : 'required',
        operation: 'verify',
        license: LICENSE,
        trust: trustValues(trust),
        context,
        expected: verdictOf(expected, isState(expected) ? 'reason' : scoredOf(id)),
        ...(isState(expected) ? {} : { forgets: FORGETS[expected] }),
        ...(intermediate === undefined ? {} : { intermediate }),
      },
      files: new Map([[LICENSE.file, file]]),
    };
  });
}

/** `claim iss`, `time`: a title makes sense by itself. */
function titleGroup(id: string): string {
  const [group = '', second = ''] = id.split('-');
  return group === 'claims' ? `claims, ${second}` : group;
}

/** The texts of a table, whose rows may say "the same" of the row above. */
function byThemselves(texts: readonly string[]): readonly string[] {
  let meant = '';
  return texts.map((text) => {
    if (!/^the same\b/.test(text)) meant = text;
    return text.replace(/^the same\b/, () => `the same ("${meant}")`);
  });
}

function namedLicenses(what: string): string {
  return what.replaceAll(/\bA\b/g, 'license A.1').replaceAll(/\bB\b/g, 'license A.2');
}

const REFUSED = { verdict: 'refused', scored: 'reason' } as const;
const TAKEN = { verdict: 'accepted' } as const;

function trustCases(): readonly CaseFolder[] {
  const texts = byThemselves(trustExamples.map(({ what }) => what));
  return trustExamples.map(({ id, trust, expected }, i) => ({
    value: {
      id: `trust/${id}`,
      title: `trust: ${texts[i] ?? ''}`,
      clause: clauseOfExample(id),
      profile: 'required',
      operation: 'trust',
      trust: trustValues(trust),
      expected: expected === 'taken' ? TAKEN : { ...REFUSED, reason: expected },
    },
    files: new Map(),
  }));
}

function keyFileCases(): readonly CaseFolder[] {
  const keyFile = 'keys.pub';
  const texts = byThemselves(keyFileExamples.map(({ what }) => what));
  return keyFileExamples.map(({ id, file, pad, kids, reason = 'key_invalid' }, i) => ({
    value: {
      id: `key-file/${id}`,
      title: `key file: ${texts[i] ?? ''}`,
      clause: clauseOfExample(id),
      profile: 'required',
      operation: 'key-file',
      keyFile: { file: keyFile, ...(pad === undefined ? {} : { pad }) },
      expected: kids === undefined ? { ...REFUSED, reason } : { ...TAKEN, kids },
    },
    files: new Map([[keyFile, file]]),
  }));
}

function overrideCases(): readonly CaseFolder[] {
  const texts = byThemselves(overrideExamples.map(({ what }) => what));
  return overrideExamples.map(({ id, builtIn, variables, files = {}, expected }, place) => {
    const named = Object.entries(files).map(([path, content], i) => {
      const { file, pad } = typeof content === 'string' ? { file: content, pad: undefined } : content;
      return { path, name: `file-${i + 1}`, bytes: utf8(file), pad };
    });
    const inputs = named.map(({ path, name, pad }): [string, FileInput] => [
      path,
      { file: name, ...(pad === undefined ? {} : { pad }) },
    ]);
    return {
      value: {
        id: `override/${id}`,
        title: `override: ${texts[place] ?? ''}`,
        clause: clauseOfExample(id),
        profile: 'required',
        operation: 'override',
        builtIn: trustValues(builtIn),
        variables: Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)),
        ...(inputs.length === 0 ? {} : { files: Object.fromEntries(inputs) }),
        expected:
          expected === 'configuration_invalid'
            ? { ...REFUSED, reason: expected }
            : { ...TAKEN, trust: trustValues(expected) },
      },
      files: new Map(named.map(({ name, bytes }) => [name, bytes])),
    };
  });
}

function keysetCases(): readonly CaseFolder[] {
  return judgedKeysets.map((example) => {
    const { id, what, builtIn, requireComposite, state, file, expected } = example;
    const inState = (state ?? []).map((text, i): [string, Uint8Array] => [`state-${i + 1}.keyset`, utf8(text)]);
    return {
      value: {
        id: `keyset/${id}`,
        title: `keyset: ${what}`,
        clause: clauseOfKeyset(example),
        profile: 'required',
        operation: 'keyset',
        issuer: 'example-vendor',
        ...(requireComposite === undefined ? {} : { requireComposite }),
        builtIn: { file: 'built-in.keyset' },
        ...(inState.length === 0 ? {} : { state: inState.map(([name]) => ({ file: name })) }),
        ...(file === undefined ? {} : { keyset: { file: 'new.keyset' } }),
        expected: { ...TAKEN, ...expected },
      },
      files: new Map([
        ['built-in.keyset', utf8(builtIn)],
        ...inState,
        ...(file === undefined ? [] : ([['new.keyset', utf8(file)]] as const)),
      ]),
    };
  });
}

function clauseOfKeyset({ expected }: JudgedKeyset): readonly string[] {
  const reason = expected.notices[0]?.reason ?? '';
  if (/_(?:armor|cbor|cose|typ|alg)_/.test(reason)) return ['keysets.md#K1'];
  if (/_claims_/.test(reason)) return ['keysets.md#K2'];
  if (/_(?:ascending|older)/.test(reason)) return ['keysets.md#K3', 'keysets.md#K5'];
  return ['keysets.md#K4'];
}

export function exampleCases(): readonly CaseFolder[] {
  return [...verifyCases(), ...trustCases(), ...keyFileCases(), ...overrideCases(), ...keysetCases()];
}
