/** A product on a port of its own, with its admin page, as a browser meets it. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { licenseAdmin, nodeListener, type AdminOptions, type AuditEntry } from '../../verifier/admin/index.ts';
import type { LicenseOptions, LiveLicense } from '../../verifier/runtime/index.ts';
import { Product } from '../unit/verifier/runtime/product.ts';

export const PASSWORD = 'correct horse';

export class AdminServer {
  readonly product: Product = new Product();
  readonly audited: AuditEntry[] = [];
  license!: LiveLicense;
  #server!: Server;
  origin = '';
  seatsUsed = 212;

  async start(changes: Partial<AdminOptions> = {}, license: Partial<LicenseOptions> = {}): Promise<void> {
    this.license = await this.product.start(license);
    let serve = nodeListener(() => Promise.resolve(new Response('starting', { status: 503 })));
    this.#server = createServer((incoming, outgoing) => {
      if (incoming.url === '/entitlements') outgoing.end(JSON.stringify(this.license.entitlements));
      else if (incoming.url?.startsWith('/elsewhere') === true)
        outgoing.setHeader('content-type', 'text/html').end(this.#elsewhere());
      else serve(incoming, outgoing);
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const options: AdminOptions = {
      origin: this.origin,
      authorize: ({ headers }) =>
        /\bsession=ola\b/.test(headers.get('cookie') ?? '') ? { name: 'Ola Nordmann', session: 'ola' } : undefined,
      stepUp: ({ digest, proof }) => (proof === PASSWORD ? digest : undefined),
      audit: (entry) => {
        this.audited.push(entry);
      },
      seatsUsed: () => this.seatsUsed,
      clock: () => this.product.clock,
      ...changes,
    };
    serve = nodeListener(licenseAdmin(this.license, options));
  }

  get address(): string {
    return `${this.origin}/admin/license`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.product.remove();
  }

  /** A page of another site (the same address under another name), with a form that points at this one. */
  #elsewhere(): string {
    return `<form method="post" enctype="multipart/form-data" action="${this.address}">
      <input name="step" value="preview"><input name="pasted" value="x"><button>send</button></form>
      <iframe src="${this.address}"></iframe>`;
  }
}
