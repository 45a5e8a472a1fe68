/** The place of an anchor in the body of an entry. */
import type { CborValue } from '../../../formats/cbor/index.ts';
import { isId } from '../../../formats/license/id.ts';
import type { AnchorPlace } from '../../anchor/index.ts';
import type { BodyReader } from './body-reader.ts';

const MAX_PATH = 4096;
const MAX_ID = 128;

export function anchorPlaceMembers(place: AnchorPlace): Readonly<Record<string, CborValue>> {
  return place.kind === 'file'
    ? { kind: place.kind, path: place.path }
    : { kind: place.kind, keystore: place.keystore, label: place.label };
}

export function readAnchorPlace(reader: BodyReader): AnchorPlace {
  const kind = reader.oneOf('kind', ['file', 'token']);
  const place: AnchorPlace = Object.freeze(
    kind === 'file'
      ? { kind, path: reader.text('path', MAX_PATH) }
      : { kind, keystore: id(reader, 'keystore'), label: id(reader, 'label') },
  );
  reader.end();
  return place;
}

function id(reader: BodyReader, name: string): string {
  const text = reader.text(name, MAX_ID);
  if (!isId(text)) throw reader.fault(name, 'should be an id');
  return text;
}
