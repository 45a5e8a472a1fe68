/** What an installation would change, what was repaired, and the form that confirms it. */
import type { Repair } from '../../formats/normalize-pasted.ts';
import type { InstallPreview } from '../runtime/index.ts';
import { cautions, differences } from './differences.ts';
import { html, type Html } from './html.ts';
import { framedPage, type PageFacts } from './page.ts';
import { momentText, type Texts } from './texts.ts';

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
  const { texts, view, seatsUsed, preview, repairs, field } = facts;
  const warned = cautions(view, preview, seatsUsed, texts);
  const here = view.waiting ?? view.license;
  const isSame = here !== undefined && preview.license?.id === here.id && preview.license.counter === here.counter;
  return framedPage(facts, [
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
            <input type="text" autocomplete="username" value="${facts.operator}" hidden readonly />
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
            <td><bdi>${now}</bdi></td>
            <td><bdi>${after}</bdi>${isChanged && html` <span class="mark">${texts.of('changed')}</span>`}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
