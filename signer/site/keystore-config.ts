/** Where keys live, as `site.json` says. */
export type KeystoreConfig = FileKeystore | TokenKeystore;

/** Encrypted files in a folder. */
export interface FileKeystore {
  readonly type: 'file';
  readonly name: string;
  /** Relative to the site, or absolute. */
  readonly path: string;
}

/** A token named by an RFC 7512 URI (never by a slot number: those change). */
export interface TokenKeystore {
  readonly type: 'pkcs11';
  readonly name: string;
  readonly uri: string;
}
