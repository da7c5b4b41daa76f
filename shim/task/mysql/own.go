package mysql

import (
	"context"
	"database/sql/driver"
	"net/url"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/database"
	"nth/shim/task/statements"
)

// own runs statements of the user's own.
type own struct{ database.Sessions }

// OpenOwn opens a queue of the user's own statements; it asks the server nothing.
func OpenOwn(u *url.URL, o task.Options, s statements.Statements) (task.Source, error) {
	if err := contract.Printable(o.Getenv, variables...); err != nil {
		return nil, err
	}
	config, err := parse(u, o.Getenv)
	if err != nil {
		config = &settings{}
	}
	return statements.Open(&statements.Queue{
		Server: &own{newSessions(config, o)}, Host: config.where(), Hints: ownHints, Bits: true, Example: "mysql://user@host:3306/database",
		Columns: "it ends with a SELECT of id, payload and attempt, or of columns that are called so",
		One:     "let it take one: SELECT id INTO @id … LIMIT 1 FOR UPDATE SKIP LOCKED",
	}, u.Query().Get("queue"), err, o, s)
}

// Try is statements.Server's.
func (s *own) Try(ctx context.Context, try func(statements.Session) (answer, error)) (answer, error) {
	return s.Again(ctx, func(on *database.Session) (answer, error) { return try(session{on}) })
}

// changed is the column of how many rows the last statement changed.
const changed = "nth_changed"

// Once is statements.Session's. Statements are one message and one transaction, so that
// nothing is locked while an answer travels; what was ended as a deadlock is said again as a
// whole. Where no statement gives an answer, what the last one changed is it.
func (s session) Once(ctx context.Context, sql string, values []driver.Value) (answer, bool, error) {
	message := strings.ReplaceAll(fill(sql, values), statementMark, ";\n")
	a, err := s.once(ctx, "START TRANSACTION;\n"+message+";\nSELECT ROW_COUNT() AS "+changed+";\nCOMMIT")
	if a.Row != nil && a.Columns[0] == changed {
		a = answer{Rows: a.Row[0].(int64)}
	}
	return a, s.Unsure(err), err
}

// Prove is statements.Session's. To be prepared a statement is parsed, and its tables, columns
// and grants are looked for; nothing of it is done.
func (s session) Prove(ctx context.Context, st *statements.Statement) (answer, error) {
	message := ""
	for _, one := range strings.Split(fill(st.SQL, make([]driver.Value, st.Values)), statementMark) {
		message += "SET @nth = " + literal(one) + ";PREPARE nth FROM @nth;DEALLOCATE PREPARE nth;"
	}
	return s.once(ctx, message+"DO 0")
}

// ownHints are what to do about a statement of the user's own that the server refuses, by the
// error's number, or the class of its SQLSTATE.
var ownHints = []statements.Hint{
	{Code: "1142", Hint: "GRANT the user what the statement does"},
	{Code: "1143", Hint: "GRANT the user what the statement does"},
	{Code: "1370", Hint: "GRANT the user what the statement does"},
	{Code: "1064", Hint: "correct it: a << >> stands for a value, not for a name or a part of the statement"},
	{Code: "1172", Hint: "let it take one: LIMIT 1"},
	{Code: "42", Hint: "correct the statement, or the table"},
	{Code: "22", Hint: "a value doesn't fit the type for which the server takes it"},
	{Code: "23", Hint: "the statement breaks a rule of the table"},
}
