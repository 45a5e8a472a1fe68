/** A simulation as a picture: keys, releases and refusals over time (SVG 1.1, for light and dark). */
import { utf8 } from '../../formats/bytes.ts';
import { groupDigits } from '../../formats/clean-text.ts';
import { formatDay } from '../../formats/dates.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { kidOfKey } from '../keyset/changes.ts';
import type { DailyRefusals } from './daily.ts';
import type { Simulation } from './simulate.ts';

const WIDTH = 1120;
const LEFT = 230;
const RIGHT = 24;
const ROW = 30;
const BAR = 16;
const TOP = 84;
const LABEL_CHARACTERS = 30;

const STYLE = `
svg { font: 13px system-ui, sans-serif; --page: #ffffff; --text: #1f2328; --faint: #59636e; --line: #d1d9e0;
  --pre-published: #b6c8e3; --active: #1f6feb; --retired: #a8b1ba; --revoked: #57606a; --release: #d8e5d6;
  --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
  svg { --page: #0d1117; --text: #f0f6fc; --faint: #9198a1; --line: #3d444d;
    --pre-published: #2d4a73; --active: #4493f8; --retired: #59636e; --revoked: #b1bac4; --release: #2b4229;
    --bad: #f85149; }
}
text { fill: var(--text); } .faint { fill: var(--faint); font-size: 12px; }
.title { font-size: 17px; font-weight: 600; }
line { stroke: var(--line); } .step { stroke: var(--faint); stroke-dasharray: 3 3; }
`;

/** @param nameOfKey how people call a key; undefined: its kid is shown */
export function timelineSvg(
  simulation: Simulation,
  daily: readonly DailyRefusals[],
  nameOfKey: (kid: string) => string | undefined,
): Uint8Array {
  const { from, until, versions, releases, lineages } = simulation;
  const x = (time: number): number => {
    const share = (Math.min(Math.max(time, from), until) - from) / (until - from);
    return Math.round((LEFT + share * (WIDTH - LEFT - RIGHT)) * 10) / 10;
  };
  const parts: string[] = [];
  let y = TOP;
  const row = (label: string, draw: (y: number) => void): void => {
    parts.push(text(12, y + BAR - 3, shortened(label)));
    draw(y);
    y += ROW;
  };
  const heading = (words: string): void => {
    parts.push(text(12, y + BAR - 3, words, 'faint'));
    y += ROW - 6;
  };

  heading('keys that sign licenses');
  for (const [kid, spans] of keySpans(simulation))
    row(nameOfKey(kid) ?? `${kid.slice(0, 12)}…`, (at) => {
      for (const span of spans)
        parts.push(bar(x(span.from), x(span.until), at, span.status, `${span.status}, from ${formatDay(span.from)}`));
    });
  heading('releases in the field, and licenses that they would refuse');
  for (const release of releases)
    row(release.name, (at) => {
      parts.push(bar(x(release.from), x(release.until ?? until), at, 'release', release.name));
      for (const each of daily.filter((one) => one.release === release.name)) {
        const words = `${groupDigits(each.customers)} refused (${each.reason}), ${formatDay(each.from)}`;
        const share = each.customers / Math.max(lineages, 1);
        parts.push(bar(x(each.from), Math.max(x(each.until), x(each.from) + 2), at, 'bad', words, 0.4 + 0.6 * share));
      }
    });

  const bottom = y + 4;
  const steps = versions.filter(({ from: at, steps: words }) => words.length > 0 && at >= from && at < until);
  const below = steps.map(({ from: at, steps: words, keyset }, i) => {
    parts.push(`<line class="step" x1="${x(at)}" x2="${x(at)}" y1="${TOP - 8}" y2="${bottom}"/>`);
    parts.push(text(x(at) - 4, TOP - 12, String(i + 1), 'faint'));
    return text(
      12,
      bottom + 42 + i * 18,
      `${i + 1}  ${formatDay(at)}: version ${keyset.version}: ${words.join('; ')}`,
      'faint',
    );
  });
  const ticks = yearsBetween(from, until).map(
    (at) =>
      `<line x1="${x(at)}" x2="${x(at)}" y1="${TOP - 8}" y2="${bottom}"/>` +
      text(x(at) + 4, bottom + 16, formatDay(at), 'faint'),
  );
  const height = bottom + 60 + below.length * 18;
  const verdict = daily.length === 0 ? 'No license is refused' : 'LICENSES ARE REFUSED';
  const days = `${formatDay(from)} to ${formatDay(until - DAY_SECONDS)}`;
  const title = `${verdict}, ${days}, ${groupDigits(lineages)} customers`;
  return utf8(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
      `role="img" aria-label="${escaped(title)}">\n<style>${STYLE}</style>\n` +
      `<rect width="${WIDTH}" height="${height}" fill="var(--page)"/>\n` +
      `${text(12, 28, title, 'title')}\n${legend()}\n${[...ticks, ...parts, ...below].join('\n')}\n</svg>\n`,
  );
}

interface StatusSpan {
  readonly status: string;
  readonly from: number;
  readonly until: number;
}

function keySpans({ versions, from, until }: Simulation): ReadonlyMap<string, readonly StatusSpan[]> {
  const all = new Map<string, StatusSpan[]>();
  for (const [i, { keyset, from: at }] of versions.entries()) {
    const end = versions[i + 1]?.from ?? until;
    if (end <= from) continue;
    for (const key of keyset.keys) {
      if (key.purpose !== 'license') continue;
      const kid = kidOfKey(key);
      const spans = all.get(kid) ?? [];
      const last = spans.at(-1);
      if (last?.status === key.status) spans[spans.length - 1] = { ...last, until: end };
      else spans.push({ status: key.status, from: Math.max(at, from), until: end });
      all.set(kid, spans);
    }
  }
  return all;
}

function yearsBetween(from: number, until: number): readonly number[] {
  const first = new Date(from * 1000).getUTCFullYear() + 1;
  const last = new Date(until * 1000).getUTCFullYear();
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Date.UTC(first + i, 0, 1) / 1000).filter(
    (at) => at > from && at < until,
  );
}

function legend(): string {
  const words = ['pre-published', 'active', 'retired', 'revoked', 'release', 'bad'];
  return words
    .map((word, i) => {
      const at = LEFT + i * 140;
      const label = word === 'bad' ? 'licenses refused' : word === 'release' ? 'in the field' : word;
      const square = `<rect x="${at}" y="40" width="12" height="12" rx="3" fill="var(--${word})"/>`;
      return square + text(at + 18, 51, label, 'faint');
    })
    .join('');
}

function bar(from: number, until: number, y: number, color: string, words: string, opacity = 1): string {
  const width = Math.max(0, Math.round((until - from) * 10) / 10);
  const fill = `fill="var(--${color})" fill-opacity="${opacity.toFixed(2)}"`;
  const rectangle = `<rect x="${from}" y="${y}" width="${width}" height="${BAR}" rx="3" ${fill}>`;
  return `${rectangle}<title>${escaped(words)}</title></rect>`;
}

function text(x: number, y: number, words: string, kind?: string): string {
  return `<text x="${x}" y="${y}"${kind === undefined ? '' : ` class="${kind}"`}>${escaped(words)}</text>`;
}

function shortened(label: string): string {
  const characters = Array.from(label);
  return characters.length <= LABEL_CHARACTERS ? label : `${characters.slice(0, LABEL_CHARACTERS - 1).join('')}…`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
