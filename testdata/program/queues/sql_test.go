//go:build linux

package queues

import (
	"slices"
	"strings"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestStatements: what is wrong with a statement of the user's own is said before any
// task is taken, with the flag, why, and what to do; no secret is in it.
func TestStatements(t *testing.T) {
	p := servers.StartPostgres(t)
	schema, good := servers.Jobs(t)
	p.Exec(t, schema)
	p.Exec(t, `INSERT INTO jobs (body) VALUES ('{"text": "x"}')`)
	for _, tt := range []struct {
		name  string
		flags []string // in place of the good ones, or beside them; without a value: not given
		code  int
		says  []string
	}{
		{"in quotes", []string{"--keep-sql=UPDATE jobs SET note = '<<.RunID>>'"}, 64, []string{"--keep-sql", "inside a text in quotes", "take the quotes away"}},
		{"in a comment", []string{"--keep-sql=SELECT 1 -- <<.RunID>>"}, 64, []string{"--keep-sql", "inside a comment"}},
		{"as a name", []string{`--done-sql=DELETE FROM "<<.Job>>"`}, 64, []string{"--done-sql", "inside a name in quotes", "can't be a name"}},
		{"if", []string{"--take-sql=SELECT 1 <<if .Retry>>AS id<<end>>"}, 64, []string{"--take-sql", "each << >> is one value"}},
		{"range", []string{`--take-sql=SELECT 1 <<range split "," "a">>AS id<<end>>`}, 64, []string{"each << >> is one value"}},
		{"a variable", []string{"--take-sql=SELECT <<$x := .Index>> AS id"}, 64, []string{"each << >> is one value"}},
		{"an unknown name", []string{"--fail-sql=SELECT <<.Why>>"}, 64, []string{"--fail-sql", "no field .Why", ".Index", ".TaskID", ".Delay .Reason .MaxAttempts .Dead .Release"}},
		{"another statement's name", []string{"--done-sql=SELECT <<.Reason>>"}, 64, []string{"--done-sql", "no field .Reason"}},
		{"of a task that isn't there", []string{"--take-sql=SELECT <<.TaskID>> AS id"}, 64, []string{"--take-sql", "there is none here"}},
		{"a parameter of one's own", []string{"--done-sql=DELETE FROM jobs WHERE id = $1"}, 64, []string{"--done-sql", "<<.Index>>"}},
		{"two statements", []string{"--done-sql=DELETE FROM jobs; DELETE FROM jobs"}, 64, []string{"--done-sql", "more behind the semicolon"}},
		{"a name in a command", []string{"--env=X=<<.Lease>>"}, 64, []string{"no field .Lease"}},
		{"nothing to keep with", []string{"--keep-sql"}, 64, []string{"--take-sql", "needs --keep-sql and --done-sql"}},
		{"nothing to acknowledge with", []string{"--done-sql"}, 64, []string{"needs --keep-sql and --done-sql"}},
		{"nothing to take with", []string{"--take-sql"}, 78, []string{"give --take-sql"}},
		{"no tasks", []string{"--tasks"}, 78, []string{"give --tasks"}},
		{"another queue", []string{"--tasks=redis://127.0.0.1:1/0?queue=q"}, 78, []string{"--take-sql", "isn't PostgreSQL's or MariaDB's"}},
		{"no name", []string{"--tasks=" + p.URL("")}, 78, []string{"doesn't name the queue", "?queue=NAME"}},
		{"attempts that nobody counts", []string{"--fail-sql", "--max-attempts=3"}, 78, []string{"give --fail-sql, or --max-attempts 0"}},
		{"not known here", []string{"--done-sql=SELECT <<.Completions>>::int + length(<<.TaskID>>)"}, 78, []string{"--done-sql", "--completions"}},
		{"a variable that isn't set", []string{`--keep-sql=SELECT <<env "NOT_SET">>`}, 78, []string{"--keep-sql", "NOT_SET"}},
		{"no such table", []string{"--done-sql=DELETE FROM nothing WHERE id = <<.TaskID>>"}, 78, []string{"--done-sql", `relation \"nothing\" does not exist (42P01)`}},
		{"no SQL", []string{"--fail-sql=SELECT <<.Reason>> FORM jobs WHERE"}, 78, []string{"--fail-sql", "(42601)"}},
		{"more than one", []string{"--take-sql=SELECT n AS id, n AS payload FROM generate_series(1, 2) AS n"}, 78, []string{"--take-sql", "it took 2 tasks at once", "WHERE id = (SELECT", "LIMIT 1"}},
		{"a secret in the server's words", []string{`--take-sql=SELECT id, body AS payload FROM jobs WHERE tries < <<secret "TOKEN">>::int LIMIT 1`}, 78,
			[]string{"--take-sql", `invalid input syntax for type integer: \"***\" (22P02)`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := map[string]string{"--tasks": p.URL("&queue=jobs")}
			for flag, sql := range good {
				all[flag] = sql
			}
			for _, f := range tt.flags {
				flag, value, given := strings.Cut(f, "=")
				if all[flag] = value; !given {
					delete(all, flag)
				}
			}
			args := []string{"run", "--store-wait=0s"}
			for flag, value := range all {
				args = append(args, flag+"="+value)
			}
			slices.Sort(args[1:])
			stdout, stderr, code := program.Nth(t, append(program.Secrets, "JOB_COMPLETION_INDEX=0"), append(args, "--", "echo", "ran")...)
			if code != tt.code || stdout != "" || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d: %s%s", code, tt.code, stdout, stderr)
			}
			for _, text := range tt.says {
				if !strings.Contains(stderr, text) {
					t.Errorf("it doesn't say %q: %s", text, stderr)
				}
			}
		})
	}
	if n := p.Rows(t, "jobs WHERE status = 'new' AND tries = 0"); n != 1 {
		t.Error("the task isn't as it was")
	}
}

