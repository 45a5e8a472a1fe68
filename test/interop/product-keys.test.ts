/**
 * The source files of `vtlic keyset export` are compiled and run in each language, and print what is in them. Node runs
 * the TypeScript file in `npm test` (test/cli/keyset-export.test.ts).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64 } from '../../formats/base64.ts';
import { sha256Hex } from '../../files/index.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { productKeysOf, type ProductKeys } from '../../signer/product-keys/product-keys.ts';
import { sourceFile, type SourceLanguage } from '../../signer/product-keys/source-files.ts';
import { builtInChain } from '../../verifier/keyset/index.ts';
import { KEYSET_ISSUER } from '../../conformance/examples/keysets.ts';
import { PRODUCT_CHAIN } from '../support/product-chain.ts';

let folder: string;
let product: ProductKeys;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-product-keys-'));
  product = productKeysOf(builtInChain(PRODUCT_CHAIN, { issuer: KEYSET_ISSUER }));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Language {
  readonly language: SourceLanguage;
  /** Where the exported file goes. */
  readonly file: string;
  /** A program that prints all of it: issuer, version, digest, chain, and a line for each key. */
  readonly programs: Readonly<Record<string, string>>;
  readonly commands: readonly (readonly string[])[];
  /** What the machine lacks where a command cannot be started. */
  readonly needed: string;
  readonly package?: string;
}

const LANGUAGES: readonly Language[] = [
  {
    language: 'python',
    file: 'license_keys.py',
    programs: {
      'main.py': `import license_keys as k
print(k.ISSUER, k.KEYSET_VERSION, k.KEYSET_PAYLOAD_SHA256)
for key in k.KEYS:
    print(key["kid"], key["alg"], key["status"], key["ed25519"], key["mldsa65"] or "-", ",".join(key["products"]) or "-", ",".join(key["tiers"]) or "-")
print(k.KEYSET_CHAIN, end="")
`,
    },
    commands: [['python3', 'main.py']],
    needed: 'Python 3 is needed (Debian: apt-get install -y python3)',
  },
  {
    language: 'go',
    file: 'licensekeys/keys.go',
    programs: {
      'go.mod': 'module example\n\ngo 1.19\n',
      'main.go': `package main

import (
	"fmt"
	"strings"

	"example/licensekeys"
)

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func main() {
	fmt.Println(licensekeys.Issuer, licensekeys.KeysetVersion, licensekeys.KeysetPayloadSHA256)
	for _, k := range licensekeys.Keys {
		fmt.Println(k.Kid, k.Alg, k.Status, k.Ed25519, or(k.MLDSA65), or(strings.Join(k.Products, ",")), or(strings.Join(k.Tiers, ",")))
	}
	fmt.Print(licensekeys.KeysetChain)
}
`,
    },
    commands: [
      ['go', 'vet', './...'],
      ['go', 'run', '.'],
    ],
    needed: 'Go 1.24 or later is needed (Debian 13: apt-get install -y golang-go)',
  },
  {
    language: 'rust',
    file: 'keys.rs',
    programs: {
      'main.rs': `mod keys;

fn base64(bytes: &[u8]) -> String {
    const A: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let n = part.iter().fold(0u32, |n, b| n << 8 | *b as u32) << (8 * (3 - part.len()));
        for i in 0..4 {
            text.push(if i > part.len() { '=' } else { A[(n >> (18 - 6 * i) & 63) as usize] as char });
        }
    }
    if text.is_empty() { "-".to_string() } else { text }
}

fn or(list: &[&str]) -> String {
    if list.is_empty() { "-".to_string() } else { list.join(",") }
}

fn main() {
    println!("{} {} {}", keys::ISSUER, keys::KEYSET_VERSION, keys::KEYSET_PAYLOAD_SHA256);
    for k in keys::KEYS {
        println!("{} {} {} {} {} {} {}", k.kid, k.alg, k.status, base64(k.ed25519), base64(k.mldsa65), or(k.products), or(k.tiers));
    }
    print!("{}", keys::KEYSET_CHAIN);
}
`,
    },
    commands: [['rustc', '--edition', '2021', '-D', 'warnings', '-o', 'main', 'main.rs'], ['./main']],
    needed: 'Rust is needed (Debian: apt-get install -y cargo)',
  },
  {
    language: 'java',
    file: 'com/example/license/LicenseKeys.java',
    package: 'com.example.license',
    programs: {
      'Main.java': `import com.example.license.LicenseKeys;

public class Main {
    static String or(String text) {
        return text.isEmpty() ? "-" : text;
    }

    public static void main(String[] args) {
        System.out.println(LicenseKeys.ISSUER + " " + LicenseKeys.KEYSET_VERSION + " " + LicenseKeys.KEYSET_PAYLOAD_SHA256);
        for (LicenseKeys.LicenseKey k : LicenseKeys.KEYS)
            System.out.println(String.join(" ", k.kid(), k.alg(), k.status(), k.ed25519(), or(k.mldsa65()),
                or(String.join(",", k.products())), or(String.join(",", k.tiers()))));
        System.out.print(LicenseKeys.KEYSET_CHAIN);
    }
}
`,
    },
    commands: [
      ['javac', '-Werror', '-Xlint:all', 'Main.java', 'com/example/license/LicenseKeys.java'],
      ['java', 'Main'],
    ],
    needed: 'Java 17 or later is needed (Debian: apt-get install -y default-jdk-headless)',
  },
  {
    language: 'csharp',
    file: 'LicenseKeys.cs',
    package: 'Example.License',
    programs: {
      'Program.cs': `using System;
using Example.License;

public static class Program
{
    static string Or(string text) { return text == "" ? "-" : text; }

    public static void Main()
    {
        Console.WriteLine(LicenseKeys.Issuer + " " + LicenseKeys.KeysetVersion + " " + LicenseKeys.KeysetPayloadSha256);
        foreach (var k in LicenseKeys.Keys)
            Console.WriteLine(string.Join(" ", k.Kid, k.Alg, k.Status, k.Ed25519, Or(k.Mldsa65),
                Or(string.Join(",", k.Products)), Or(string.Join(",", k.Tiers))));
        Console.Write(LicenseKeys.KeysetChain);
    }
}
`,
    },
    commands: [
      ['mcs', '-warnaserror', '-out:program.exe', 'Program.cs', 'LicenseKeys.cs'],
      ['mono', 'program.exe'],
    ],
    needed: 'Mono is needed (Debian: apt-get install -y mono-mcs)',
  },
];

