/** The pages as HTML. They need no script, and each is whole in one answer. */
import type { Repair } from '../../formats/normalize-pasted.ts';
import type { InstallPreview, LicenseView, Notice } from '../runtime/index.ts';
import {
  cautions,
  differences,
  endText,
  licenseLines,
  momentText,
  seatsText,
  useText,
  type Line,
} from './differences.ts';
import { html, textOfHtml, type Html } from './html.ts';
import { STYLE } from './style.ts';
import type { Texts, TextName } from './texts.ts';

export interface Message {
  readonly kind: 'good' | 'bad';
  readonly text: string;
  readonly notice?: Notice;
}

export interface PageFacts {
  readonly texts: Texts;
  readonly view: LicenseView;
  readonly operator: string;
  /** Undefined: not known, or never asked for. */
  readonly seatsUsed: number | 'unknown' | undefined;
  readonly message?: Message;
}

const TONES = { active: 'good', grace: 'warn', free_tier: 'bad', not_applicable: 'good' } as const;
const DAYS_OF_WARNING = 30;

/** What is in force, and the form for a renewal. */
export function statusPage(facts: PageFacts, form: { readonly token: string; readonly pasted: string }): string {
  const { texts, view } = facts;
  return frame(facts, [
    messageOf(facts),
    nowSection(facts),
    noticesSection(view, texts),
    waitingSection(view, texts),
    refusedSection(view, texts),
    view.installFault === undefined
      ? html`<section aria-labelledby="install">
          <h2 id="install">${texts.of('install_heading')}</h2>
          <form method="post" enctype="multipart/form-data">
            <input type="hidden" name="step" value="preview" /><input
              type="hidden"
              name="token"
              value="${form.token}"
            />
            <label for="pasted">${texts.of('paste_label')}</label>
            <p id="pasted-help" class="soft">${texts.of('paste_help')} ${texts.of('paste_keysets')}</p>
            <textarea id="pasted" name="pasted" aria-describedby="pasted-help" spellcheck="false" autocomplete="off">
${form.pasted}</textarea>
            <label for="file">${texts.of('file_label')}</label>
            <p id="file-help" class="soft">${texts.of('file_help')}</p>
            <input id="file" name="file" type="file" accept=".vtlic,.txt" aria-describedby="file-help" />
            <p class="soft" id="preview-help">${texts.of('preview_help')}</p>
            <button aria-describedby="preview-help">${texts.of('preview_button')}</button>
          </form>
        </section>`
      : html`<section aria-labelledby="install" class="warn">
          <h2 id="install">${texts.of('install_fault_heading')}</h2>
          ${noticeBody(view.installFault, texts)}
        </section>`,
  ]);
}

export interface PreviewFacts extends PageFacts {
  readonly preview: InstallPreview & { ok: true };
  readonly repairs: readonly Repair[];
  readonly digest: string;
  /** Base64 of what would be installed. */
  readonly content: string;
  /** What the preview compares with. */
  readonly base: string;
  readonly token: string;
  readonly field: 'password' | 'code' | 'none';
}

/** What an installation would change, and the form that confirms it. */
export function previewPage(facts: PreviewFacts): string {
  const { texts, view, preview, repairs, field } = facts;
  const seatsUsed = typeof facts.seatsUsed === 'number' ? facts.seatsUsed : undefined;
  const warned = cautions(view, preview, seatsUsed, texts);
  const isSame = preview.license !== undefined && preview.license.id === (view.waiting ?? view.license)?.id;
  return frame(facts, [
    messageOf(facts),
    html`<section aria-labelledby="preview">
      <h2 id="preview">${texts.of('preview_heading')}</h2>
      <p>${isSame ? texts.of('preview_same') : outcomeText(preview, texts)}</p>
      ${
        preview.license !== undefined &&
        preview.keysetVersion !== undefined &&
        html`<p>${texts.of('preview_with_keysets', { version: preview.keysetVersion })}</p>`
      }
      ${differenceTable(facts)}
    </section>`,
    repairs.length > 0 &&
      html`<section aria-labelledby="repairs">
        <h2 id="repairs">${texts.of('repaired_heading')}</h2>
        <ul>
          ${repairs.map((repair) => html`<li>${texts.repair(repair)}</li>`)}
        </ul>
        <p class="soft">${texts.of('repaired_explain')}</p>
      </section>`,
    warned.length > 0 &&
      html`<section aria-labelledby="cautions" class="warn">
        <h2 id="cautions">${texts.of('caution_heading')}</h2>
        <ul>
          ${warned.map((text) => html`<li>${text}</li>`)}
        </ul>
      </section>`,
    html`<section aria-label="${installLabel(preview, texts)}">
      <form method="post" enctype="multipart/form-data">
        <input type="hidden" name="step" value="install" /><input type="hidden" name="token" value="${facts.token}" />
        <input type="hidden" name="base" value="${facts.base}" />
        <input type="hidden" name="content" value="${facts.content}" />
        <p>${texts.of('digest')}<br /><code>${facts.digest}</code></p>
        ${
          field === 'password' &&
          html`<label for="proof">${texts.of('step_up_password')}</label>
            <input id="proof" name="proof" type="password" autocomplete="current-password" required />`
        }
        ${
          field === 'code' &&
          html`<label for="proof">${texts.of('step_up_code')}</label>
            <input id="proof" name="proof" type="text" inputmode="numeric" autocomplete="one-time-code" required />`
        }
        <p><button>${installLabel(preview, texts)}</button> <a class="button" href="?">${texts.of('cancel')}</a></p>
      </form>
    </section>`,
  ]);
}

