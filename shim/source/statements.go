package source

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/task"
	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/shim/task/statements"
	"nth/templates"
)

// statementFlag is a flag that says in SQL how a queue of the user's own is used.
type statementFlag struct {
	flag   string
	of     func(*config.SQL) string
	to     func(*statements.Statements) **statements.Statement
	noTask bool     // there is no task when it is said
	fields []string // that it may name beside those of every template
}

// ownSQL are these flags.
var ownSQL = []statementFlag{
	{"--take-sql", func(s *config.SQL) string { return s.TakeSQL }, func(s *statements.Statements) **statements.Statement { return &s.Take }, true, []string{"Lease", "MaxAttempts", "Retry"}},
	{"--keep-sql", func(s *config.SQL) string { return s.KeepSQL }, func(s *statements.Statements) **statements.Statement { return &s.Keep }, false, []string{"Lease"}},
	{"--done-sql", func(s *config.SQL) string { return s.DoneSQL }, func(s *statements.Statements) **statements.Statement { return &s.Done }, false, nil},
	{"--fail-sql", func(s *config.SQL) string { return s.FailSQL }, func(s *statements.Statements) **statements.Statement { return &s.Fail }, false, []string{"Delay", "Reason", "MaxAttempts", "Dead", "Release"}},
	{"--unfinished-sql", func(s *config.SQL) string { return s.UnfinishedSQL }, func(s *statements.Statements) **statements.Statement { return &s.Unfinished }, true, nil},
}

// statement is one of the user's own. What an index or a task makes of it are values
// beside it, and never a part of its text.
type statement struct {
	statementFlag
	pieces    []string
	values    []expand.Named
	aboutTask bool // it names the task
}

// ownServer is one that runs them.
type ownServer struct {
	bind func(pieces []string) (string, error)
	open func(*url.URL, task.Options, statements.Statements) (task.Source, error)
	bits bool // it has no booleans, only 1 and 0
}

func ownServerOf(scheme string) ownServer {
	switch scheme {
	case "mysql", "mariadb":
		return ownServer{mysql.Bind, mysql.OpenOwn, true}
	}
	return ownServer{postgres.Bind, postgres.OpenOwn, false}
}

// statement reads one. Where the server's kind isn't known before anything is expanded, only
// who opens it can tell whether the text is whole.
func (p *parser) statement(of statementFlag, sql, tasks string) *statement {
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
	s.pieces = pieces
	if scheme, _, _ := strings.Cut(tasks, "://"); !strings.Contains(scheme, "<<") {
		if _, err = ownServerOf(scheme).bind(pieces); err != nil {
			f := store.Fail(err, failure.TheJob, "parse", of.flag)
			p.Fail(of.flag, f.Cause, f.Hint)
		}
	}
	return s
}

// openStatements opens a queue of the user's own statements.
func (o *opener) openStatements(u *url.URL, opts task.Options) (task.Source, error) {
	var s statements.Statements
	server := ownServerOf(u.Scheme)
	for _, st := range o.mapping.own {
		sql, err := server.bind(st.pieces)
		if err != nil {
			f := store.Fail(err, failure.TheJob, "parse", st.flag)
			f.Code = failure.Usage
			return nil, f
		}
		*st.to(&s) = &statements.Statement{Flag: st.flag, SQL: sql, Values: len(st.values),
			Args: func(c statements.Call) ([]string, error) {
				list, err := o.values(st, c, server.bits)
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
		c := statements.Call{Options: opts}
		if st.aboutTask {
			c.Task = &task.Task{ID: "0", Payload: []byte("{}")}
		}
		if _, err := o.values(st, c, server.bits); err != nil && failure.From(err).Code != failure.BadIndex {
			return nil, err
		}
	}
	return server.open(u, opts, s)
}

// values are those of a statement, for one call.
func (o *opener) values(s *statement, c statements.Call, bits bool) (list []string, err error) {
	f := o.Fields()
	f.Statement = &templates.Statement{Lease: c.Lease.Seconds(), Delay: c.Delay.Seconds(), MaxAttempts: c.MaxAttempts,
		Reason: c.Reason, Dead: c.Dead, Release: c.Release, Retry: c.Retry, Bits: bits}
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
