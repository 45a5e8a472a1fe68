/** A word as a POSIX shell reads it back: as it is where that is safe, otherwise between single quotes. */
export function shellQuote(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
