/** The content security policy of the admin page in a Chromium that runs scripts: what it would stop, it does stop. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../unit/verifier/runtime/product.ts';
import { licenseFile } from '../unit/verifier/sample.ts';
import { AdminServer, PASSWORD } from './admin-server.ts';
import { openBrowser, type Browser, type Profile, type Tab } from './browser.ts';

let browser: Browser;
let profile: Profile;
let tab: Tab;
let server: AdminServer;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = new AdminServer();
  await server.product.dropLicense({ ctr: 7 });
  await server.start();
  profile = await browser.newContext({});
  await profile.addCookies([{ name: 'session', value: 'ola', url: server.origin }]);
  tab = await profile.newPage();
  await tab.goto(server.address);
});
afterEach(async () => {
  await profile.close();
  await server.stop();
});

/** The directive that stops what the script does; "ran" where nothing stops it. */
function stoppedBy(script: string): Promise<string> {
  return tab.evaluate(`new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
    window.ran = () => resolve('ran');
    setTimeout(() => resolve('nothing was stopped'), 5000);
    ${script}
  })`);
}

describe('in a browser, markup that got into the page after all', () => {
  it.each([
    [
      'a script',
      `const s = document.createElement('script'); s.text = 'ran()'; document.body.append(s);`,
      'script-src-elem',
    ],
    [
      'a script of a file',
      `const s = document.createElement('script'); s.src = '/x.js'; document.body.append(s);`,
      'script-src-elem',
    ],
    [
      'an event handler',
      `document.body.insertAdjacentHTML('beforeend', '<p onclick="ran()" id="x">x</p>'); x.click();`,
      'script-src-attr',
    ],
    ['an image', `document.body.insertAdjacentHTML('beforeend', '<img src="/x.png">');`, 'img-src'],
    ['a frame', `document.body.insertAdjacentHTML('beforeend', '<iframe src="/x"></iframe>');`, 'frame-src'],
    [
      'a style',
      `document.head.insertAdjacentHTML('beforeend', '<style>body{display:none}</style>');`,
      'style-src-elem',
    ],
    [
      'a style of an element',
      `document.body.insertAdjacentHTML('beforeend', '<p style="color:red">x</p>');`,
      'style-src-attr',
    ],
    ['a request', `fetch('/entitlements').then(() => ran(), () => undefined);`, 'connect-src'],
    [
      'another base',
      `document.head.insertAdjacentHTML('beforeend', '<base href="https://evil.example/">');`,
      'base-uri',
    ],
    [
      'a form to elsewhere',
      `document.forms[0].action = 'http://127.0.0.1:9/'; document.forms[0].submit();`,
      'form-action',
    ],
  ])('%s does nothing', async (_what, script, directive) => {
    expect(await stoppedBy(script)).toBe(directive);
  });

  it('is noticed by this test: the same script without the policy runs', async () => {
    const open = await browser.newContext({ bypassCSP: true });
    await open.addCookies([{ name: 'session', value: 'ola', url: server.origin }]);
    tab = await open.newPage();
    await tab.goto(server.address);
    const script = `const s = document.createElement('script'); s.text = 'ran()'; document.body.append(s);`;
    expect(await stoppedBy(script)).toBe('ran');
    await open.close();
  });
});

describe('in a browser, the links of the page', () => {
  it('lead back to it from a preview and from an error, and send nothing', async () => {
    await tab.fill('#pasted', textOf(await licenseFile({ ctr: 8, seats: 400 })));
    await tab.click('button');
    await tab.waitForSelector('#proof');
    await tab.click('a.button');
    await tab.waitForSelector('#pasted');
    expect(new URL(tab.url()).pathname).toBe(new URL(server.address).pathname);
    expect(server.audited).toEqual([]);
    await tab.fill('#pasted', 'nonsense');
    await tab.click('button');
    await tab.waitForSelector('[role=alert]');
    await tab.fill('#pasted', textOf(await licenseFile({ ctr: 8, seats: 400 })));
    await tab.click('button');
    await tab.fill('#proof', PASSWORD);
    await tab.click('button');
    await tab.waitForSelector('[role=status]');
    expect(server.license.entitlements?.seats).toBe(400);
  });
});
