/**
 * The admin page of a license (docs/admin.md): what is in force, what a renewal would change, and its installation;
 * with the headers of every page, among them the Content-Security-Policy (CSP).
 *
 * ```ts
 * const admin = licenseAdmin(license, {
 *   origin: 'https://vaultdesk.example:8443',
 *   authorize: (request) => operatorOf(request),
 *   stepUp: async ({ operator, digest, proof }) => ((await isPassword(operator, proof)) ? digest : undefined),
 *   audit: (entry) => log(entry),
 * });
 * ```
 */
import { randomBytes } from 'node:crypto';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { InstallOutcome, LicenseFacts, LiveLicense } from '../runtime/index.ts';
import { baseOf, Installer, type Installation, type Installed } from './installer.ts';
import { checkOptions, MIN_SECRET_BYTES, type AdminOptions, type CheckedOptions, type Operator } from './options.ts';
import { errorPage, type Message, type PageFacts } from './page.ts';
import { decodeContent, digestOf, encodeContent, readPasted, type Pasted } from './pasted.ts';
import { previewPage } from './preview-page.ts';
import { readForm } from './read-form.ts';
import { SealedTokens } from './sealed-tokens.ts';
import { statusPage } from './status-page.ts';
import { STYLE_HASH } from './style.ts';
import { momentText, type TextName } from './texts.ts';

/**
 * Answers every request to the address of the page. It rejects where the product uses it wrongly: `authorize` returns
 * nonsense, or something else has read the body of the request.
 */
export type AdminHandler = (request: Request) => Promise<Response>;

const FORM_SECONDS = 12 * 3600;

const FORM_FAULTS = {
  400: 'error_malformed',
  408: 'error_slow',
  413: 'error_large',
  415: 'error_type',
} as const satisfies Record<number, TextName>;

interface End {
  readonly status: number;
  readonly fault: TextName;
  /** The preview is shown again, rather than the page. */
  readonly isShownAgain: boolean;
}

/** Why nothing was installed, or it is not known whether. */
const ENDS: Readonly<Record<Exclude<Installed['kind'], 'finished' | 'forged'>, End>> = {
  expired: { status: 409, fault: 'fault_preview_expired', isShownAgain: true },
  changed: { status: 409, fault: 'fault_changed', isShownAgain: true },
  not_confirmed: { status: 403, fault: 'fault_step_up', isShownAgain: true },
  used: { status: 409, fault: 'fault_preview_used', isShownAgain: false },
  unknown_use: { status: 503, fault: 'fault_use_unknown', isShownAgain: true },
  not_recorded: { status: 503, fault: 'fault_audit', isShownAgain: false },
  failed: { status: 500, fault: 'fault_failed', isShownAgain: false },
};

/** @throws VtlicError `usage` naming the option that is missing or wrong */
export function licenseAdmin(license: LiveLicense, options: AdminOptions): AdminHandler {
  if (typeof (license as Partial<LiveLicense> | undefined)?.preview !== 'function')
    throw new VtlicError('usage', 'licenseAdmin takes what openLicense() returned');
  const page = new AdminPage(license, checkOptions(options));
  return (request) => page.answer(request);
}

class AdminPage {
  readonly #license: LiveLicense;
  readonly #options: CheckedOptions;
  readonly #tokens: SealedTokens;
  readonly #installer: Installer;

  constructor(license: LiveLicense, options: CheckedOptions) {
    this.#license = license;
    this.#options = options;
    this.#tokens = new SealedTokens(options.secret ?? randomBytes(MIN_SECRET_BYTES), options.clock);
    this.#installer = new Installer(license, options, this.#tokens);
  }

