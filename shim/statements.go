package shim

import (
	"errors"
	"fmt"
	"net/url"

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/postgres"
	"nth/templates"
)

// statement is a statement of SQL of the user's own. What an index or a task makes of
// it are values beside it, and never a part of its text.
type statement struct {
	flag, sql string
	values    []*templates.Template
	aboutTask bool // it names the task
}

// statement reads one that may name these fields too; nil: there is none.
func (p *parser) statement(flag, sql string, fields ...string) *statement {
	if sql == "" {
		return nil
	}
	pieces, values, err := templates.Split(sql, fields...)
	if err != nil {
		p.fail(flag, err, "")
		return nil
	}
	s := &statement{flag: flag, values: values}
	for _, v := range values {
		s.aboutTask = s.aboutTask || v.UsesTask()
	}
	if s.aboutTask && (flag == "--take-sql" || flag == "--unfinished-sql") {
		p.fail(flag, errors.New(".Task, .TaskID and .Meta are of a task, and there is none here"), "")
	}
	if s.sql, err = postgres.Bind(pieces); err != nil {
		e, _ := errors.AsType[*contract.Error](err)
		p.fail(flag, e.Cause, e.Hint)
	}
	return s
}

// openStatements opens a queue of the user's own statements.
func (r *run) openStatements(u *url.URL, o task.Options) (task.Source, error) {
	m := r.mapping
	if m.keepSQL == nil || m.doneSQL == nil {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: "--take-sql", Cause: errors.New("it needs --keep-sql and --done-sql"),
			Hint: "without them the task of a worker that died would be lost, or that of a slow one done twice"}
	}
	s := postgres.Statements{}
	for _, st := range []struct {
		own *statement
		to  **postgres.Statement
	}{{m.takeSQL, &s.Take}, {m.keepSQL, &s.Keep}, {m.doneSQL, &s.Done}, {m.failSQL, &s.Fail}, {m.unfinishedSQL, &s.Unfinished}} {
		if st.own == nil {
			continue
		}
		*st.to = &postgres.Statement{Flag: st.own.flag, SQL: st.own.sql, Values: len(st.own.values),
			Args: func(c postgres.Call) ([]string, error) {
				x := r.values(st.own, c)
				return x.list, x.err
			}}
		// What every task would fail of is found before one is taken, and so is what
		// nobody may see.
		c := postgres.Call{Options: o}
		if st.own.aboutTask {
			c.Task = &task.Task{ID: "0", Payload: []byte("{}")}
		}
		x := r.values(st.own, c)
		r.item.secrets = append(r.item.secrets, x.secrets...)
		if x.err != nil && failure.From(x.err).Code != failure.BadIndex {
			return nil, x.err
		}
	}
	return postgres.OpenOwn(u, o, s)
}

// values are those of a statement, for one call.
type values struct {
	expander
	list []string
}

func (r *run) values(s *statement, c postgres.Call) values {
	f := fields(r.id, r.RunID)
	f.Statement = &templates.Statement{Lease: c.Lease.Seconds(), Delay: c.Delay.Seconds(), MaxAttempts: c.MaxAttempts,
		Reason: c.Reason, Dead: c.Dead, Release: c.Release, Retry: c.Retry}
	if c.Task != nil {
		f.Task = &templates.Task{ID: c.Task.ID, Payload: string(c.Task.Payload), Meta: c.Task.Meta}
		f.Attempt = c.Task.Attempt
	}
	v := values{expander: expander{fields: f, sources: r.sources()}}
	for _, t := range s.named() {
		v.list = append(v.list, v.expand(t.name, t.Template).value)
	}
	return v
}

// named gives the values' templates, by what they are called.
func (s *statement) named() (list []namedTemplate) {
	for i, t := range s.values {
		list = append(list, namedTemplate{fmt.Sprintf("value %d of %s", i+1, s.flag), t})
	}
	return list
}