/** An answer to a request that is not one of this page. Nothing of the license is in it. */
export function errorPage(texts: Texts, fault: TextName): string {
  return document(
    texts,
    html`<main>
      <h1>${texts.of('error_title')}</h1>
      <div class="message bad" role="alert"><p>${texts.of(fault)}</p></div>
      <p><a href="?">${texts.of('back')}</a></p>
    </main>`,
  );
}

function frame({ texts, operator }: PageFacts, parts: readonly (Html | false | undefined)[]): string {
  return document(
    texts,
    html`<header>
        <h1>${texts.of('title')}</h1>
        <p class="soft">${texts.of('signed_in_as', { operator })}</p>
      </header>
      <main>${parts}</main>`,
  );
}

function document(texts: Texts, body: Html): string {
  const [language, direction] = [texts.of('language'), texts.of('direction')];
  // The style is outside of the template: it is ours, and its hash allows nothing to be escaped.
  const head = textOfHtml(
    html`<!doctype html>
      <html lang="${language}" dir="${direction}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${texts.of('title')}</title>
        </head>
      </html>`,
  );
  return `${head}<style>${STYLE}</style></head><body>${textOfHtml(body)}</body></html>`;
}

function messageOf({ message, texts }: PageFacts): Html | undefined {
  if (message === undefined) return undefined;
  const { kind, text, notice } = message;
  return html`<div class="message ${kind}" role="${kind === 'good' ? 'status' : 'alert'}">
    <p>
      <strong>${text}</strong>
    </p>
    ${notice !== undefined && noticeBody(notice, texts)}
  </div>`;
}

function noticeBody({ code, detail }: Notice, texts: Texts): Html {
  const { sentence, remedy } = texts.notice(code);
  return html`<p>${sentence} ${remedy}</p>
    <p class="detail">${texts.of('detail')} <span lang="en" dir="ltr">${detail}</span> <code>${code}</code></p>`;
}

function nowSection({ view, texts, seatsUsed }: PageFacts): Html {
  const { state, license, daysToExpiry = Infinity, graceUntil, judgedAt, keysetVersion } = view;
  const tone = state === 'active' && daysToExpiry <= DAYS_OF_WARNING ? 'warn' : TONES[state];
  const explained = texts.of(`explain_${state}`, { until: graceUntil === undefined ? '' : endText(graceUntil, texts) });
  const seats = seatsNow(view, seatsUsed, texts);
  const lines = (license === undefined ? freeLines(view, texts) : licenseLines(license, graceUntil, texts)).map(
    (line) =>
      line.name === texts.of('seats') && (state === 'active' || state === 'grace')
        ? { ...line, value: seats.text }
        : line,
  );
  const rest: readonly Line[] = [
    ...(keysetVersion === undefined ? [] : [{ name: texts.of('keyset_version'), value: String(keysetVersion) }]),
    { name: texts.of('place'), value: view.place },
    ...(judgedAt === undefined ? [] : [{ name: texts.of('judged_at'), value: momentText(judgedAt) }]),
  ];
  return html`<section aria-labelledby="now" class="${tone}">
    <h2 id="now">${texts.of('now_heading')}</h2>
    <p class="state">${texts.of(`state_${state}`)}</p>
    <p>${explained}</p>
    ${daysToExpiry < Infinity && daysText(daysToExpiry, texts)}
    ${seats.isExceeded && html`<p><strong>${texts.of('seats_exceeded')}</strong></p>`}
    ${license !== undefined && state === 'free_tier' && html`<p>${texts.of('not_in_force')}</p>`}
    ${lineList([...lines, ...rest])}
  </section>`;
}

