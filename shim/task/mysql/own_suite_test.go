package mysql

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"
	"time"

	"nth/shim/task"
	"nth/shim/task/statements"
	"nth/templates"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// jobs is a table of a user's own, with the statements that docs/queues-try.md has for it.
type jobs struct {
	*queue
	statements map[string]string // by their flags
}

func newJobs(t testing.TB, server *servers.MariaDB) *jobs {
	t.Helper()
	j := &jobs{queue: &queue{server: server, table: fmt.Sprint("jobs_", tables.Add(1)), address: server.URL}, statements: map[string]string{}}
	schema, own := servers.MariaJobs(t)
	rename := regexp.MustCompile(`\bjobs(_open)?\b`)
	server.Exec(t, rename.ReplaceAllString(schema, j.table+"$1"))
	for flag, sql := range own {
		j.statements[flag] = rename.ReplaceAllString(sql, j.table+"$1")
	}
	return j
}

// fieldsOf are what statements may name beside the fields of all templates.
var fieldsOf = map[string][]string{
	"--take-sql": {"Lease", "MaxAttempts", "Retry"}, "--keep-sql": {"Lease"}, "--fail-sql": {"Delay", "Reason", "MaxAttempts", "Dead", "Release"},
}

// bound makes a statement as a run does.
func bound(t testing.TB, flag, sql string, o task.Options) *statements.Statement {
	t.Helper()
	pieces, actions, err := templates.Split(sql, fieldsOf[flag]...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Bind(pieces)
	if err != nil {
		t.Fatal(err)
	}
	return &statements.Statement{Flag: flag, SQL: text, Values: len(actions), Args: func(c statements.Call) (list []string, err error) {
		f := templates.Fields{Index: o.Index, RunID: o.RunID, Statement: &templates.Statement{Lease: c.Lease.Seconds(), Delay: c.Delay.Seconds(),
			MaxAttempts: c.MaxAttempts, Reason: c.Reason, Dead: c.Dead, Release: c.Release, Retry: c.Retry, Bits: true}}
		if c.Task != nil {
			f.Attempt = c.Task.Attempt
			f.Task = &templates.Task{ID: c.Task.ID, Payload: string(c.Task.Payload), Meta: c.Task.Meta}
		}
		for _, a := range actions {
			e, err := a.Expand(f, templates.Sources{})
			if err != nil {
				return nil, err
			}
			list = append(list, e.Text)
		}
		return list, nil
	}}
}

func (j *jobs) Open(t testing.TB, o task.Options) task.Source {
	t.Helper()
	u, err := url.Parse(j.address("&queue=" + j.table))
	if err != nil {
		t.Fatal(err)
	}
	s := statements.Statements{}
	for flag, to := range map[string]**statements.Statement{"--take-sql": &s.Take, "--keep-sql": &s.Keep, "--done-sql": &s.Done, "--fail-sql": &s.Fail, "--unfinished-sql": &s.Unfinished} {
		if sql := j.statements[flag]; sql != "" {
			*to = bound(t, flag, sql, o)
		}
	}
	source, err := OpenOwn(u, o, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

func (j *jobs) Fill(t testing.TB, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		j.server.Exec(t, "INSERT INTO "+j.table+" (body) VALUES (json_object('text', convert(? USING utf8mb4)))", string(p))
	}
}

func (j *jobs) Dead(t testing.TB) [][]byte {
	t.Helper()
	return j.payloads(t, "SELECT json_unquote(json_extract(body, '$.text')) FROM "+j.table+" WHERE status = 'broken' ORDER BY id")
}

func (j *jobs) Left(t testing.TB) int {
	return j.server.Rows(t, j.table+" WHERE status IN ('new', 'working')")
}

// TestOwn runs the suite with the statements of a user's own.
func TestOwn(t *testing.T) {
	server := servers.StartMariaDB(t, odd...)
	tasks.Run(t, tasks.Harness{
		New: func(t testing.TB) tasks.Queue { return newJobs(t, server) },
		Missing: func(t testing.TB, o task.Options) task.Source {
			j := newJobs(t, server)
			server.Exec(t, "DROP TABLE "+j.table)
			return j.Open(t, o)
		},
		Lease:  time.Second,
		Silent: true,
		Text:   true,
	})
}
