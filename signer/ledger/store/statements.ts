/** Every SQL statement that reads or appends rows, by name. `tables.ts` prepares each of them once. */
import { ADMIN_COLUMNS, COUNTER_COLUMNS, ENTRY_COLUMNS, INTENT_COLUMNS, LOG_COLUMNS } from './rows.ts';

export const SQL = {
  entry: `SELECT ${ENTRY_COLUMNS} FROM entry WHERE seq = ?`,
  entries: `SELECT ${ENTRY_COLUMNS} FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?`,
  lastEntry: `SELECT ${ENTRY_COLUMNS} FROM entry ORDER BY seq DESC LIMIT 1`,
  sizes: 'SELECT (SELECT max(seq) FROM entry), (SELECT max(leaf_index) FROM leaf), (SELECT max(position) FROM node)',
  insertEntry: 'INSERT INTO entry (seq, kind, at, body, chain) VALUES (?, ?, ?, ?, ?)',
  intent: `SELECT ${INTENT_COLUMNS} FROM intent WHERE seq = ?`,
  intentByLicenseId: `SELECT ${INTENT_COLUMNS} FROM intent WHERE license_id = ?`,
  intentsOf: `SELECT ${INTENT_COLUMNS} FROM intent WHERE sub = ? AND aud = ? AND dep = ? AND ctr <= ? ORDER BY
    ctr DESC LIMIT ?`,
  lastIssuedOf: `SELECT ${INTENT_COLUMNS} FROM intent WHERE sub = ? AND aud = ? AND dep = ? AND issue IS NOT
    NULL ORDER BY ctr DESC LIMIT 1`,
  lastIntentOf: 'SELECT seq, ctr FROM intent WHERE sub = ? AND aud = ? AND dep = ? ORDER BY ctr DESC LIMIT 1',
  openIntents: `SELECT ${INTENT_COLUMNS} FROM intent WHERE issue IS NULL AND void IS NULL ORDER BY seq`,
  unreleased: `SELECT ${INTENT_COLUMNS} FROM intent WHERE issue IS NOT NULL AND release IS NULL ORDER BY seq`,
  lastReleasedIssue: 'SELECT max(issue) FROM intent WHERE release IS NOT NULL',
  lineages: `SELECT sub, aud, dep, max(ctr), count(issue) FROM intent WHERE (sub, aud, dep) > (?, ?, ?) GROUP BY sub,
      aud, dep ORDER BY sub, aud, dep LIMIT ?`,
  lineagesOf: `SELECT sub, aud, dep, max(ctr), count(issue) FROM intent WHERE sub = ? AND (aud, dep) > (?, ?) GROUP BY
      sub, aud, dep ORDER BY sub, aud, dep LIMIT ?`,
  customers: 'SELECT DISTINCT sub FROM intent WHERE sub > ? ORDER BY sub LIMIT ?',
  insertIntent: 'INSERT INTO intent (seq, sub, aud, dep, ctr, license_id) VALUES (?, ?, ?, ?, ?, ?)',
  setIssue: 'UPDATE intent SET issue = ? WHERE seq = ?',
  setVoid: 'UPDATE intent SET void = ? WHERE seq = ?',
  setRelease: 'UPDATE intent SET release = ? WHERE seq = ? AND release IS NULL',
  leaf: 'SELECT entry FROM leaf WHERE leaf_index = ?',
  insertLeaf: 'INSERT INTO leaf (leaf_index, entry) VALUES (?, ?)',
  node: 'SELECT hash FROM node WHERE position = ?',
  insertNode: 'INSERT INTO node (position, hash) VALUES (?, ?)',
  lastClock: 'SELECT max(seq) FROM clock',
  clocks: 'SELECT seq FROM clock ORDER BY seq',
  isClock: 'SELECT 1 FROM clock WHERE seq = ?',
  insertClock: 'INSERT INTO clock (seq) VALUES (?)',
  logs: `SELECT ${LOG_COLUMNS} FROM log ORDER BY number`,
  lastLog: `SELECT ${LOG_COLUMNS} FROM log ORDER BY number DESC LIMIT 1`,
  insertLog: `INSERT INTO log (${LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?)`,
  act: `SELECT ${ADMIN_COLUMNS} FROM act WHERE seq = ?`,
  acts: `SELECT ${ADMIN_COLUMNS} FROM act ORDER BY seq`,
  insertAdminRow: `INSERT INTO act (${ADMIN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
  raised: "SELECT sum(reach), sum(kind IN ('close', 'closed-log')) FROM act WHERE seq <= ?",
  movesOfAll:
    "SELECT seq, skip, floor FROM act WHERE seq > ? AND sub IN ('', ?) AND (skip > 0 OR floor > 0) ORDER BY seq",
  rightsOf: `SELECT seq, kind, sub FROM act WHERE sub IN ('', ?) AND kind IN ('close', 'closed-log', 'import',
      'reopen') ORDER BY seq`,
  counter: `SELECT ${COUNTER_COLUMNS} FROM counter WHERE seq = ?`,
  counterByLicenseId: `SELECT ${COUNTER_COLUMNS} FROM counter WHERE license_id = ?`,
  countersOf: 'SELECT seq, 0, ctr FROM counter WHERE sub = ? AND aud = ? AND dep = ? ORDER BY seq',
  totalOf: 'SELECT intent, ctr, given FROM lineage WHERE sub = ? AND aud = ? AND dep = ?',
  countIntent: `INSERT INTO lineage (sub, aud, dep, intent, ctr, given) VALUES (?, ?, ?, ?, ?, 0)
    ON CONFLICT (sub, aud, dep) DO UPDATE SET intent = excluded.intent, ctr = excluded.ctr`,
  countCounter: `INSERT INTO lineage (sub, aud, dep, intent, ctr, given) VALUES (?, ?, ?, 0, 0, 1)
    ON CONFLICT (sub, aud, dep) DO UPDATE SET given = given + 1`,
  reenteredOf: `SELECT ${COUNTER_COLUMNS} FROM counter WHERE sub = ? AND aud = ? AND dep = ? AND license_id IS
    NOT NULL ORDER BY seq`,
  reenteredOfCustomer: `SELECT ${COUNTER_COLUMNS} FROM counter WHERE sub = ? AND license_id IS NOT NULL ORDER BY seq`,
  insertCounter: `INSERT INTO counter (${COUNTER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
  knownLineages: `SELECT sub, aud, dep FROM intent WHERE (sub, aud, dep) > (?, ?, ?) UNION SELECT sub, aud, dep FROM
      counter WHERE (sub, aud, dep) > (?, ?, ?) ORDER BY sub, aud, dep LIMIT ?`,
};

export type StatementName = keyof typeof SQL;
