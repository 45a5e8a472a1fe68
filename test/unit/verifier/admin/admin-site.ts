/** A product with its admin page, and an operator who sends its forms. */
import {
  licenseAdmin,
  type AdminHandler,
  type AdminOptions,
  type AuditEntry,
} from '../../../../verifier/admin/index.ts';
import type { LicenseOptions, LiveLicense } from '../../../../verifier/runtime/index.ts';
import { Product } from '../runtime/product.ts';

export const ORIGIN = 'https://vaultdesk.example:8443';
export const PASSWORD = 'correct horse';
export const CRLF: (text: string) => string = (text) => text.replaceAll('\n', '\r\n');

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** What a person reads: no tags, one blank between words. */
  readonly text: string;
  /** The hidden fields of its form. */
  readonly fields: Readonly<Record<string, string>>;
}

export class AdminSite {
  readonly product: Product = new Product();
  readonly audited: AuditEntry[] = [];
  license!: LiveLicense;
  handler!: AdminHandler;
  session = 'session-1';

  async start(options: Partial<AdminOptions> = {}, license: Partial<LicenseOptions> = {}): Promise<void> {
    this.license = await this.product.start(license);
    this.handler = licenseAdmin(this.license, this.options(options));
  }

  options(changes: Partial<AdminOptions> = {}): AdminOptions {
    return {
      origin: ORIGIN,
      authorize: ({ headers }) =>
        headers.get('cookie') === 'signed-in' ? { name: 'Ola <b>Nordmann</b>', session: this.session } : undefined,
      stepUp: ({ digest, proof }) => (proof === PASSWORD ? digest : undefined),
      audit: (entry) => {
        this.audited.push(entry);
      },
      clock: () => this.product.clock,
      ...changes,
    };
  }

  get(): Promise<Page> {
    return this.send(new Request(`${ORIGIN}/license`, { headers: { cookie: 'signed-in' } }));
  }

  post(
    fields: Readonly<Record<string, string | Blob>>,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Page> {
    return this.send(formRequest(fields, headers));
  }

  async send(request: Request): Promise<Page> {
    const response = await this.handler(request);
    const html = await response.text();
    return { status: response.status, headers: response.headers, html, text: textOfPage(html), fields: fieldsOf(html) };
  }

  async preview(pasted: string): Promise<Page> {
    const { fields } = await this.get();
    return this.post({ ...fields, pasted: CRLF(pasted), file: new Blob([]) });
  }

  confirm(preview: Page, proof: string = PASSWORD): Promise<Page> {
    return this.post({ ...preview.fields, proof });
  }

  async install(pasted: string): Promise<Page> {
    return this.confirm(await this.preview(pasted));
  }
}

export function formRequest(
  fields: Readonly<Record<string, string | Blob>>,
  headers: Readonly<Record<string, string | undefined>> = {},
): Request {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const all = { cookie: 'signed-in', origin: ORIGIN, 'sec-fetch-site': 'same-origin', ...headers };
  const sent = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new Request(`${ORIGIN}/license`, { method: 'POST', headers: sent, body });
}

function fieldsOf(html: string): Readonly<Record<string, string>> {
  const fields = html.matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]));
}

function textOfPage(html: string): string {
  return html
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
