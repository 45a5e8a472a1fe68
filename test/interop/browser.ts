/** Debian's Chromium, driven by the pinned `playwright-core`. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installPinned } from './pinned-packages.ts';

const INSTALL_CHROMIUM = 'Chromium is needed (Debian: apt-get install -y chromium)';
const PLACES: readonly string[] = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What the tests use of playwright's page. */
export interface Tab {
  goto(url: string): Promise<{ status(): number } | null>;
  content(): Promise<string>;
  innerText(selector: string): Promise<string>;
  fill(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  focus(selector: string): Promise<void>;
  setInputFiles(selector: string, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(media: { colorScheme?: 'light' | 'dark'; forcedColors?: 'active' | 'none' }): Promise<void>;
  screenshot(options: { path?: string; fullPage?: boolean }): Promise<Buffer>;
  evaluate<T>(script: string): Promise<T>;
  waitForSelector(selector: string): Promise<unknown>;
  url(): string;
  on(name: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(name: 'pageerror', listener: (error: Error) => void): void;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
}

export interface Profile {
  newPage(): Promise<Tab>;
  addCookies(cookies: readonly { name: string; value: string; url: string }[]): Promise<void>;
  close(): Promise<void>;
}

export interface Browser {
  newContext(options: { javaScriptEnabled?: boolean; bypassCSP?: boolean }): Promise<Profile>;
  version(): string;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: readonly string[]; headless: boolean }): Promise<Browser>;
  };
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error(INSTALL_CHROMIUM);
  const { chromium } = createRequire(join(installPinned(), 'package.json'))('playwright-core') as Playwright;
  // Without a sandbox, because root runs the tests of a container; only pages of these tests are opened.
  return chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
