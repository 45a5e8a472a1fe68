/** `vtlic calendar`: the dates of a vendor as a file for a calendar program. */
import type { Command } from 'commander';
import { cleanText, groupDigits } from '../../../formats/clean-text.ts';
import { formatDay } from '../../../formats/dates.ts';
import { encodeCalendar } from '../../../formats/icalendar.ts';
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { createDurably } from '../../../files/index.ts';
import { keysetEvents, renewalEvents, stepEvents } from '../../calendar/calendar-events.ts';
import { publishedVersions } from '../../keyset/published.ts';
import { dueLicenses } from '../../renew/due.ts';
import { nowSeconds } from '../../runtime.ts';
import { nameOfSite } from '../named-keys.ts';
import { withLedger } from '../input-files.ts';
import type { Io } from '../io.ts';
import { newFilePath, parseSpan, siteOption, type SiteOptions } from '../options.ts';
import { stepsOfPlan } from '../rotation-plan-file.ts';

const DEFAULT_DAYS = 400;

interface CalendarOptions extends SiteOptions {
  readonly within: number;
  readonly plan?: string;
  readonly releases?: string;
  readonly out?: string;
}

const HELP = `
The file contains the licenses that end (one entry for each day), the expiry of
the newest published keyset, the dates of its keys, the end of Ed25519, and the
steps of a rotation plan. It names customers: keep it where customer data may
be. You can import each newer file again: unchanged entries keep their UID.

Example:
  vtlic calendar --within 400d --out vendor.ics`;

export function defineCalendar(command: Command, io: Io): void {
  command
    .option(
      '--within <time>',
      'how far ahead, such as 60d or 8w (default: 400d)',
      parseSpan,
      DEFAULT_DAYS * DAY_SECONDS,
    )
    .option('--plan <file>', 'also write the steps of this rotation plan')
    .option('--releases <file>', 'the product releases in the field (default: releases.json of the site)')
    .option('--out <file>', 'write it to this new file (default: standard output)')
    .addHelpText('after', HELP);
  siteOption(command).action((options: CalendarOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      const now = nowSeconds(io.runtime);
      const issuer = site?.config.issuer ?? '';
      const { licenses } = dueLicenses(ledger, { now, withinSeconds: options.within, endedSeconds: 0 });
      const newest = publishedVersions(ledger).at(-1)?.keyset;
      const keysets = newest === undefined ? [] : keysetEvents(newest);
      const steps =
        site === undefined ? [] : stepEvents(issuer, stepsOfPlan(io, site, ledger, options), nameOfSite(site));
      const dated = [...keysets, ...steps].filter(({ day }) => day >= now && day <= now + options.within);
      const events = [...renewalEvents(issuer, licenses), ...dated].toSorted((a, b) => a.day - b.day);
      const bytes = encodeCalendar(`Licenses and keys of ${issuer}`, events, now);
      const path = options.out === undefined ? undefined : newFilePath(io, options.out);
      const entries = `${groupDigits(events.length)} entr${events.length === 1 ? 'y' : 'ies'}`;
      io.err(`${entries} until ${formatDay(now - (now % DAY_SECONDS) + options.within)}`);
      if (path === undefined) {
        io.out(bytes);
        return;
      }
      await createDurably(path, bytes, 0o600, { folderExists: true });
      io.err(`wrote ${cleanText(path, 1000)}`);
    }),
  );
}
