/**
 * HTML made of templates. Every value in a template is escaped unless it is HTML itself, so that no text of a license,
 * of an operator or of a translation can become markup.
 */

const made: unique symbol = Symbol('html');

export interface Html {
  readonly [made]: string;
}

/** What a template takes. `false` is nothing. */
export type HtmlValue = Html | string | false | readonly HtmlValue[];

/** For text and for attribute values in quotes. */
function escapeHtml(text: string): string {
  // NUL and surrogates without a partner are no characters of HTML.
  return text
    .toWellFormed()
    .replaceAll('\u0000', '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { [made]: String.raw({ raw: strings }, ...values.map(shown)) };
}

/** Marks a text as HTML. The text must be our own, and contain nothing that comes from outside. */
export function ownHtml(text: string): Html {
  return { [made]: text };
}

function shown(value: HtmlValue): string {
  if (value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (isHtml(value)) return value[made];
  return value.map(shown).join('');
}

function isHtml(value: Html | readonly HtmlValue[]): value is Html {
  return made in value;
}

export function textOfHtml(value: Html): string {
  return value[made];
}