describe.each(LANGUAGES)('the $language file', ({ language, file, programs, commands, needed, package: name }) => {
  it.each([1, 40])('compiles, and has the chain (%i times as long) and every key', (times) => {
    const whole = { ...product, chain: repeated(product.chain, times) };
    const place = join(folder, `${language}-${times}`);
    mkdirSync(dirname(join(place, file)), { recursive: true });
    writeFileSync(join(place, file), sourceFile(whole, language, name));
    for (const [path, text] of Object.entries(programs)) writeFileSync(join(place, path), text);
    let printed = '';
    for (const [program = '', ...args] of commands) {
      const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off' };
      const done = spawnSync(program, args, { cwd: place, env, encoding: 'utf8', maxBuffer: 1 << 26 });
      if (done.error !== undefined) throw new Error(needed, { cause: done.error });
      expect([done.status, done.stderr]).toEqual([0, '']);
      printed = done.stdout;
    }
    const lines = printed.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      `${product.issuer} 7 ${product.payloadDigest}`,
      ...product.keys.map(({ publicKey, status, products, tiers }) =>
        [
          publicKey.kid,
          publicKey.alg,
          status,
          encodeBase64(publicKey.ed25519),
          mldsa65Of(publicKey),
          products?.join(',') ?? '-',
          tiers?.join(',') ?? '-',
        ].join(' '),
      ),
    ]);
    expect(sha256Hex(new TextEncoder().encode(lines.slice(4).join('\n')))).toBe(sha256Hex(whole.chain));
  });
});

function mldsa65Of({ mldsa65 }: PublicKey): string {
  return mldsa65 === undefined ? '-' : encodeBase64(mldsa65);
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return new Uint8Array(Buffer.concat(Array.from({ length: times }, () => bytes)));
}
