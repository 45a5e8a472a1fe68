/** `vtlic ledger anchor --to PLACE`: moves the anchor, after an officer has typed a word. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import {
  type AnchorPlace,
  anchorPlaceText,
  finishMove,
  moveAnchor,
  NONCE_BYTES,
  requireFreePlace,
  requireOtherPlace,
  samePlace,
} from '../../anchor/index.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { anchorOpener, keystoresOfPlaces } from '../../keys/ledger-opening.ts';
import { type LedgerView, openLedgerForReading } from '../../ledger/index.ts';
import { liesInside } from '../../site/create-site.ts';
import type { Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { formatTable } from '../output.ts';
import { confirmByWord } from '../terminal.ts';
import {
  parseAnchorOption,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteOption,
  type SiteOptions,
} from '../options.ts';
import { withAccess } from '../key-access.ts';

interface AnchorOptions extends SiteOptions, SecretOptions {
  readonly to: string;
  readonly json?: boolean;
}

const HELP = `
PLACE is a file, or token:KEYSTORE, where KEYSTORE is the name of a keystore in
site.json. (token:KEYSTORE/LABEL also names the object in the token.)

The command shows what it will do, and asks you to type a word. The ledger
records the move for ever, and the old place records that the anchor was moved.
If the command is interrupted, run it again.

To replace a token that still works: add the new token to site.json as a
keystore with a new name, keep the old one there, and run
  vtlic ledger anchor --to token:NEW
If the old token, or the disk with the anchor, is lost for good, run
  vtlic ledger restore --lost-anchor --skip N --anchor PLACE
and read vtlic help ledger restore first. The keys of a lost token are lost
with it: make new ones with vtlic key generate.`;

export function addLedgerAnchor(parent: Command, io: Io): void {
  const command = parent
    .command('anchor')
    .description('moves the anchor to another file or token')
    .requiredOption('--to <place>', 'a file, or token:KEYSTORE')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action(async (options: AnchorOptions) => {
    const site = openNamedSite(io, options);
    const to = parseAnchorOption('--to', options.to, io.cwd, site.config.issuer);
    if (to.kind === 'file' && liesInside(to.path, site.paths.folder))
      throw new VtlicError(
        'usage',
        'the anchor would be inside the site: an old copy of the site would bring an old anchor with it',
        {
          file: to.path,
          hint: 'give --to a place outside the site',
        },
      );
    const places = [...placesInUse(site), to];
    await withAccess(io, site, options, { anchors: keystoresOfPlaces(site, places) }, async (access, terminal) => {
      if (terminal === undefined)
        throw new VtlicError('usage', 'this command needs a terminal, where a person confirms it', {
          hint: 'run it at a terminal, without redirecting its input',
        });
      const open = anchorOpener(access);
      const ledger = await openForSigning(site, io.runtime, {
        command: 'ledger anchor',
        anchorStore: open,
        finishMove: async (move, opened) => {
          await finishMove(opened, move, open(move.from), io.runtime, () =>
            confirmByWord(terminal, lostView(move.from), [
              'OLD PLACE IS LOST',
              'confirm that the old place is lost, and to finish the move',
            ]),
          );
          io.err(
            'finished a move that had been interrupted: the anchor is now in ' +
              cleanText(anchorPlaceText(move.to), 1000),
          );
        },
      });
      try {
        const from = ledger.anchorPlace();
        if (samePlace(from, to)) io.err('the anchor is in this place already: nothing more was done');
        else {
          await requireOtherPlace(open(from), open(to));
          await open(to).settle(io.runtime.random(NONCE_BYTES));
          await requireFreePlace(ledger, open(to));
          await confirmByWord(terminal, viewOf(ledger, from, to), ['MOVE ANCHOR', 'move the anchor']);
          await moveAnchor(ledger, open(from), open(to), to, io.runtime);
          io.err('moved: from now on every run uses the new place, and the old place records the move');
        }
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-ledger-anchor/1',
                from: anchorPlaceText(from),
                to: anchorPlaceText(to),
                moved: !samePlace(from, to),
              })
            : `${cleanText(anchorPlaceText(to), 4000)}\n`,
        );
      } finally {
        ledger.close();
      }
    });
  });
}

/** Where the anchor is; after an interrupted move also where it was before. */
function placesInUse(site: Site): readonly AnchorPlace[] {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const move = ledger.lastAnchorMove();
    const unfinished =
      move !== undefined && move.seq === ledger.head().entries && known(site, move.from) ? [move.from] : [];
    return [ledger.anchorPlace(), ...unfinished];
  } finally {
    ledger.close();
  }
}

function known(site: Site, place: AnchorPlace): boolean {
  return place.kind === 'file' || site.config.keystores.has(place.keystore);
}

function lostView(from: AnchorPlace): string[] {
  return [
    'A move of the anchor was interrupted, and its old place contains nothing: neither the anchor, nor a note that',
    'this ledger has moved it. IF ANOTHER COPY OF THIS LEDGER HAS MOVED IT, two licenses get one counter.',
    '',
    ...formatTable([['old place', cleanText(anchorPlaceText(from), 1000)]]),
  ];
}

function viewOf(ledger: LedgerView, from: AnchorPlace, to: AnchorPlace): string[] {
  const head = ledger.head();
  const warning =
    to.kind === 'file'
      ? ['', 'Keep the file out of backups of the ledger: an anchor that rolls back with the ledger protects nothing.']
      : [];
  return [
    'This moves the anchor of the ledger. The new one is written and read back before the old one is deleted.',
    '',
    ...formatTable([
      ['ledger', `${toHex(ledger.genesis.ledgerId)} of ${ledger.genesis.iss}`],
      ['it ends with', `entry ${head.entries}; ${head.size} leaves; its anchor agrees`],
      ['from', cleanText(anchorPlaceText(from), 1000)],
      ['to', cleanText(anchorPlaceText(to), 1000)],
    ]),
    ...warning,
  ];
}