  async answer(request: Request): Promise<Response> {
    const operator = await this.#authorized(request);
    if (operator === undefined) return this.#error(403, 'error_forbidden');
    if (operator instanceof Response) return operator;
    if (request.method === 'GET') return this.#status(operator);
    if (request.method === 'HEAD') {
      const { status, headers } = await this.#status(operator);
      return new Response(null, { status, headers });
    }
    if (request.method !== 'POST') return this.#error(405, 'error_method', { allow: 'GET, HEAD, POST' });
    if (!this.#isOwn(request)) return this.#error(403, 'error_cross_site');
    const form = await readForm(request, this.#options.bodySeconds);
    if (!form.ok) return this.#error(form.status, FORM_FAULTS[form.status]);
    const text = (name: string): string => {
      const value = form.fields.get(name);
      return typeof value === 'string' ? value : '';
    };
    if (text('step') === 'preview') {
      if (this.#tokens.check(text('token'), ['form', operator.session]) === 'forged')
        return this.#error(403, 'error_token');
      return this.#preview(operator, text('pasted'), form.fields.get('file'), text('token'));
    }
    const content = decodeContent(text('content'));
    if (text('step') !== 'install' || content === undefined) return this.#error(400, 'error_malformed');
    const [token, base, proof] = [text('token'), text('base'), text('proof')];
    return this.#install({ operator, request, text: content, token, base, proof });
  }

  /** An error of the product lets nobody in. @throws VtlicError `usage` for what is not an operator */
  async #authorized(request: Request): Promise<Operator | Response | undefined> {
    let operator: Operator | Response | undefined | null;
    try {
      operator = await this.#options.authorize(request);
    } catch {
      return undefined;
    }
    if (operator === undefined || operator === null) return undefined;
    if (operator instanceof Response) return operator;
    const { name, session } = operator as Partial<Operator>;
    if (typeof name !== 'string' || typeof session !== 'string' || name === '' || session === '')
      throw new VtlicError('usage', 'authorize should return {name, session}, a Response, or undefined');
    return operator;
  }

  /** A browser says where a form was sent from. Whatever does not say it has not shown this page. */
  #isOwn({ headers }: Request): boolean {
    const site = headers.get('sec-fetch-site');
    return this.#options.origins.has(headers.get('origin') ?? '') && (site === null || site === 'same-origin');
  }

  async #preview(
    operator: Operator,
    pasted: string,
    file: string | Uint8Array | undefined,
    token: string,
  ): Promise<Response> {
    const refused = (text: TextName): Promise<Response> =>
      this.#status(operator, { status: 422, message: { kind: 'bad', text: this.#options.words.of(text) }, pasted });
    if (this.#tokens.check(token, ['form', operator.session]) !== undefined) return refused('fault_form_expired');
    const read = readPasted(pasted, file);
    return typeof read === 'string' ? refused(read) : this.#previewOf(operator, read, { pasted });
  }

  /** @param given.fault why an installation of it did not happen */
  async #previewOf(
    operator: Operator,
    { text, repairs, unrepaired }: Pasted,
    given: { readonly pasted?: string; readonly fault?: TextName; readonly status?: number },
  ): Promise<Response> {
    const { words, stepUpField } = this.#options;
    const { status = 200 } = given;
    const base = baseOf(this.#license.view());
    const preview = await this.#license.preview(text);
    if (!preview.ok) {
      const { refusal } = preview;
      const why = unrepaired === undefined ? {} : { why: words.of(`paste_${unrepaired}`) };
      const message: Message = { kind: 'bad', text: words.of('refused_message'), notice: refusal, ...why };
      return this.#status(operator, { status: 422, message, ...given });
    }
    const facts = await this.#facts(operator);
    const page = previewPage({
      ...facts,
      ...(given.fault === undefined ? {} : { message: { kind: 'bad', text: words.of(given.fault) } }),
      preview,
      repairs,
      digest: digestOf(text),
      content: encodeContent(text),
      base,
      token: this.#installer.token(operator, text, base),
      field: stepUpField,
    });
    return this.#page(status, page);
  }

  async #install(asked: Installation): Promise<Response> {
    const { operator, text: content } = asked;
    const { words } = this.#options;
    const installed = await this.#installer.install(asked);
    if (installed.kind !== 'finished') {
      if (installed.kind === 'forged') return this.#error(403, 'error_token');
      const { status, fault, isShownAgain } = ENDS[installed.kind];
      if (isShownAgain) return this.#previewOf(operator, { text: content, repairs: [] }, { status, fault });
      const isUnrecorded = installed.kind === 'failed' && !installed.isRecorded;
      const text = `${words.of(fault)}${isUnrecorded ? ` ${words.of('done_not_recorded')}` : ''}`;
      return this.#status(operator, { status, message: { kind: 'bad', text } });
    }
    const { result, isRecorded, next } = installed;
    const unrecorded = isRecorded ? '' : ` ${words.of('done_not_recorded')}`;
    if (!result.ok) {
      const message: Message = {
        kind: 'bad',
        text: `${words.of('refused_message')}${unrecorded}`,
        notice: result.refusal,
      };
      return this.#status(operator, { status: 422, message });
    }
    const message: Message = {
      kind: isRecorded ? 'good' : 'bad',
      text: `${this.#doneText(result.outcome, next)}${unrecorded}`,
    };
    return this.#status(operator, { message });
  }

  #doneText(outcome: InstallOutcome, next: LicenseFacts | undefined): string {
    const { words } = this.#options;
    if (outcome === 'keyset') return words.of('done_keyset');
    if (outcome === 'in_force' || next === undefined) return words.of('done_in_force');
    return words.of('done_waiting', { from: momentText(next.from) });
  }

  async #status(
    operator: Operator,
    given: { readonly status?: number; readonly message?: Message; readonly pasted?: string } = {},
  ): Promise<Response> {
    const { message, pasted = '', status = 200 } = given;
    const facts = { ...(await this.#facts(operator)), message };
    const token = this.#tokens.make(['form', operator.session], FORM_SECONDS);
    return this.#page(status, statusPage(facts, { token, pasted }));
  }

  async #facts(operator: Operator): Promise<PageFacts> {
    const { words, seatsUsed } = this.#options;
    let used: number | 'unknown' | undefined;
    try {
      used = await seatsUsed?.();
      if (used !== undefined && !(Number.isSafeInteger(used) && used >= 0)) used = 'unknown';
    } catch {
      used = 'unknown';
    }
    return { texts: words, view: this.#license.view(), operator: cleanText(operator.name), seatsUsed: used };
  }

  #error(status: number, fault: TextName, headers: Readonly<Record<string, string>> = {}): Response {
    return this.#page(status, errorPage(this.#options.words, fault), headers);
  }

  #page(status: number, page: string, headers: Readonly<Record<string, string>> = {}): Response {
    return new Response(page, { status, headers: { ...PAGE_HEADERS, ...headers } });
  }
}

const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    `style-src '${STYLE_HASH}'`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // With `no-referrer`, browsers would send `Origin: null` with the forms of this page.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});
