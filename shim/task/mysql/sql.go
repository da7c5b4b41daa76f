package mysql

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Schema makes the table that nth works through. Columns may be added to it, and id may be
// of another type, a number's or a text's; with another name for the table the URL has
// table=name or table=schema.name. The order of the states is that in which tasks are
// taken.
const Schema = `CREATE TABLE nth_tasks (
  id      bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  payload longblob NOT NULL,
  state   enum('running', 'ready', 'done', 'dead') NOT NULL DEFAULT 'ready',
  attempt int unsigned NOT NULL DEFAULT 0,                 -- deliveries so far
  due     datetime(6) NOT NULL DEFAULT (utc_timestamp(6)), -- in UTC; ready: not before; running: the lease's end; else: since
  run_id  varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, -- who took it last
  worker  bigint,                                          -- and under which index
  error   text CHARACTER SET utf8mb4,                      -- of the last failure
  KEY nth_due (state, due, id),
  KEY nth_worker (worker, state)
) ENGINE = InnoDB;
`

// Fill is an example of how tasks get there: each row of a query becomes a task whose
// payload is the row as a JSON object. With CONVERT, for in MariaDB the text is in the
// columns' character set, which is latin1 where nobody has said another.
const Fill = `INSERT INTO nth_tasks (payload)
SELECT convert(json_object('id', id, 'city', city) USING utf8mb4) FROM orders WHERE NOT shipped ORDER BY id;
`

// Grant is what the account of a worker needs.
const Grant = `GRANT SELECT, UPDATE ON nth_tasks TO worker;
`

// DefaultTable is used when the URL names none.
const DefaultTable = "nth_tasks"

// session is how a connection is set up. With REPEATABLE READ, which is the default, takers
// would lock the gaps between tasks, wait for each other and be ended as deadlocks; and what
// a text in a statement is shouldn't depend on the server's settings.
const sessionSQL = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET SESSION autocommit = 1, sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'`

// take is one transaction, in one message, for there is no UPDATE … RETURNING. It gives the
// first of:
//   - a task whose lease has ended; if that was its last attempt, it makes it dead, with
//     the reason;
//   - a task that is ready and due.
//
// Both are one range of one index, for a state is a number: one row at the beginning is
// locked, however many there are behind it. FORCE INDEX, for a plan that sorts would lock
// all that are ready, and others would find the queue empty meanwhile. SKIP LOCKED means
// that no two workers wait for each other.
const take = `START TRANSACTION;
SET @nth_id = NULL, @nth_spent = 0;
SELECT id, state = 'running' AND {most} > 0 AND attempt >= {most} INTO @nth_id, @nth_spent FROM {table} FORCE INDEX (nth_due)
WHERE state IN ('running', 'ready') AND due <= UTC_TIMESTAMP(6) ORDER BY state, due, id LIMIT 1 FOR UPDATE SKIP LOCKED;
UPDATE {table} SET
  error = IF(@nth_spent, CONCAT('its worker died, or was stopped, in attempt ', attempt, ' of ', {most}), error),
  due = UTC_TIMESTAMP(6) + INTERVAL IF(@nth_spent, 0, {lease}) MICROSECOND,
  run_id = IF(@nth_spent, run_id, {run}), worker = IF(@nth_spent, worker, {worker}),
  attempt = IF(@nth_spent, attempt, attempt + 1), state = IF(@nth_spent, 'dead', 'running')
WHERE id = @nth_id;
SELECT id, payload, attempt, IF(@nth_spent, error, '') FROM {table} WHERE id = @nth_id;
COMMIT`

// held gives what this run took without knowing it: nobody has worked at it, so the attempt
// is the same.
const held = `START TRANSACTION;
SET @nth_id = NULL;
SELECT id INTO @nth_id FROM {table}
WHERE worker = {worker} AND state = 'running' AND run_id = {run} LIMIT 1 FOR UPDATE SKIP LOCKED;
UPDATE {table} SET due = UTC_TIMESTAMP(6) + INTERVAL {lease} MICROSECOND WHERE id = @nth_id;
SELECT id, payload, attempt, '' FROM {table} WHERE id = @nth_id;
COMMIT`

// ours names one delivery.
const ours = ` WHERE id = {id} AND run_id = {run} AND `

// keep succeeds also when the lease has ended, as long as nobody has taken the task.
const keep = `UPDATE {table} SET due = UTC_TIMESTAMP(6) + INTERVAL {lease} MICROSECOND` + ours + `attempt = {attempt} AND state = 'running'`

// done is said again when the answer to the first time was lost.
const done = `UPDATE {table} SET due = UTC_TIMESTAMP(6), error = NULL, state = 'done'` + ours + `attempt = {attempt} AND state IN ('running', 'done')`

// fail: a row that isn't running any more but still has our run and attempt is one that we
// have failed already, and stays what that made it. An UPDATE sets one column after the
// other, so the state comes last.
const fail = `UPDATE {table} SET due = IF(state = 'running', UTC_TIMESTAMP(6) + INTERVAL {pause} MICROSECOND, due),
  error = {reason}, state = IF(state = 'running', {next}, state)` + ours + `attempt = {attempt} AND state IN ('running', 'ready', 'dead')`

// release takes the attempt back, so that tasks don't die of nodes that are drained.
const release = `UPDATE {table} SET due = UTC_TIMESTAMP(6), attempt = {attempt} - 1, state = 'ready'` + ours +
	`(attempt = {attempt} AND state = 'running' OR attempt = {attempt} - 1 AND state = 'ready')`

const unfinished = `SELECT EXISTS (SELECT 1 FROM {table} WHERE worker = {worker} AND state IN ('running', 'ready'))`

const count = `SELECT count(*) FROM {table} WHERE state IN ('running', 'ready')`

// fill puts the values of this run, and more, into a statement: numbers, and texts that
// can't be anything else.
func (s *source) fill(statement string, more ...string) string {
	return strings.NewReplacer(append(more, "{table}", quote(s.table), "{run}", text(s.options.RunID), "{worker}", strconv.FormatInt(s.options.Index, 10),
		"{most}", strconv.Itoa(s.options.MaxAttempts), "{lease}", micros(s.options.Lease))...).Replace(statement)
}

// text gives a literal of hexadecimal digits: whatever stands in a text, and however the
// server reads quotes, it is a value.
func text(s string) string {
	if s == "" {
		return "''"
	}
	return "_utf8mb4 0x" + hex.EncodeToString([]byte(s))
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// quote makes identifiers of a table's name and, before a dot, its schema's.
func quote(table string) string {
	parts := strings.Split(table, ".")
	for i, p := range parts {
		parts[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(parts, ".")
}
