/** Options and openings that several commands share. */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { openSite, type Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { shellQuote } from '../shell-quote.ts';

export interface SiteOptions {
  readonly site?: string;
}

export interface SecretOptions {
  readonly secret: readonly string[];
  readonly lastTry?: string;
  readonly untestedToken?: boolean;
}

export function siteOption(command: Command): Command {
  return command.option('--site <dir>', 'the site (default: VTLIC_SITE, else this folder)');
}

export function secretOption(command: Command): Command {
  return command
    .option(
      '--secret <name=source>',
      'secret of keystore NAME from fd:N or file:PATH (repeatable)',
      collect,
      [] as string[],
    )
    .option('--last-try <serial>', 'show a PIN although the token of this serial says that it is its last try')
    .option('--untested-token', 'use a token of a family that this toolkit was never run against');
}

/** For an option that may be repeated. */
export function collect(value: string, all: readonly string[]): string[] {
  return [...all, value];
}

export function siteFolder(io: Io, options: SiteOptions): string {
  const named = options.site ?? io.env['VTLIC_SITE'];
  return resolve(io.cwd, named === undefined || named === '' ? '.' : named);
}

/** For a next command that is told: it should work as it is told. */
export function siteArgument(options: SiteOptions): string {
  if (options.site === undefined) return '';
  return ` --site ${shellQuote(options.site)}`;
}

export function openNamedSite(io: Io, options: SiteOptions): Site {
  return openSite(siteFolder(io, options));
}

/** For commander: a fault of an option's value in words. */
export function invalid(why: string): InvalidArgumentError {
  return new InvalidArgumentError(why);
}
