package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// ask opens a table at an address and asks it something.
func ask(t testing.TB, address string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(u, task.Options{RunID: "a", Lease: time.Minute})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Unfinished(t.Context())
	return err
}

// at sets what the environment says, and nothing of this machine's.
func at(t testing.TB, env map[string]string) {
	t.Setenv("HOME", t.TempDir())
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "SSL_CERT_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

// TestSettings: what the URL doesn't say, the environment does, as for psql.
func TestSettings(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	host, port, _ := net.SplitHostPort(server.Address)
	at(t, nil)
	passwords := filepath.Join(t.TempDir(), "passwords")
	line := strings.Join([]string{host, port, "postgres", servers.PostgresUser, servers.PostgresPassword}, ":")
	if err := os.WriteFile(passwords, []byte("# a comment\nother:*:*:*:wrong\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), ".pgpass"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	home := os.Getenv("HOME")
	for name, row := range map[string]struct {
		address string
		env     map[string]string
	}{
		"URL":          {server.URL(""), nil},
		"parameters":   {"postgres:///?sslmode=disable&host=" + host + "&port=" + port + "&user=postgres&dbname=postgres&password=" + url.QueryEscape(servers.PostgresPassword), nil},
		"postgresql":   {strings.Replace(server.URL(""), "postgres:", "postgresql:", 1), nil},
		"variables":    {"postgres:///?", map[string]string{"PGHOST": host, "PGPORT": port, "PGUSER": "postgres", "PGDATABASE": "postgres", "PGPASSWORD": servers.PostgresPassword, "PGSSLMODE": "disable"}},
		"URL first":    {server.URL(""), map[string]string{"PGHOST": "nowhere.invalid", "PGPORT": "1", "PGUSER": "x", "PGDATABASE": "x", "PGPASSWORD": "x"}},
		"PGPASSFILE":   {"postgres://postgres@" + server.Address + "/postgres?sslmode=disable", map[string]string{"PGPASSFILE": passwords}},
		"passfile":     {"postgres://postgres@" + server.Address + "/postgres?sslmode=disable&passfile=" + passwords, nil},
		".pgpass":      {"postgres://postgres@" + server.Address + "/postgres?sslmode=disable", map[string]string{"HOME": home}},
		"two hosts":    {"postgres:///postgres?host=127.0.0.1,127.0.0.1&port=1," + port + "&user=postgres&sslmode=disable&target_session_attrs=read-write", map[string]string{"PGPASSWORD": servers.PostgresPassword}},
		"pooler's own": {servers.StartPgBouncer(t, server).URL("&application_name=x"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			at(t, row.env)
			if err := ask(t, row.address+"&table="+q.table); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTLS: who the server is, is asked as sslmode says, of the authorities that are
// named in PostgreSQL's way or for all of nth.
func TestTLS(t *testing.T) {
	server := servers.StartPostgres(t)
	q := newQueue(t, server)
	_, port, _ := net.SplitHostPort(server.Address)
	for name, row := range map[string]struct {
		parameters string
		env        map[string]string
		hint       string // of an error
	}{
		"require":                     {"sslmode=require", nil, ""},
		"default":                     {"", nil, ""},
		"verify-full":                 {"sslmode=verify-full&sslrootcert=" + server.CA, nil, ""},
		"verify-full, variable":       {"sslmode=verify-full", map[string]string{"PGSSLROOTCERT": server.CA}, ""},
		"verify-full, SSL_CERT_FILE":  {"sslmode=verify-full", map[string]string{"SSL_CERT_FILE": server.CA}, ""},
		"verify-ca, SSL_CERT_FILE":    {"sslmode=verify-ca", map[string]string{"SSL_CERT_FILE": server.CA}, ""},
		"system, SSL_CERT_FILE":       {"sslrootcert=system", map[string]string{"SSL_CERT_FILE": server.CA}, ""},
		"verify-full, unknown":        {"sslmode=verify-full", nil, hintRoots},
		"verify-ca, unknown":          {"sslmode=verify-ca", nil, hintRoots},
		"system, unknown":             {"sslrootcert=system", nil, hintRoots},
		"verify-ca, another name":     {"sslmode=verify-ca&host=other.example&hostaddr=127.0.0.1", map[string]string{"SSL_CERT_FILE": server.CA}, ""},
		"verify-full, another name":   {"sslmode=verify-full&host=other.example&hostaddr=127.0.0.1", map[string]string{"SSL_CERT_FILE": server.CA}, hintName},
		"verify-full, name unsent":    {"sslmode=verify-full&sslsni=0&host=other.example&hostaddr=127.0.0.1", map[string]string{"SSL_CERT_FILE": server.CA}, hintName},
		"verify-full, name, own file": {"sslmode=verify-full&host=other.example&hostaddr=127.0.0.1&sslrootcert=" + server.CA, nil, hintName},
	} {
		t.Run(name, func(t *testing.T) {
			at(t, row.env)
			t.Setenv("PGPASSWORD", servers.PostgresPassword)
			app := strings.NewReplacer(" ", "_", ",", "").Replace(name)
			s := open(t, "postgres://postgres@localhost:"+port+"/postgres?table="+q.table+"&application_name="+app+"&"+row.parameters, task.Options{RunID: "a"})
			_, err := s.Unfinished(t.Context())
			if e, ok := errors.AsType[*contract.Error](err); ok != (row.hint != "") || ok && (e.Hint != row.hint || e.Kind != contract.Unreachable) {
				t.Fatalf("%v, %+v", err, e)
			}
			if row.hint != "" {
				return
			}
			var secure bool
			if err := server.DB.QueryRow("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1", app).Scan(&secure); err != nil || !secure {
				t.Errorf("TLS: %v, %v", secure, err)
			}
		})
	}
}

// TestErrors: each error is of the kind that says whether to try again, and none has a
// password in it.
func TestErrors(t *testing.T) {
	server := servers.StartPostgres(t)
	bouncer := servers.StartPgBouncer(t, server)
	q := newQueue(t, server)
	server.Exec(t, `CREATE ROLE reader LOGIN PASSWORD 'reader-canary'; CREATE ROLE nobody LOGIN PASSWORD 'nobody-canary';
		CREATE TABLE narrow (id int, payload text, state text); CREATE TABLE wrong (LIKE `+q.table+`); ALTER TABLE wrong ALTER worker TYPE text`)
	server.Exec(t, "GRANT SELECT ON "+q.table+" TO reader")
	at(t, nil)
	reader := "postgres://reader:reader-canary@" + server.Address + "/postgres?sslmode=disable&table=" + q.table
	for name, row := range map[string]struct {
		address string
		kind    contract.Kind
		words   string
	}{
		"wrong password":       {"postgres://postgres:wrong-canary@" + server.Address + "/postgres?sslmode=disable", contract.Denied, "password authentication failed"},
		"wrong parameter":      {"postgres://postgres@" + server.Address + "/postgres?sslmode=disable&password=wrong-canary", contract.Denied, "password authentication failed"},
		"no such user":         {"postgres://canary-user:wrong-canary@" + server.Address + "/postgres?sslmode=disable", contract.Denied, "password authentication failed"},
		"no grant":             {strings.ReplaceAll(reader, "reader", "nobody"), contract.Denied, "permission denied for table"},
		"no grant to write":    {reader, contract.Denied, "permission denied for table"},
		"no such table":        {server.URL("&table=nowhere"), contract.NoSuch, `relation "nowhere" does not exist`},
		"no such schema":       {server.URL("&table=nowhere.nth_tasks"), contract.NoSuch, "does not exist"},
		"no such database":     {strings.Replace(server.URL(""), "/postgres?", "/nowhere?", 1), contract.NoSuch, `database "nowhere" does not exist`},
		"no such column":       {server.URL("&table=narrow"), contract.Refused, "does not exist"},
		"column of a type":     {server.URL("&table=wrong"), contract.Refused, "operator does not exist"},
		"nobody listens":       {"postgres://postgres:canary@127.0.0.1:1/postgres?sslmode=disable", contract.Unreachable, "connection refused"},
		"no such host":         {"postgres://postgres:canary@nowhere.invalid/postgres?sslmode=disable", contract.Unreachable, "nowhere.invalid"},
		"no TLS":               {strings.Replace(bouncer.URL(""), "sslmode=disable", "sslmode=require", 1), contract.Unsupported, "the server has no TLS"},
		"standby":              {server.URL("&table=" + q.table + "&options=-c%20default_transaction_read_only%3Don"), contract.Unreachable, "read-only transaction"},
		"only standbys":        {server.URL("&target_session_attrs=standby"), contract.Unreachable, "server is not in hot standby mode"},
		"unknown parameter":    {server.URL("&tabel=canary"), contract.Invalid, "unknown parameter tabel"},
		"mode":                 {"postgres://postgres:canary@h/d?sslmode=canary", contract.Invalid, "sslmode"},
		"timeout":              {"postgres://postgres:canary@h/d?connect_timeout=canary", contract.Invalid, "connect_timeout"},
		"address":              {"postgres://postgres:canary@h/d?hostaddr=canary", contract.Invalid, "hostaddr"},
		"ports":                {"postgres://postgres:canary@h/d?port=canary", contract.Invalid, "port"},
		"malformed parameters": {"postgres://postgres:canary@h/d?table=%zz;canary", contract.Invalid, "malformed"},
		"empty table":          {server.URL("&table="), contract.Invalid, "the parameter table"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(row.address)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(u, task.Options{RunID: "a", Lease: time.Minute})
			if err == nil {
				defer s.Close()
				if text := fmt.Sprint(s); strings.Contains(text, "canary") {
					t.Errorf("the source shows itself as %s", text)
				}
				_, err = s.Take(t.Context())
			}
			e, ok := errors.AsType[*contract.Error](err)
			if !ok || e.Kind != row.kind || !strings.Contains(e.Error(), row.words) {
				t.Fatalf("%v, %+v", err, e)
			}
			if strings.Contains(e.Hint, e.Cause.Error()) {
				t.Errorf("the hint says the cause again: %s", e.Hint)
			}
			for _, text := range []string{e.Error(), e.Hint, fmt.Sprintf("%+v", e.Cause)} {
				if strings.Contains(strings.ReplaceAll(text, "canary-user", ""), "canary") || strings.Contains(text, "\n") {
					t.Errorf("it shows %q", text)
				}
			}
		})
	}
}

// TestFile: a file that is named and isn't there can't be what was meant.
func TestFile(t *testing.T) {
	server := servers.StartPostgres(t)
	at(t, nil)
	err := ask(t, strings.Replace(server.URL("&sslrootcert=/nowhere/root.crt"), "sslmode=disable", "sslmode=verify-full", 1))
	if kind(err) != contract.Invalid || !strings.Contains(err.Error(), "/nowhere/root.crt") {
		t.Error(err)
	}
}

// TestEnded: a context that has ended is no reason to wait for anything.
func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := open(t, "postgres://h.invalid/d", task.Options{})
	if _, err := s.Take(ctx); kind(err) != contract.Unreachable || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	err := meaning(ctx, ctx.Err())
	if e, ok := errors.AsType[*contract.Error](err); !ok || !strings.Contains(e.Hint, hintServer) {
		t.Errorf("it doesn't say what to look at: %+v", err)
	}
}

// TestName: the same table has the same name, wherever its server is.
func TestName(t *testing.T) {
	at(t, map[string]string{"PGUSER": "me"})
	for address, want := range map[string]string{
		"postgres://a:secret@one/db?table=t":     "db/t",
		"postgresql://two:6432/db?table=t":       "db/t",
		"postgres:///?host=three&dbname=db":      "db/nth_tasks",
		"postgres://b@four?table=s.t":            "b/s.t",
		"postgres://four?table=t":                "me/t",
		"postgres://four/db?table=t&sslmode=bad": "db/t",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := Name(u); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