// TestMariaStatements: the same for MariaDB, whose statements may be several.
func TestMariaStatements(t *testing.T) {
	m := servers.StartMariaDB(t)
	schema, good := servers.MariaJobs(t)
	m.Exec(t, schema+`INSERT INTO jobs (body) VALUES ('{"text": "x"}')`)
	for name, tt := range map[string]struct {
		flag, value string
		code        int
		says        []string
	}{
		"in quotes":         {"--keep-sql", "UPDATE jobs SET note = '<<.RunID>>'", 64, []string{"--keep-sql", "inside a text in quotes", "CONCAT('text'"}},
		"in a comment":      {"--keep-sql", "SELECT 1 # <<.RunID>>", 64, []string{"inside a comment"}},
		"as a name":         {"--done-sql", "DELETE FROM `<<.Job>>`", 64, []string{"inside a name in quotes"}},
		"another verb":      {"--done-sql", "DELETE FROM jobs; COMMIT", 64, []string{"--done-sql", "begins with none of SELECT INSERT"}},
		"no name":           {"--tasks", m.URL(""), 78, []string{"doesn't name the queue", "?queue=NAME"}},
		"no such table":     {"--done-sql", "DELETE FROM jobs WHERE false; DELETE FROM nothing", 78, []string{"--done-sql", "'work.nothing' doesn't exist (1146)"}},
		"no SQL":            {"--fail-sql", "SELECT <<.Reason>> FORM jobs WHERE", 78, []string{"--fail-sql", "(1064)"}},
		"more than one":     {"--take-sql", "SELECT seq AS id, seq AS payload FROM seq_1_to_2", 78, []string{"--take-sql", "it took 2 tasks at once", "LIMIT 1 FOR UPDATE SKIP LOCKED"}},
		"an unknown server": {"--tasks", `<<env "TASKS">>`, 64, []string{"--take-sql", "more behind the semicolon"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"run", "--store-wait=0s"}
			all := map[string]string{"--tasks": m.URL("&queue=jobs")}
			for flag, sql := range good {
				all[flag] = sql
			}
			all[tt.flag] = tt.value
			for flag, value := range all {
				args = append(args, flag+"="+value)
			}
			stdout, stderr, code := program.Nth(t, append(program.Secrets, "JOB_COMPLETION_INDEX=0", "TASKS=postgres://h/d?queue=q"), append(args, "--", "echo", "ran")...)
			if code != tt.code || stdout != "" || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d: %s%s", code, tt.code, stdout, stderr)
			}
			for _, text := range tt.says {
				if !strings.Contains(stderr, text) {
					t.Errorf("it doesn't say %q: %s", text, stderr)
				}
			}
		})
	}
	if n := m.Rows(t, "jobs WHERE status = 'new' AND tries = 0"); n != 1 {
		t.Error("the task isn't as it was")
	}
}

// TestStatementSecret: what the server says of a secret after the task is done is no
// more shown than before.
func TestStatementSecret(t *testing.T) {
	p := servers.StartPostgres(t)
	schema, statements := servers.Jobs(t)
	p.Exec(t, schema)
	p.Exec(t, `INSERT INTO jobs (body) VALUES ('{"text": "x"}')`)
	statements["--done-sql"] = `DELETE FROM jobs WHERE id = <<.TaskID>> AND tries > <<secret "TOKEN">>::int`
	args := []string{"run", "--tasks=" + p.URL("&queue=jobs"), "--max-tasks=1"}
	for flag, sql := range statements {
		args = append(args, flag+"="+sql)
	}
	stdout, stderr, code := program.Nth(t, append(program.Secrets, "JOB_COMPLETION_INDEX=0"), append(args, "--", "echo", "<<.Task>>")...)
	if code != 0 || stdout != "x\n" || !strings.Contains(stderr, `invalid input syntax for type integer: \"***\" (22P02); it will be delivered again`) || strings.Contains(stderr, "canary") {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
}
