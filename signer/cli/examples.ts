/**
 * Examples of the commands whose own module has none, for `vtlic help COMMAND` and the manual. Loaded only for a help
 * text. Words in capitals are placeholders.
 */
export const EXAMPLES: ReadonlyMap<string, readonly string[]> = new Map([
  ['init', ['vtlic init my-site --issuer example-vendor --anchor /media/usb/anchor']],
  ['key generate', ['vtlic key generate --name license-1', 'vtlic key generate --name ledger-1 --purpose ledger']],
  ['key list', ['vtlic key list']],
  ['key show', ['vtlic key show license-1']],
  ['key export', ['vtlic key export license-1 --out vendor.pem', 'vtlic key export license-1 --form env']],
  ['key check', ['vtlic key check license-1']],
  ['renew', ['vtlic renew acme-gmbh --years 1', 'vtlic renew acme-gmbh --seats 300 --reference PO-4712']],
  ['batch', ['vtlic batch season.csv --name season-2027', 'vtlic batch --template > orders.csv']],
  ['release', ['vtlic release 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112']],
  ['ledger status', ['vtlic ledger status']],
  ['ledger verify', ['vtlic ledger verify', 'vtlic ledger verify /media/usb/ledger.sqlite']],
  ['ledger export', ['vtlic ledger export > audit.jsonl']],
  ['ledger checkpoint', ['vtlic ledger checkpoint > checkpoint.txt']],
  ['ledger prove', ['vtlic ledger prove 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112 --beside']],
  ['ledger check', ['vtlic ledger check acme.vtlic.tlog-proof --license acme.vtlic']],
  ['ledger backup', ['vtlic ledger backup /media/usb/ledger-2027-01-15.sqlite']],
  ['ledger anchor', ['vtlic ledger anchor --to /media/usb/anchor', 'vtlic ledger anchor --to token:hsm']],
  ['ledger restore', ['vtlic ledger restore /media/usb/ledger-2027-01-15.sqlite --license out/']],
  ['counters import', ['vtlic counters import acme.counters --trust other-site.pem']],
  ['counters reopen', ['vtlic counters reopen --customer acme-gmbh']],
  [
    'verify',
    [
      'vtlic verify acme.vtlic --product vaultdesk --trust vendor.pem',
      'vtlic verify - --product vaultdesk --deployment prod-eu < acme.vtlic',
    ],
  ],
  ['hsm list', ['vtlic hsm list --module /usr/lib/softhsm/libsofthsm2.so']],
  ['hsm keys', ['vtlic hsm keys hsm']],
  ['hsm doctor', ['vtlic hsm doctor hsm']],
]);
