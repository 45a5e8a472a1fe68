/**
 * Reads and writes the anchor of a ledger in a token: a private data object, which does not roll back with any disk. A
 * write exchanges the object as `exchange-objects.ts` says.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Token } from '../../keys/private/pkcs11/client/index.ts';
import type { AnchorChange, AnchorStore, TokenAnchorPlace } from './anchor.ts';
import { type AnchorContent, decodeAnchorRecord, encodeAnchorRecord, sameRecords } from './anchor-record.ts';
import { type AnchorObjects, exchangeObjects, seeObjects } from './exchange-objects.ts';

const IF_REPLACED = 'if that token was lost or replaced, see: vtlic help ledger anchor';

/** @param open gives the token, logged in; called when the anchor is first needed. The caller closes it. */
export function tokenAnchor(open: () => Promise<Token>, { keystore, label }: TokenAnchorPlace): AnchorStore {
  const description = `the anchor ${label} in the token of keystore ${keystore}`;
  const token = async (): Promise<Token> => fit(await opened(open), label);
  const objects = objectsOf(token, label);
  const see = async (): Promise<readonly AnchorContent[]> => {
    const { contents } = await seeObjects(objects);
    const whole = contents.flatMap((bytes) => decodeAnchorRecord(bytes) ?? []);
    // An interrupted change by version 0.1.0 leaves a part of an object beside a whole one.
    if (contents.length > 0 && whole.length === 0) {
      throw new VtlicError('ledger_corrupt', `${description} is damaged: it is not a whole anchor record`, {
        hint: 'nothing is signed until ledger and anchor agree; see: vtlic help ledger restore',
      });
    }
    return whole;
  };
  return Object.freeze({
    description,
    whenMissing:
      `plug in the token with the anchor, and check that the keystore ${keystore} in site.json names ` +
      `that one; ${IF_REPLACED}`,
    identity: async () => {
      const { manufacturer, model, serial, label: name, slotDescription } = (await token()).opened.token;
      return JSON.stringify(['token', manufacturer, model, serial, name, serial === '' ? slotDescription : '', label]);
    },
    read: async () => recordsOf(await see()),
    movedBy: async () => (await see()).find(({ moved }) => moved)?.record,
    settle: async (nonce: Uint8Array) => {
      if ((await seeObjects(objects)).pending.length > 0)
        await changed(description, () => exchangeObjects(objects, () => true, undefined, nonce));
    },
    replace: ({ known, next, moved = false, nonce }: AnchorChange) =>
      changed(description, () =>
        exchangeObjects(
          objects,
          (seen) => sameRecords(recordsOf(seen.contents.flatMap((bytes) => decodeAnchorRecord(bytes) ?? [])), known),
          encodeAnchorRecord({ record: next, moved }, nonce),
          nonce,
        ),
      ),
  });
}

function recordsOf(contents: readonly AnchorContent[]): AnchorContent['record'][] {
  return contents.flatMap(({ record, moved }) => (moved ? [] : [record]));
}

function objectsOf(token: () => Promise<Token>, label: string): AnchorObjects {
  return {
    list: async () => (await (await token()).readDataAnew(label)).map(({ bytes }) => bytes),
    create: async (bytes) => {
      const at = await token();
      const made = await at.createData(label, bytes).catch(async (error: unknown) => {
        const isRefused = error instanceof VtlicError && error.code === 'configuration_invalid';
        if (!isRefused || (await at.readData(label)).length > 0) throw error;
        const { hint } = error;
        throw new NoPlace(error.code, error.message, { ...(hint === undefined ? {} : { hint }), cause: error });
      });
      if (equalBytes(made.bytes, bytes)) return;
      await at.destroyData(made);
      throw new VtlicError('ledger_unwritable', 'it reads back differently from what was written');
    },
    destroy: async (bytes) => {
      const at = await token();
      const find = async (): ReturnType<Token['readData']> =>
        (await at.readData(label)).filter((object) => equalBytes(object.bytes, bytes));
      for (const object of await find())
        await at.destroyData(object).catch(async (error: unknown) => {
          // Another process may have destroyed it between the search and the call.
          if ((await find()).length > 0) throw error;
        });
    },
  };
}

async function opened(open: () => Promise<Token>): Promise<Token> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'token_not_found') throw error;
    throw new VtlicError(error.code, `the token with the ledger's anchor cannot be used: ${error.message}`, {
      ...error.place,
      hint: `${error.hint === undefined ? '' : `${error.hint}; `}${IF_REPLACED}`,
      cause: error,
    });
  }
}

/** @throws VtlicError `configuration_invalid` for a token that has no place for it */
function fit(token: Token, label: string): Token {
  const { profile } = token.opened;
  if (profile.dataObjects === 'none') {
    throw new VtlicError(
      'configuration_invalid',
      `${token.connection.name} (${profile.name}) cannot store data objects, so it cannot keep the ledger's anchor`,
      {
        hint: 'name another place for the anchor: a file on another disk, or a second token, token:KEYSTORE',
      },
    );
  }
  const length = Buffer.byteLength(label);
  if (length > profile.maxLabelBytes) {
    throw new VtlicError(
      'configuration_invalid',
      `the label ${label} of the anchor has ${length} bytes, and ${profile.name} takes ${profile.maxLabelBytes}`,
      { hint: 'give a shorter one: token:KEYSTORE/LABEL' },
    );
  }
  return token;
}

/** A token that never had an anchor under this label takes no data object. */
class NoPlace extends VtlicError {}

/**
 * Whatever the token does wrong here, the record is in the ledger, and nothing has left that the anchor does not
 * cover.
 */
async function changed<T>(description: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VtlicError) || error instanceof NoPlace || error.code === 'ledger_in_use') throw error;
    throw new VtlicError(
      'ledger_unwritable',
      `${description} was not written: ${error.message}; what is recorded but not released stays in the ledger`,
      {
        ...error.place,
        hint: 'check the token: vtlic hsm doctor KEYSTORE; then run again: the next start continues where it stopped',
        cause: error,
      },
    );
  }
}
