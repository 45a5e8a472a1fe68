import { isId } from '../formats/license/id.ts';
import type { License } from '../formats/license/license.ts';

/**
 * The lineage in which a counter counts, as one text: `iss/aud/sub`, or `iss/aud/sub/dep` for a license with a deployment.
 * An id has no slash, so two lineages never share a text, and an absent dep is a value of its own.
 */
export function lineageKey(license: Pick<License, 'iss' | 'aud' | 'sub' | 'dep'>): string {
  const { iss, aud, sub, dep } = license;
  return dep === undefined ? `${iss}/${aud}/${sub}` : `${iss}/${aud}/${sub}/${dep}`;
}

/** Is this the text of a lineage: three or four ids with slashes between? */
export function isLineage(text: string): boolean {
  const parts = text.split('/');
  return (parts.length === 3 || parts.length === 4) && parts.every(isId);
}
