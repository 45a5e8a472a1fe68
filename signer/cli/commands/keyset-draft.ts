/** `vtlic keyset draft`: the next version of the keyset, as a document that people review and root keys sign. */
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { isId } from '../../../formats/license/id.ts';
import { MAX_ROOTS, type KeyStatus } from '../../../formats/keyset/keyset.ts';
import { type KeyChange, kidOfKey } from '../../keyset/changes.ts';
import type { Io } from '../io.ts';
import { collect, invalid } from '../options.ts';
import { type DraftOptions, draftOptions, parseDay, runDraft } from '../drafting.ts';
import { type DraftingContext, findIssuingKey, findKey, purposesOf } from '../named-keys.ts';

interface KeysetDraftOptions extends DraftOptions {
  readonly addRoot: readonly string[];
  readonly removeRoot: readonly string[];
  readonly threshold?: number;
  readonly prePublish: readonly string[];
  readonly activate: readonly string[];
  readonly retire: readonly string[];
  readonly purpose: readonly string[];
  readonly products: readonly string[];
  readonly tiers: readonly string[];
  readonly requireComposite?: boolean;
  readonly ed25519Until?: number;
  readonly expires?: number;
}

const HELP = `
KEY is a key of the site (its name), a key of a published keyset (its kid), or
file:PATH, a file with a public key of another site. What you do not
name stays as it is. If a key was stolen, see: vtlic help rotation stolen

Examples:
  vtlic keyset draft --add-root root-1 --add-root file:root-2.pem \\
    --add-root file:root-3.pem --threshold 2 --activate license-1
  vtlic keyset draft --pre-publish file:spare.pem \\
    --purpose file:spare.pem=license --out 2.draft`;

function parseThreshold(text: string): number {
  const threshold = /^[1-9][0-9]?$/.test(text) ? Number(text) : 0;
  if (threshold < 1 || threshold > MAX_ROOTS) throw invalid(`expected a number from 1 to ${MAX_ROOTS}`);
  return threshold;
}

export function addKeysetDraft(parent: Command, io: Io): void {
  const none: string[] = [];
  const command = parent
    .command('draft')
    .description('drafts the next version of the keyset')
    .option('--add-root <key>', 'add this root key (repeatable)', collect, none)
    .option('--remove-root <key>', 'remove this root key (repeatable)', collect, none)
    .option('--threshold <n>', 'how many root keys have to sign each version', parseThreshold)
    .option('--pre-publish <key>', 'let products learn this key before it signs (repeatable)', collect, none)
    .option('--activate <key>', 'sign with this key from now on (repeatable)', collect, none)
    .option('--retire <key>', 'sign nothing more with this key (repeatable)', collect, none)
    .option(
      '--purpose <key=purpose>',
      'what a key in a file signs: KEY=license or KEY=license-key (repeatable)',
      collect,
      none,
    )
    .option('--products <key=ids>', 'the products that KEY may sign for, with commas (repeatable)', collect, none)
    .option('--tiers <key=ids>', 'the tiers that KEY may sign for, with commas (repeatable)', collect, none)
    .option('--require-composite', 'policy: products refuse licenses with only an Ed25519 signature')
    .option('--ed25519-until <date>', 'the same policy, but only from this day on', parseDay)
    .option('--expires <date>', 'from this day on products warn, but still use the keyset', parseDay)
    .addHelpText('after', HELP);
  draftOptions(command).action((options: KeysetDraftOptions) =>
    runDraft(io, options, (context) => ({
      addRoots: options.addRoot.map((key) => findKey(context, key, 'root')),
      removeRoots: options.removeRoot.map((key) => kidOfKey(findKey(context, key, 'root'))),
      ...(options.threshold === undefined ? {} : { threshold: options.threshold }),
      keys: keyChanges(context, options),
      ...(options.requireComposite === true ? { requireComposite: true } : {}),
      ...(options.ed25519Until === undefined ? {} : { ed25519Until: options.ed25519Until }),
      ...(options.expires === undefined ? {} : { expires: options.expires }),
    })),
  );
}

function keyChanges(context: DraftingContext, options: KeysetDraftOptions): readonly KeyChange[] {
  const wanted: readonly (readonly [readonly string[], KeyStatus])[] = [
    [options.prePublish, 'pre-published'],
    [options.activate, 'active'],
    [options.retire, 'retired'],
  ];
  const purposes = purposesOf(options.purpose);
  const products = scopes('--products', options.products);
  const tiers = scopes('--tiers', options.tiers);
  const changes = wanted.flatMap(([names, status]) =>
    names.map((name): KeyChange => {
      const [ofProducts, ofTiers] = [products.get(name), tiers.get(name)];
      const purpose = purposes.get(name);
      products.delete(name);
      tiers.delete(name);
      purposes.delete(name);
      return {
        ...findIssuingKey(context, name, purpose),
        status,
        ...(ofProducts === undefined ? {} : { products: ofProducts }),
        ...(ofTiers === undefined ? {} : { tiers: ofTiers }),
      };
    }),
  );
  for (const [option, left] of [
    ['--products', products],
    ['--tiers', tiers],
    ['--purpose', purposes],
  ] as const)
    for (const name of left.keys())
      throw new VtlicError(
        'usage',
        `${option} names the key ${cleanText(name, 80)}, which this draft does not change`,
        {
          hint: 'name it with --pre-publish or --activate too, spelled the same',
        },
      );
  return changes;
}

/** `KEY=a,b`; KEY may contain `=` in a path, an id may not. */
function scopes(option: string, texts: readonly string[]): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    const ids = text.slice(at + 1).split(',');
    if (at < 1 || !ids.every(isId))
      throw new VtlicError('usage', `${option} takes KEY=ID or KEY=ID,ID, not ${cleanText(text, 80)}`, {
        hint: 'name the ids as the catalog has them',
      });
    found.set(text.slice(0, at), [...new Set(ids)]);
  }
  return found;
}
