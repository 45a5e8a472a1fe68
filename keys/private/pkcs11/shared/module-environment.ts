/** Environment variables that a keystore declares, because its module needs them. */
/** What a keystore declares for its module: a variable's value, or `true` for the officer's own. */
export type ModuleEnvironment = Readonly<Record<string, string | true>>;

/** True for a variable that by its name is the path of a configuration file. */
export function namesFile(name: string): boolean {
  return /(?:_CONF|_CFG|_CONFIG|_CONFIG_FILE)$/.test(name);
}

/** What is wrong with a variable that a keystore declares, to follow its name; undefined for one that may be passed. */
export function declarationFault(name: string, value: string | true): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return 'is not the name of an environment variable';
  if (/^(?:NODE|LD|DYLD|BASH)_|^(?:PATH|ENV|IFS|SHELLOPTS)$/.test(name))
    return 'is not passed to a token host: it could load other code beside the PIN';
  if (/(?:^|_)(?:PIN|PASS|PASSWORD|PASSPHRASE|SECRET)(?:_|$)/i.test(name))
    return 'looks like a secret, and a secret is given only by --secret';
  if (value === true) return undefined;
  if (value === '' || /\p{Cc}/u.test(value)) return 'should have a value without control characters';
  const isRelative = /^\.{1,2}\//.test(value) || (namesFile(name) && !value.startsWith('/'));
  return isRelative ? 'should be an absolute path' : undefined;
}
