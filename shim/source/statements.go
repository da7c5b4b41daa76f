package source

import (
	"errors"
	"fmt"
	"net/url"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/task"
	"nth/shim/task/postgres"
	"nth/templates"
)

// statementFlag is a flag that says in SQL how a queue of the user's own is used.
type statementFlag struct {
	flag   string
	of     func(*config.SQL) string
	to     func(*postgres.Statements) **postgres.Statement
	noTask bool     // there is no task when it is said
	fields []string // that it may name beside those of every template
}

// ownSQL are these flags.
var ownSQL = []statementFlag{
	{"--take-sql", func(s *config.SQL) string { return s.TakeSQL }, func(s *postgres.Statements) **postgres.Statement { return &s.Take }, true, []string{"Lease", "MaxAttempts", "Retry"}},
	{"--keep-sql", func(s *config.SQL) string { return s.KeepSQL }, func(s *postgres.Statements) **postgres.Statement { return &s.Keep }, false, []string{"Lease"}},
	{"--done-sql", func(s *config.SQL) string { return s.DoneSQL }, func(s *postgres.Statements) **postgres.Statement { return &s.Done }, false, nil},
	{"--fail-sql", func(s *config.SQL) string { return s.FailSQL }, func(s *postgres.Statements) **postgres.Statement { return &s.Fail }, false, []string{"Delay", "Reason", "MaxAttempts", "Dead", "Release"}},
	{"--unfinished-sql", func(s *config.SQL) string { return s.UnfinishedSQL }, func(s *postgres.Statements) **postgres.Statement { return &s.Unfinished }, true, nil},
}

// statement is one of the user's own. What an index or a task makes of it are values
// beside it, and never a part of its text.
type statement struct {
	statementFlag
	sql       string
	values    []expand.Named
	aboutTask bool // it names the task
}

// statement reads one.
func (p *parser) statement(of statementFlag, sql string) *statement {
	s := &statement{statementFlag: of}
	pieces, values, err := templates.Split(sql, of.fields...)
	if err != nil {
		p.Fail(of.flag, err, "")
		return s
	}
	for i, v := range values {
		s.values = append(s.values, expand.Named{Name: fmt.Sprintf("value %d of %s", i+1, of.flag), Template: v})
		s.aboutTask = s.aboutTask || v.UsesTask()
	}
	if s.aboutTask && of.noTask {
		p.Fail(of.flag, errors.New(".Task, .TaskID and .Meta are of a task, and there is none here"), "")
	}
	if s.sql, err = postgres.Bind(pieces); err != nil {
		f := store.Fail(err, failure.TheJob, "parse", of.flag)
		p.Fail(of.flag, f.Cause, f.Hint)
	}
	return s
}

// openStatements opens a queue of the user's own statements.
func (o *opener) openStatements(u *url.URL, opts task.Options) (task.Source, error) {
	var s postgres.Statements
	for _, st := range o.mapping.own {
		*st.to(&s) = &postgres.Statement{Flag: st.flag, SQL: st.sql, Values: len(st.values),
			Args: func(c postgres.Call) ([]string, error) {
				list, err := o.values(st, c)
				if err != nil {
					err = ofTask(failure.From(err))
				}
				return list, err
			}}
	}
	if s.Keep == nil || s.Done == nil {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: "--take-sql", Cause: errors.New("it needs --keep-sql and --done-sql"),
			Hint: "without them the task of a worker that died would be lost, or that of a slow one done twice"}
	}
	for _, st := range o.mapping.own {
		// What every task would fail of is found before one is taken, and so is what
		// nobody may see.
		c := postgres.Call{Options: opts}
		if st.aboutTask {
			c.Task = &task.Task{ID: "0", Payload: []byte("{}")}
		}
		if _, err := o.values(st, c); err != nil && failure.From(err).Code != failure.BadIndex {
			return nil, err
		}
	}
	return postgres.OpenOwn(u, opts, s)
}

// values are those of a statement, for one call.
func (o *opener) values(s *statement, c postgres.Call) (list []string, err error) {
	f := o.Fields()
	f.Statement = &templates.Statement{Lease: c.Lease.Seconds(), Delay: c.Delay.Seconds(), MaxAttempts: c.MaxAttempts,
		Reason: c.Reason, Dead: c.Dead, Release: c.Release, Retry: c.Retry}
	if c.Task != nil {
		f.Kind, f.Task = templates.TaskItem, &templates.Task{ID: c.Task.ID, Payload: string(c.Task.Payload), Meta: c.Task.Meta}
		f.Attempt = c.Task.Attempt
	}
	x := o.Expander(f, o.keep)
	for _, v := range s.values {
		list = append(list, x.Named(v).Value)
	}
	return list, x.Err
}
