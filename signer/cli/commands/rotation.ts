/**
 * The phases of the keys: `vtlic rotation status | pre-publish | activate | retire | revoke | lost | stolen`, and more.
 * Each step makes a draft of the next keyset, which root keys sign (`vtlic keyset sign`). `revoke` is the break-glass
 * step for a stolen key: the draft honors the licenses that the ledger has of it.
 */
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { KeyStatus } from '../../../formats/keyset/keyset.ts';
import { kidOfKey, type KeyChange, type KeysetChanges } from '../../keyset/changes.ts';
import { gapsOf, requireHonorable, signedByKey } from '../../rotation/signed-by-key.ts';
import { type DraftOptions, draftOptions, runDraft } from '../drafting.ts';
import { type DraftingContext, findIssuingKey, findKey, type NamedKey, purposesOf } from '../named-keys.ts';
import type { Io, SetExit } from '../io.ts';
import { collect } from '../options.ts';
import {
  addRotationSignedBy,
  honoredInWords,
  honorOptions,
  type HonorOptions,
  readHonored,
} from './rotation-signed-by.ts';
import { addRotationReissue, type Reissue, reissueOf, writeReissue } from './rotation-reissue.ts';
import { addRotationSimulate } from './rotation-simulate.ts';
import { addRotationStatus } from './rotation-status.ts';

interface StepOptions extends DraftOptions {
  readonly purpose: readonly string[];
}

interface RevokeOptions extends DraftOptions, HonorOptions {
  readonly honorNothing?: boolean;
}

interface LossOptions extends DraftOptions, Partial<HonorOptions> {
  readonly spare?: string;
  readonly table?: string;
}

export function defineRotation(rotation: Command, io: Io, setExit: SetExit): void {
  addRotationStatus(rotation, io);
  addRotationSimulate(rotation, io, setExit);
  addStep(rotation, io, {
    name: 'pre-publish',
    status: 'pre-published',
    purpose: 'drafts a keyset from which products learn keys that will sign later',
    example: 'vtlic rotation pre-publish license-2',
  });
  addStep(rotation, io, {
    name: 'activate',
    status: 'active',
    purpose: 'drafts a keyset in which keys sign licenses from now on',
    example: 'vtlic rotation activate license-2',
  });
  addStep(rotation, io, {
    name: 'retire',
    status: 'retired',
    purpose: 'drafts a keyset in which keys no longer sign; what they signed stays valid',
    example: 'vtlic rotation retire license-1',
  });
  addRevoke(rotation, io);
  addLost(rotation, io);
  addStolen(rotation, io);
  addRotationReissue(rotation, io);
  addRotationSignedBy(rotation, io);
}

interface StepWords {
  readonly name: string;
  readonly status: KeyStatus;
  readonly purpose: string;
  readonly example: string;
}

function addStep(parent: Command, io: Io, { name, status, purpose, example }: StepWords): void {
  const command = parent
    .command(`${name} <keys...>`)
    .description(purpose)
    .addHelpText('after', `\nExample:\n  ${example}`);
  const none: string[] = [];
  command.option(
    '--purpose <key=purpose>',
    'what a key in a file signs: KEY=license or KEY=license-key',
    collect,
    none,
  );
  draftOptions(command).action((keys: readonly string[], options: StepOptions) =>
    runDraft(io, options, (context) => {
      const purposes = purposesOf(options.purpose);
      const changes = keys.map((key): KeyChange => ({ ...findIssuingKey(context, key, purposes.get(key)), status }));
      const [strange] = [...purposes.keys()].filter((key) => !keys.includes(key));
      if (strange === undefined) return { keys: changes };
      throw new VtlicError(
        'usage',
        `--purpose names the key ${cleanText(strange, 80)}, which this draft does not change`,
        { hint: 'write the key in --purpose exactly as you wrote it in the command, or leave this --purpose out' },
      );
    }),
  );
}

const REVOKE_HELP = `
Licenses of the key that are in the ledger and may still be in force stay valid:
the keyset honors their payloads. Products that have the keyset refuse
everything else that the key signs. Retire a key that is only lost: see
vtlic help rotation lost.

Example:
  vtlic rotation revoke license-1`;

function addRevoke(parent: Command, io: Io): void {
  const command = parent
    .command('revoke <keys...>')
    .description('drafts a keyset that makes products refuse what stolen keys sign')
    .option('--honor-nothing', 'products also refuse the licenses that the ledger has')
    .addHelpText('after', REVOKE_HELP);
  draftOptions(honorOptions(command)).action((names: readonly string[], options: RevokeOptions) => {
    if (options.honorNothing === true && options.honor.length > 0)
      throw new VtlicError('usage', '--honor-nothing and --honor contradict each other', { hint: 'give one of them' });
    return runDraft(io, options, (context) => {
      const keys = names.map((name) => findKey(context, name, 'issuing'));
      if (options.honorNothing === true) return { keys: keys.map((key) => ({ key, status: 'revoked' })) };
      return { keys: revocations(context, keys, options) };
    });
  });
}

/** Revoked with everything honored that this ledger has of them, and what the files of other ledgers prove. */
function revocations(
  context: DraftingContext,
  keys: readonly NamedKey[],
  { honor = [], logKey = [] }: Partial<HonorOptions>,
): readonly KeyChange[] {
  const proved = readHonored(context.io, context.ledger.genesis.iss, keys, { honor, logKey });
  if (proved.length === 0) warnOfGaps(context);
  for (const line of honoredInWords(proved)) context.io.err(line);
  return keys.map((key): KeyChange => {
    const kid = kidOfKey(key);
    const elsewhere = proved.filter((file) => file.kid === kid).flatMap(({ digests }) => digests);
    const { digests } = signedByKey(context.ledger, kid, context.now);
    const honored = [...new Set([...digests, ...elsewhere])].toSorted();
    requireHonorable({ digests: honored });
    return { key, status: 'revoked', honored };
  });
}

