/** What all pages have: the document, the message at its top, notices and lists. They need no script. */
import type { LicenseView, Notice } from '../runtime/index.ts';
import type { Line } from './differences.ts';
import { html, textOfHtml, type Html } from './html.ts';
import { STYLE_ELEMENT } from './style.ts';
import type { Texts, TextName } from './texts.ts';

export interface Message {
  readonly kind: 'good' | 'bad';
  readonly text: string;
  readonly notice?: Notice;
  /** The text in place of the detail of the notice. */
  readonly why?: string;
}

export interface PageFacts {
  readonly texts: Texts;
  readonly view: LicenseView;
  readonly operator: string;
  /** Undefined: not known, or never asked for. */
  readonly seatsUsed: number | 'unknown' | undefined;
  readonly message?: Message | undefined;
}

/** An answer to a request that is not one of this page. It shows nothing of the license. */
export function errorPage(texts: Texts, fault: TextName): string {
  const message: Message = { kind: 'bad', text: texts.of(fault) };
  return documentOf(
    texts,
    message,
    html`<header><h1>${texts.of('error_title')}</h1></header>
      <main>
        ${messageBox(message, texts)}
        <p><a href="?">${texts.of('back')}</a></p>
      </main>`,
  );
}

/** A page with the message, if there is one, above its parts. */
export function framedPage({ texts, operator, message }: PageFacts, parts: readonly (Html | false)[]): string {
  return documentOf(
    texts,
    message,
    html`<header>
        <h1>${texts.of('title')}</h1>
        <p class="soft">${texts.of('signed_in_as', { operator })}</p>
      </header>
      <main>${message !== undefined && messageBox(message, texts)}${parts}</main>`,
  );
}

/** The message is in the title too, which a screen reader says first. */
function documentOf(texts: Texts, message: Message | undefined, body: Html): string {
  const title = message === undefined ? texts.of('title') : `${message.text} \u2013 ${texts.of('title')}`;
  return textOfHtml(
    html`<!doctype html>
      <html lang="${texts.of('language')}" dir="${texts.of('direction')}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          ${STYLE_ELEMENT}
        </head>
        <body>
          ${body}
        </body>
      </html>`,
  );
}

/** It has the focus when the page appears, so that a keyboard goes on from there. */
function messageBox({ kind, text, notice, why }: Message, texts: Texts): Html {
  return html`<div class="message ${kind}" role="${kind === 'good' ? 'status' : 'alert'}" tabindex="-1" autofocus>
    <p><strong>${text}</strong></p>
    ${notice !== undefined && noticeBody(notice, texts, why)}
  </div>`;
}

/** @param why in the language of the page, in place of the detail */
export function noticeBody(notice: Notice, texts: Texts, why?: string): Html {
  const { sentence, remedy, ...rest } = texts.notice(notice);
  const { detail, isEnglish } = why === undefined ? rest : { detail: why, isEnglish: false };
  const shown = isEnglish ? html`<span lang="en" dir="ltr">${detail}</span>` : html`<bdi>${detail}</bdi>`;
  return html`<p>${sentence} ${remedy}</p>
    <p class="detail">${detail !== '' && html`${texts.of('detail')} ${shown} `}<code>${notice.code}</code></p>`;
}

export function lineList(lines: readonly Line[]): Html {
  return html`<dl>
    ${lines.map(
      ({ name, value }) =>
        html`<dt>${name}</dt>
          <dd><bdi>${value}</bdi></dd>`,
    )}
  </dl>`;
}
