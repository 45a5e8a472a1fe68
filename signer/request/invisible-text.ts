/**
 * Invisible characters in texts for people that a signer is about to sign: two customers must not look alike.
 */

/**
 * Scripts in whose spelling a joiner (U+200D) or non-joiner (U+200C) between two letters changes how they look: the
 * cursive ones, and those that stack consonants.
 */
const JOINING_SCRIPTS =
  'Arabic Syriac Mandaic Nko Mongolian Adlam Hanifi_Rohingya Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu ' +
  'Kannada Malayalam Sinhala Myanmar Khmer Tibetan';
const JOINING = JOINING_SCRIPTS.split(' ')
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('');
const JOINER_IN_PLACE = new RegExp(
  `(?<=(?=[\\p{L}\\p{M}])[${JOINING}])[\\u200c\\u200d](?=(?=[\\p{L}\\p{M}])[${JOINING}])`,
  'gu',
);
/** Shown as nothing; U+FFF9 to U+FFFB only mark other text. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;

/**
 * True where the text has a code point that is shown as nothing, so that two texts could differ and look alike. A
 * joiner or non-joiner is accepted where the spelling of Persian or of an Indic language needs it: between two letters
 * or marks of such a script. A variation selector is not: the letter before it names the same without one.
 */
export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text) && INVISIBLE.test(text.replaceAll(JOINER_IN_PLACE, ''));
}
