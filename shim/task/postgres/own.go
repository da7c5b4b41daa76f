package postgres

import (
	"context"
	"database/sql/driver"
	"net/url"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/database"
	"nth/shim/task/statements"
)

// What statements of the user's own are, as for every server.
type (
	Statement  = statements.Statement
	Statements = statements.Statements
	Call       = statements.Call
)

// own runs them.
type own struct{ database.Sessions }

// OpenOwn opens a queue of the user's own statements; it asks the server nothing.
func OpenOwn(u *url.URL, o task.Options, s Statements) (task.Source, error) {
	if err := contract.Printable(o.Getenv, variables...); err != nil {
		return nil, err
	}
	config, _, queue, err := parse(u)
	return statements.Open(&statements.Queue{
		Server: &own{newSessions(config, o)}, Host: config.Host, Hints: ownHints, Example: "postgres://user@host:5432/database",
		Columns: "it ends with RETURNING id, payload, attempt, or with columns that are called so",
		One:     "let it take one: WHERE id = (SELECT id … LIMIT 1 …), for what stands in id IN (SELECT …) may be done again for each row",
	}, queue, err, o, s)
}

// Try is statements.Server's.
func (s *own) Try(ctx context.Context, try func(statements.Session) (answer, error)) (answer, error) {
	return s.Again(ctx, func(on *database.Session) (answer, error) { return try(session{on}) })
}

// Once is statements.Session's.
func (s session) Once(ctx context.Context, sql string, values []driver.Value) (answer, bool, error) {
	a, err := s.once(ctx, sql, values...)
	return a, true, err
}

// Prove is statements.Session's. EXPLAIN parses and plans a statement, looks whether the user
// may do all of it, and does nothing; a value of any type may be NULL.
func (s session) Prove(ctx context.Context, st *Statement) (answer, error) {
	return s.once(ctx, "EXPLAIN "+st.SQL, make([]driver.Value, st.Values)...)
}

// ownHints are what to do about a statement of the user's own that the server refuses,
// by SQLSTATE or its class.
var ownHints = []statements.Hint{
	{Code: "42501", Hint: "GRANT the user what the statement does"},
	{Code: "42601", Hint: "correct it: a << >> stands for a value, not for a name or a part of the statement"},
	{Code: "42P18", Hint: "say of which type the value is: <<.Index>>::int"},
	{Code: "42883", Hint: "if it is a value's type that doesn't fit, say which it is: <<.Index>>::int"},
	{Code: "42725", Hint: "say of which type the value is: <<.Index>>::int"},
	{Code: "42804", Hint: "say of which type the value is: <<.Index>>::int"},
	{Code: "42", Hint: "correct the statement, or the table; a schema that isn't in the search path stands before the table's name"},
	{Code: "3F", Hint: "correct the schema's name"},
	{Code: "22", Hint: "a value doesn't fit the type for which the server takes it"},
	{Code: "23", Hint: "the statement breaks a rule of the table"},
}