function daysText(days: number, texts: Texts): Html | false {
  // A license without an end has some three million days left.
  if (days > 1_000_000) return false;
  const text =
    days > 1 ? texts.count('days_left', days) : days >= 0 ? texts.of('expires_today') : texts.count('expired', -days);
  return html`<p><strong>${text}</strong></p>`;
}

function seatsNow(
  { entitlements }: LicenseView,
  used: PageFacts['seatsUsed'],
  texts: Texts,
): { readonly text: string; readonly isExceeded: boolean } {
  const seats = entitlements?.seats ?? 0;
  const sold = seatsText(seats, texts);
  if (used === undefined) return { text: sold, isExceeded: false };
  if (used === 'unknown') return { text: texts.of('seats_used_unknown', { sold }), isExceeded: false };
  return { text: texts.of('seats_used', { sold, used }), isExceeded: seats !== 'unlimited' && used > seats };
}

function freeLines({ entitlements }: LicenseView, texts: Texts): readonly Line[] {
  if (entitlements === undefined) return [];
  const { tier, seats, features, use } = entitlements;
  return [
    { name: texts.of('tier'), value: tier },
    ...(use === undefined ? [] : [{ name: texts.of('use'), value: useText(use, texts) }]),
    { name: texts.of('seats'), value: seatsText(seats, texts) },
    { name: texts.of('features'), value: features.length === 0 ? texts.of('none') : features.join(', ') },
  ];
}

function lineList(lines: readonly Line[]): Html {
  return html`<dl>
    ${lines.map(
      ({ name, value }) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

function noticesSection({ warnings }: LicenseView, texts: Texts): Html | false {
  return (
    warnings.length > 0 &&
    html`<section aria-labelledby="notices">
      <h2 id="notices">${texts.of('warnings_heading')}</h2>
      <ul>
        ${warnings.map((warning) => html`<li>${noticeBody(warning, texts)}</li>`)}
      </ul>
    </section>`
  );
}

function waitingSection({ waiting }: LicenseView, texts: Texts): Html | false {
  return (
    waiting !== undefined &&
    html`<section aria-labelledby="waiting">
      <h2 id="waiting">${texts.of('waiting_heading')}</h2>
      <p>${texts.of('waiting_explain', { from: momentText(waiting.from) })}</p>
      ${lineList(licenseLines(waiting, undefined, texts))}
    </section>`
  );
}

function refusedSection({ refusals: { last } }: LicenseView, texts: Texts): Html | false {
  return (
    last !== undefined &&
    html`<section aria-labelledby="refused">
      <h2 id="refused">${texts.of('refused_heading')}</h2>
      <p>${texts.of('refused_explain', { at: momentText(last.at) })}</p>
      ${noticeBody(last.notice, texts)}
    </section>`
  );
}

function outcomeText({ outcome, license, keysetVersion }: InstallPreview & { ok: true }, texts: Texts): string {
  if (license === undefined) return texts.of('preview_keyset', { version: keysetVersion ?? '' });
  return outcome === 'waiting'
    ? texts.of('preview_waiting', { from: momentText(license.from) })
    : texts.of('preview_in_force');
}

function installLabel({ license }: InstallPreview & { ok: true }, texts: Texts): string {
  return texts.of(license === undefined ? 'install_keyset_button' : 'install_button');
}

function differenceTable({ view, preview, texts }: PreviewFacts): Html {
  return html`<table>
    <thead>
      <tr>
        <th scope="col">${texts.of('column_what')}</th>
        <th scope="col">${texts.of('column_now')}</th>
        <th scope="col">${texts.of('column_after')}</th>
      </tr>
    </thead>
    <tbody>
      ${differences(view, preview, texts).map(
        ({ name, now, after, isChanged }) =>
          html`<tr class="${isChanged ? 'changed' : ''}">
            <th scope="row">${name}</th>
            <td>${now}</td>
            <td>${after}${isChanged && html` <span class="mark">${texts.of('changed')}</span>`}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
