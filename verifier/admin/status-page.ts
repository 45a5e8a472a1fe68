/** The page: what is in force, what an operator should know, and the form for a renewal. */
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { isPerpetual } from '../../formats/dates.ts';
import type { LicenseView } from '../runtime/index.ts';
import { endText, freeTierLines, licenseLines, seatsText, type Line } from './differences.ts';
import { html, type Html } from './html.ts';
import { framedPage, lineList, noticeBody, type PageFacts } from './page.ts';
import { momentText, type Texts } from './texts.ts';

/** What is in force, and the form for a renewal. */
export function statusPage(facts: PageFacts, form: { readonly token: string; readonly pasted: string }): string {
  const { texts, view } = facts;
  return framedPage(facts, [
    nowSection(facts),
    noticesSection(view, texts),
    waitingSection(view, texts),
    refusedSection(facts),
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

function nowSection({ view, texts, seatsUsed }: PageFacts): Html {
  const { state, license, graceUntil, judgedAt, keysetVersion } = view;
  const isFree = state === 'free_tier';
  const until = graceUntil === undefined ? '' : endText(graceUntil, texts);
  const seats = seatsNow(view, seatsUsed, texts);
  const free = isFree ? freeTierLines(view, texts) : [];
  const lines = license === undefined ? [] : licenseLines(license, graceUntil, texts);
  const withSeats = (line: Line): Line => (line.key === 'seats' ? { ...line, value: seats.text } : line);
  const more: readonly Line[] = [
    ...(keysetVersion === undefined
      ? []
      : [{ key: 'keyset_version', name: texts.of('keyset_version'), value: String(keysetVersion) }]),
    { key: 'place', name: texts.of('place'), value: placeText(view, texts) },
    ...(judgedAt === undefined ? [] : [{ key: 'judged_at', name: texts.of('judged_at'), value: momentText(judgedAt) }]),
  ];
  return html`<section aria-labelledby="now">
    <h2 id="now">${texts.of('now_heading')}</h2>
    <div class="banner ${toneOf(view)}">
      <p class="state">${texts.of(`state_${state}`)}</p>
      <p>${texts.of(`explain_${state}`, { until })}</p>
      ${daysText(view, texts).map((text) => html`<p><strong>${text}</strong></p>`)}
      ${seats.isExceeded && html`<p><strong>${texts.of('seats_exceeded')}</strong></p>`}
      ${free.length > 0 && lineList(free.map(withSeats))}
    </div>
    ${isFree && license !== undefined && html`<h3>${texts.of('not_in_force_heading')}</h3>`}
    ${lineList([...(isFree ? lines : lines.map(withSeats)), ...more])}
  </section>`;
}

function placeText({ location }: LicenseView, texts: Texts): string {
  return location.kind === 'file'
    ? texts.of('place_file', { path: location.path })
    : texts.of(`place_${location.kind}`);
}

const TONES = { active: 'good', grace: 'warn', free_tier: 'bad', not_applicable: 'good' } as const;
const DAYS_OF_WARNING = 30;

function toneOf({ state, daysToExpiry = Infinity }: LicenseView): string {
  return state === 'active' && daysToExpiry <= DAYS_OF_WARNING ? 'warn' : TONES[state];
}

/** The text avoids plural forms, since other languages have more than two. */
function daysText({ state, license, graceUntil, judgedAt }: LicenseView, texts: Texts): readonly string[] {
  if (license === undefined || judgedAt === undefined || isPerpetual(license.until)) return [];
  const left = license.until - judgedAt;
  if (left > DAY_SECONDS) return [texts.of('days_left', { days: Math.ceil(left / DAY_SECONDS) })];
  if (left > 0) return [texts.of('last_day')];
  const since = Math.floor(-left / DAY_SECONDS);
  const expired = since === 0 ? texts.of('expired_today') : texts.of('expired', { days: since });
  if (state !== 'grace' || graceUntil === undefined) return [expired];
  return [expired, texts.of('grace_left', { days: Math.ceil((graceUntil - judgedAt) / DAY_SECONDS) })];
}

function seatsNow(
  { entitlements, state }: LicenseView,
  used: PageFacts['seatsUsed'],
  texts: Texts,
): { readonly text: string; readonly isExceeded: boolean } {
  // In the mode `saas` there is no number that could be exceeded.
  if (entitlements === undefined) return { text: '', isExceeded: false };
  const { seats } = entitlements;
  const shown = seatsText(seats, texts);
  if (used === undefined) return { text: shown, isExceeded: false };
  if (used === 'unknown') return { text: texts.of('seats_used_unknown', { seats: shown }), isExceeded: false };
  if (seats === 'unlimited') return { text: texts.of('seats_used_unlimited', { used }), isExceeded: false };
  const text =
    state === 'free_tier'
      ? texts.of('seats_used_free', { seats: shown, used })
      : texts.of('seats_used', { sold: shown, used });
  return { text, isExceeded: used > seats };
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

/** Leaves out what the message on this page says already. */
function refusedSection({ view, message, texts }: PageFacts): Html | false {
  const { last } = view.refusals;
  if (last === undefined || message?.notice?.code === last.notice.code) return false;
  return html`<section aria-labelledby="refused">
    <h2 id="refused">${texts.of('refused_heading')}</h2>
    <p>${texts.of('refused_explain', { at: momentText(last.at) })}</p>
    ${noticeBody(last.notice, texts)}
  </section>`;
}