/** An honest customer would be refused without a word: the officer has to know before the roots sign. */
function warnOfGaps({ io, ledger }: DraftingContext): void {
  const gaps = gapsOf(ledger);
  if (gaps.length === 0) return;
  io.err('WARNING: only licenses that this ledger has are honored and reissued. It may lack some that the key signed:');
  for (const gap of gaps) io.err(`  ${gap}`);
  io.err('  If the key signed licenses that are missing here, take them in (--honor FILE),');
  io.err('  or reissue them with another key, before it is revoked.');
}

const LOST_HELP = `
The draft retires the lost key, so what it signed stays valid, and activates
the spare key, so that licenses can be signed. docs/continuity.md says what to
do on that day.

Example:
  vtlic rotation lost license-1`;

function lossOptions(command: Command): Command {
  return draftOptions(
    command.option('--spare <key>', 'the key that signs from now on (default: the only one that is pre-published)'),
  );
}

function addLost(parent: Command, io: Io): void {
  const command = parent
    .command('lost <key>')
    .description('drafts the keyset for a lost key: the spare key signs from now on')
    .addHelpText('after', LOST_HELP);
  lossOptions(command).action((key: string, options: LossOptions) =>
    runDraft(io, options, (context) => ({ keys: replacement(context, key, options.spare) })),
  );
}

const STOLEN_HELP = `
Run it twice:
  1. The first run drafts a keyset in which the spare key signs, and writes a
     table of the licenses to reissue. Publish the keyset, sign the table with
     vtlic batch, and deliver each license together with the keyset.
  2. The second run, after that keyset is published, drafts the revocation of
     the stolen key. It honors all licenses of the key that the ledger has.

Example:
  vtlic rotation stolen license-1`;

function addStolen(parent: Command, io: Io): void {
  const command = parent
    .command('stolen <key>')
    .description('drafts the next keyset after a key was stolen')
    .option('--table <file>', 'the new file of the licenses to reissue (default: keysets/reissue-KEY.csv)')
    .addHelpText('after', STOLEN_HELP);
  lossOptions(honorOptions(command)).action((name: string, options: LossOptions) => {
    const why = options.emergency ?? `the key ${cleanText(name, 80)} was stolen`;
    let reissue: Reissue | undefined;
    const makeChanges = (context: DraftingContext): KeysetChanges => {
      const key = findKey(context, name, 'issuing');
      reissue = reissueOf(context, kidOfKey(key), name);
      const isActive = statusOf(context, kidOfKey(key)) === 'active';
      requireUsedOptions(name, isActive, options);
      if (!isActive) return { keys: revocations(context, [key], options) };
      warnOfGaps(context);
      return { keys: replacement(context, name, options.spare) };
    };
    // The table is written first, so that nothing is missing once the draft exists.
    return runDraft(io, { ...options, emergency: why }, makeChanges, async () => {
      if (reissue !== undefined) await writeReissue(io, reissue, options);
    });
  });
}

/** An option that the draft of today does not need is refused: its officer expects another draft. */
function requireUsedOptions(name: string, isActive: boolean, { spare, honor = [], logKey = [] }: LossOptions): void {
  const key = cleanText(name, 80);
  if (!isActive && spare !== undefined)
    throw new VtlicError(
      'usage',
      `--spare cannot be used here: the key ${key} no longer signs, and this draft revokes it`,
      {
        hint: 'leave --spare out; to activate another key: vtlic rotation activate KEY',
      },
    );
  if (isActive && honor.length + logKey.length > 0)
    throw new VtlicError(
      'usage',
      `--honor cannot be used yet: the key ${key} still signs, and this draft only retires it`,
      {
        hint: 'leave --honor and --log-key out now, and give them with the later draft, which revokes the key',
      },
    );
}

function statusOf({ current }: DraftingContext, kid: string): KeyStatus | undefined {
  return current?.keys.find((key) => kidOfKey(key) === kid)?.status;
}

/** The spare signs, and the key no longer signs. */
function replacement(context: DraftingContext, name: string, spare: string | undefined): readonly KeyChange[] {
  const { key, purpose } = findIssuingKey(context, name);
  const others = (context.current?.keys ?? []).filter(
    (other) => other.purpose === purpose && kidOfKey(other) !== kidOfKey(key),
  );
  const retired: KeyChange = { key, status: 'retired' };
  if (spare !== undefined) {
    const taken = findKey(context, spare, 'issuing');
    const itsPurpose = taken.purpose ?? purpose;
    if (itsPurpose === purpose) return [{ key: taken, purpose, status: 'active' }, retired];
    throw new VtlicError(
      'usage',
      `the key ${cleanText(spare, 80)} has the purpose ${itsPurpose}, and the key that it would replace has ` +
        `the purpose ${purpose}`,
      { hint: 'name a spare with the same purpose, see: vtlic keyset show' },
    );
  }
  const waiting = others.filter(({ status }) => status === 'pre-published');
  const [only] = waiting;
  if (only !== undefined && waiting.length === 1) return [{ key: only, status: 'active' }, retired];
  if (only === undefined && others.some(({ status }) => status === 'active')) return [retired];
  throw new VtlicError(
    'usage',
    only === undefined
      ? 'no key is pre-published that could replace this key, and no other key is active'
      : `${waiting.length} keys are pre-published, and you did not say which of them replaces this key`,
    { hint: 'name the key that signs from now on: --spare KEY' },
  );
}
