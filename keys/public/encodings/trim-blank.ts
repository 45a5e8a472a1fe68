const BLANK = ' \t\r\n';

/** Without the blanks and line ends around it. `trim()` would also take a byte order mark and a no-break space away. */
export function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANK.includes(text.charAt(start))) start++;
  while (end > start && BLANK.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
