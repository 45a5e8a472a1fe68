/** Changes of a regular expression: an anchor or a quantifier less, and a bound of a quantifier moved by one. */

const PART = /\\.|\[(?:\\.|[^\]\\])*\]|\^|\$|\{(\d+)(,?)(\d*)\}|[*+]|\?(?![:=!<])|\((?:\?(?:[:=!]|<[=!]?))?|./gu;

export function changesOfPattern(pattern: string): readonly string[] {
  const changed: string[] = [];
  for (const match of pattern.matchAll(PART)) {
    const [part, least, comma, most] = match;
    const replaceBy = (text: string): void => {
      changed.push(pattern.slice(0, match.index) + text + pattern.slice(match.index + part.length));
    };
    const before = pattern[match.index - 1] ?? '';
    if (part === '^' || part === '$') replaceBy('');
    else if (part === '?' && /[*+?}]/.test(before)) continue;
    else if (part === '*' || part === '+' || part === '?') replaceBy('');
    else if (least !== undefined) {
      const [low, high] = [Number(least), most === undefined || most === '' ? undefined : Number(most)];
      if (comma === '') replaceBy(`{${low + 1}}`);
      if (low > 0) replaceBy(`{${low - 1}${comma ?? ''}${most ?? ''}}`);
      if (comma !== '' && (high === undefined || low < high)) replaceBy(`{${low + 1},${most ?? ''}}`);
      if (high !== undefined) replaceBy(`{${low},${high + 1}}`);
      if (high !== undefined && low < high) replaceBy(`{${low},${high - 1}}`);
    }
  }
  return [...new Set(changed)];
}
