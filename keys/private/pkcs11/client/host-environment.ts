/**
 * What of the officer's environment the token host sees: the variables by which modules find their configuration, and
 * nothing else. `NODE_OPTIONS` and the like could load code beside the PIN; the rest is nobody's business.
 */
import { PROFILES } from '../shared/profiles.ts';

/** HOME and the XDG folders: per-user configuration. LANG and LC_ALL: UTF-8 labels. TMPDIR: lock files of modules. */
const ALWAYS: readonly string[] = ['HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'LANG', 'LC_ALL', 'TMPDIR'];

/** The names of all variables that are passed on where they are set. */
export function passedVariables(): readonly string[] {
  return [...ALWAYS, ...PROFILES.flatMap((profile) => profile.environment)];
}

export function hostEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of passedVariables()) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}
