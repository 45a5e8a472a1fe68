/**
 * A digest as words, for two people to compare over a telephone: one word a byte, 32 words for a SHA-256.
 *
 * The list is this project's own: 256 common English words of 4 to 8 letters, no two with the same first three letters,
 * in alphabetical order, so that a word's place is its byte.
 */
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';

const WORDS: readonly string[] = Object.freeze(
  `
acorn adobe agenda album almond amber anchor apple april arctic armor arrow aspen atlas august autumn
avenue awning bacon badger bagel bamboo banjo barrel basket bear bedrock belt bench berry bicycle birch
bishop blanket blossom bluebell board bonnet border bottle branch breeze bridge bronze bucket buffalo bugle button
cabin cactus camera candle captain carbon castle cedar cello chapel cheese chimney cinema circus citrus clarinet
clever clock cobalt coffee comet copper coral cotton cradle cricket crystal cube curtain daisy delta denim
desert diamond dinner doctor dolphin donkey dragon drum eagle echo eclipse emerald engine equator fabric falcon
farmer fiddle figure flower flute forest fossil garden gazelle ginger giraffe glacier globe golden gorilla green
grizzly guitar hammer harbor helmet honey horizon hotel hunter iceberg igloo indigo iron island ivory jacket
jasmine jewel journey jungle kayak kernel kettle kitchen kiwi knight ladder lagoon lantern lemon leopard library
lilac lizard lobster magnet mango maple marble meadow medal mercury meteor mirror mosaic moth mountain museum
narwhal nectar nickel noble north nutmeg oasis ocean octopus olive onion opera orange orbit orchid osprey
otter oxygen oyster palace panda parrot pasta peanut pelican pencil pepper piano pigeon pillow pirate planet
plum polar pony prairie prism pumpkin puzzle pyramid quarry rabbit radish raven ribbon ripple river robin
rocket rooster saddle salmon sandal saturn school seashell shadow silver siren spider sponge spring squirrel stable
summer swallow tablet tavern teacup temple thunder ticket tiger tofu tomato trumpet tulip turtle umbrella unicorn
valley velvet village volcano wagon walnut water weasel whale window wolf yacht yellow zebra zenith zipper
`
    .trim()
    .split(/\s+/),
);

const WORDS_A_LINE = 8;

/** The words of a digest of 64 hex digits, in the order of its bytes. */
export function digestWords(digest: string): readonly string[] {
  const bytes = fromHex(digest);
  if (bytes === undefined) throw new VtlicError('internal', 'a digest is hex digits');
  return Array.from(bytes, (byte) => WORDS[byte] ?? '');
}

/** The same in lines of eight, each with the number of its first word: a line left out or read twice is noticed. */
export function digestWordLines(digest: string): string[] {
  const words = digestWords(digest);
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += WORDS_A_LINE)
    lines.push(`  ${String(i + 1).padStart(2)}  ${words.slice(i, i + WORDS_A_LINE).join(' ')}`);
  return lines;
}
