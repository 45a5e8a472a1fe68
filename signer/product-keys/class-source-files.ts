/** The source files of Java and C#, where constants are members of a class. */
import type { ProductKeys } from './product-keys.ts';
import { ABOUT_CHAIN, ABOUT_KEYS, comment, headLines, quotes, textOf, textsOf } from './source-parts.ts';

/**
 * A text in pieces: the class file format allows 65,535 bytes a constant (JVMS §4.4.7), and a chain may have 16 MiB.
 * Whole lines, so that each piece can be a text block.
 */
function javaPieces(text: string): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const line of text.trimEnd().split('\n')) {
    if (piece.length + line.length > JAVA_PIECE) {
      pieces.push(piece);
      piece = '';
    }
    piece += `            ${line}\n`;
  }
  pieces.push(piece);
  return pieces;
}

/** With twelve blanks before each line, which a text block takes away again. */
const JAVA_PIECE = 60_000;

export function java(product: ProductKeys, name: string): string {
  const { issuer, version, payloadDigest, chain, keys } = product;
  const pieces = javaPieces(textOf(chain)).map((piece) => `        """\n${piece}            """`);
  const entries = keys.map((key) => {
    const { kid, alg, status, ed25519, mldsa65, products, tiers } = textsOf(key);
    return `        new LicenseKey(
            "${kid}",
            "${alg}",
            "${status}",
            "${ed25519}",
            "${mldsa65}",
            List.of(${quotes(products)}),
            List.of(${quotes(tiers)}))`;
  });
  return `${comment('//', headLines(product))}

package ${name};

import java.util.List;

public final class LicenseKeys {
    public static final String ISSUER = "${issuer}";
    public static final long KEYSET_VERSION = ${version}L;
    public static final String KEYSET_PAYLOAD_SHA256 = "${payloadDigest}";

    /** ${ABOUT_CHAIN} */
    public static final String KEYSET_CHAIN = String.join("",
${pieces.join(',\n')});

    /** ed25519 and mldsa65 are base64. */
    public record LicenseKey(
        String kid,
        String alg,
        String status,
        String ed25519,
        String mldsa65,
        List<String> products,
        List<String> tiers) {}

    /**
${comment('     *', ABOUT_KEYS)}
     */
    public static final List<LicenseKey> KEYS = List.of(
${entries.join(',\n')});

    private LicenseKeys() {}
}
`;
}

export function csharp(product: ProductKeys, name: string): string {
  const { issuer, version, payloadDigest, chain, keys } = product;
  const entries = keys.map((key) => {
    const { kid, alg, status, ed25519, mldsa65, products, tiers } = textsOf(key);
    return `            new LicenseKey(
                "${kid}",
                "${alg}",
                "${status}",
                "${ed25519}",
                "${mldsa65}",
                new string[] { ${quotes(products)} },
                new string[] { ${quotes(tiers)} }),
`;
  });
  return `${comment('//', headLines(product))}

using System.Collections.Generic;

namespace ${name}
{
    public static class LicenseKeys
    {
        public const string Issuer = "${issuer}";
        public const long KeysetVersion = ${version};
        public const string KeysetPayloadSha256 = "${payloadDigest}";

        /// <summary>${ABOUT_CHAIN}</summary>
        public const string KeysetChain = @"${textOf(chain)}";

        /// <summary>
${comment('        ///', ABOUT_KEYS)}
        /// </summary>
        public static readonly IReadOnlyList<LicenseKey> Keys = new LicenseKey[]
        {
${entries.join('')}        };
    }

    /// <summary>Ed25519 and Mldsa65 are base64.</summary>
    public sealed class LicenseKey
    {
        public LicenseKey(
            string kid, string alg, string status, string ed25519, string mldsa65,
            IReadOnlyList<string> products, IReadOnlyList<string> tiers)
        {
            Kid = kid;
            Alg = alg;
            Status = status;
            Ed25519 = ed25519;
            Mldsa65 = mldsa65;
            Products = products;
            Tiers = tiers;
        }

        public string Kid { get; }
        public string Alg { get; }
        public string Status { get; }
        public string Ed25519 { get; }
        public string Mldsa65 { get; }
        public IReadOnlyList<string> Products { get; }
        public IReadOnlyList<string> Tiers { get; }
    }
}
`;
}
