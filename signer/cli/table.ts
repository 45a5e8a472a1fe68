/** Names and values in two columns, one line each: a digest that is cut in two can be neither found nor compared. */
export function formatTable(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`);
}
