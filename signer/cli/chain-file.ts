/** A published chain of keysets, as commands read it. */
import { TYP } from '../../formats/cose-sign1.ts';
import { decodeCoseSign } from '../../formats/cose-sign.ts';
import { VtlicError } from '../../formats/error.ts';
import { armoredBlocks, openKeysetBlock } from '../../formats/keyset/blocks.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import { readKeysetFile } from '../../files/index.ts';
import { builtInChain, extendChain, KEYSET_REASONS, type Chain } from '../../verifier/keyset/index.ts';

/**
 * Reads the chain of a file. Its first version is trusted as it is; each later one has to follow from the one before.
 *
 * @param path absolute
 * @param issuer of the site; absent: whoever made the first version
 * @throws VtlicError that names the file: `checks_failed` for a version that does not follow
 */
export function readPublishedChain(path: string, issuer?: string): Chain {
  const file = readKeysetFile(path);
  try {
    const [first] = armoredBlocks(file);
    if (first === undefined) throw new VtlicError('armor_malformed', 'the file has no keyset');
    const { iss } = decodeKeyset(decodeCoseSign(openKeysetBlock(first), TYP.keyset).payload);
    const { chain, refused } = extendChain(builtInChain(first.text, { issuer: issuer ?? iss }), file);
    if (refused === undefined) return chain;
    const { sentence, remedy } = KEYSET_REASONS[refused.reason];
    throw new VtlicError('checks_failed', `${sentence} (${refused.detail})`, { ...refused.place, hint: remedy });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}
