/**
 * What a product calls once, at its start (docs/runtime.md).
 *
 * ```ts
 * const license = await openLicense({ environment: process.env, issuer: 'example-vendor', product: 'vaultdesk', keys,
 *   buildDate: 1_798_761_600, freeTier: { tier: 'free', seats: 3, features: [], limits: {} } });
 * license.on('change', ({ entitlements }) => apply(entitlements));
 * ```
 */
import { NO_REFUSALS, type Entitlements, type LicenseState, type LicenseView } from './entitlements.ts';
import { Listeners, type RuntimeEvents } from './events.ts';
import type { InstallPreview, InstallResult } from './install.ts';
import type { LicenseSource } from './license-source.ts';
import { notice, shownError, type Notice } from './notices.ts';
import { runtimeParts, type LicenseOptions } from './options.ts';
import { Runtime } from './runtime.ts';

/** A license in a running product. It keeps no process alive. */
export interface LiveLicense {
  /** Frozen; another value after each change. Undefined in the mode `saas`. */
  readonly entitlements: Entitlements | undefined;
  readonly state: LicenseState;
  /** The next time at which something changes by itself, in seconds since 1970. */
  readonly nextChange: number | undefined;
  /** @returns a function that ends the calls */
  on<Name extends keyof RuntimeEvents>(name: Name, listener: (value: RuntimeEvents[Name]) => void): () => void;
  /** A license that someone pasted, with keysets or without: verified and written, or refused with nothing changed. */
  install(text: string): Promise<InstallResult>;
  /** What `install` of this text would do, found out without changing anything. */
  preview(text: string): Promise<InstallPreview>;
  /** For an admin page. */
  view(): LicenseView;
  /** Looks for changes now, rather than within a minute. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @throws VtlicError `license_refused` where a product in production must not start, `configuration_invalid` for a
 *   variable that is wrong, `usage` for an option that is. The hint says what to do; `cause` of `license_refused` is a
 *   `Notice` with the code
 */
export async function openLicense(options: LicenseOptions): Promise<LiveLicense> {
  const parts = runtimeParts(options);
  if (parts === undefined) return notApplicable();
  const listeners = new Listeners();
  const runtime = new Runtime(parts, (name, value) => {
    listeners.call(name, value);
  });
  try {
    await runtime.start();
  } catch (error) {
    await runtime.close();
    throw error;
  }
  return live(runtime, parts.source, listeners);
}

const MAX_PAUSE_SECONDS = 60;
/** A file that is being copied is not read at its first byte. */
const SETTLE_MILLISECONDS = 200;

function live(runtime: Runtime, source: LicenseSource, listeners: Listeners): LiveLicense {
  let timer: NodeJS.Timeout | undefined;
  let due = Infinity;
  let isClosed = false;
  /** Only ever brings the timer forward: a folder in which something changes all the time must not put it off. */
  const wake = (delay: number): void => {
    if (isClosed || performance.now() + delay >= due) return;
    clearTimeout(timer);
    due = performance.now() + delay;
    timer = setTimeout(run, delay);
    timer.unref();
  };
  const rest = (): void => {
    due = Infinity;
    wake(pauseOf(runtime) * 1000);
  };
  const refresh = (): Promise<void> => runtime.tick().finally(rest);
  let failure = '';
  const run = (): void => {
    refresh().then(
      () => (failure = ''),
      (error: unknown) => {
        const detail = shownError(error);
        if (detail !== failure) listeners.call('warning', notice('refresh_failed', detail));
        failure = detail;
      },
    );
  };
  const unwatch = source.watch(() => {
    wake(SETTLE_MILLISECONDS);
  });
  rest();
  for (const warning of runtime.view().warnings) listeners.callLater('warning', warning);
  return Object.freeze<LiveLicense>({
    get entitlements() {
      return runtime.entitlements;
    },
    get state() {
      return runtime.state;
    },
    get nextChange() {
      return runtime.nextChange;
    },
    on: (name, listener) => listeners.add(name, listener),
    install: async (text) => {
      const result = await runtime.install(text);
      rest();
      return result;
    },
    preview: (text) => runtime.preview(text),
    view: () => runtime.view(),
    refresh,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      unwatch();
      await runtime.close();
    },
  });
}

/** Seconds until something changes by itself, at most a minute; a minute also where the product's own clock fails. */
function pauseOf(runtime: Runtime): number {
  try {
    return Math.min(MAX_PAUSE_SECONDS, runtime.secondsToChange);
  } catch {
    return MAX_PAUSE_SECONDS;
  }
}

const SAAS_REFUSAL: Notice = notice('install_not_possible', 'DEPLOYMENT_MODE is saas, where no license is installed', {
  place: 'saas',
});
export const SAAS_VIEW: LicenseView = Object.freeze({
  state: 'not_applicable',
  entitlements: undefined,
  warnings: Object.freeze([]),
  place: 'nowhere: DEPLOYMENT_MODE is saas',
  location: Object.freeze({ kind: 'saas' }),
  installFault: SAAS_REFUSAL,
  refusals: NO_REFUSALS,
});

/** The mode `saas`: no entitlement comes from a file. */
function notApplicable(): LiveLicense {
  const view = SAAS_VIEW;
  const refusal = SAAS_REFUSAL;
  return Object.freeze<LiveLicense>({
    entitlements: undefined,
    state: 'not_applicable',
    nextChange: undefined,
    on: () => () => undefined,
    install: () => Promise.resolve({ ok: false, refusal }),
    preview: () => Promise.resolve({ ok: false, refusal }),
    view: () => view,
    refresh: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
}
