package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
	"nth/testdata/servers"
)

// kind gives an error's kind, -1 for none.
func kind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return -1
}

// refusals: each error is of the kind that says whether to try again, and none has a
// password in it.
func refusals(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	server.Exec(t, `CREATE USER reader IDENTIFIED BY 'reader-canary'; CREATE USER nobody IDENTIFIED BY 'nobody-canary'; CREATE USER locked IDENTIFIED BY 'locked-canary' ACCOUNT LOCK;
		GRANT SELECT ON work.`+q.table+` TO reader; CREATE TABLE narrow (id int, payload text, state text);
		CREATE TABLE keyless LIKE `+q.table+`; ALTER TABLE keyless DROP KEY nth_due`)
	as := func(user string) string {
		return "mysql://" + user + ":" + user + "-canary@" + server.Address + "/work?table=" + q.table
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n"))
			c.Close()
		}
	}()
	for name, row := range map[string]struct {
		address string
		kind    contract.Kind
		words   string
	}{
		"wrong password":       {"mysql://worker:wrong-canary@" + server.Address + "/work", contract.Denied, "Access denied for user 'worker'"},
		"no such user":         {"mysql://other:wrong-canary@" + server.Address + "/work", contract.Denied, "Access denied"},
		"a locked account":     {as("locked"), contract.Denied, "ccount is locked"},
		"no grant":             {as("nobody"), contract.Denied, "Access denied"},
		"no grant to write":    {as("reader"), contract.Denied, "command denied to user 'reader'"},
		"no such table":        {server.URL("&table=nowhere"), contract.NoSuch, "doesn't exist"},
		"no such schema":       {server.URL("&table=nowhere.nth_tasks"), contract.NoSuch, "nowhere"},
		"no such database":     {strings.Replace(server.URL(""), "/work?", "/nowhere?", 1), contract.NoSuch, "Unknown database"},
		"no such column":       {server.URL("&table=narrow"), contract.Refused, "nth_due"},
		"no such key":          {server.URL("&table=keyless"), contract.Refused, "nth_due"},
		"nobody listens":       {"mysql://worker:canary@127.0.0.1:1/work", contract.Unreachable, "connection refused"},
		"no such host":         {"mysql://worker:canary@nowhere.invalid/work", contract.Unreachable, "nowhere.invalid"},
		"no such socket":       {"mysql://worker:canary@/work?socket=/nowhere/s", contract.Unreachable, "/nowhere/s"},
		"another's server":     {"mysql://worker:canary@" + silent.Addr().String() + "/work", contract.Unreachable, ""},
		"unknown parameter":    {server.URL("&tabel=canary"), contract.Invalid, "unknown parameter tabel"},
		"mode":                 {"mysql://worker:canary@h/d?ssl-mode=canary", contract.Invalid, "ssl-mode"},
		"authorities unasked":  {"mysql://worker:canary@h/d?ssl-mode=REQUIRED&ssl-ca=canary", contract.Invalid, "ssl-ca"},
		"half a certificate":   {"mysql://worker:canary@h/d?ssl-cert=canary", contract.Invalid, "ssl-key"},
		"no user":              {"mysql://h/d", contract.Invalid, "no user"},
		"no database":          {"mysql://worker:canary@h", contract.Invalid, "no database"},
		"malformed parameters": {"mysql://worker:canary@h/d?table=%zz;canary", contract.Invalid, "malformed"},
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
				if strings.Contains(text, "canary") || strings.Contains(text, "\n") {
					t.Errorf("it shows %q", text)
				}
			}
		})
	}
}

// TestSenses: what servers say that aren't here.
func TestSenses(t *testing.T) {
	for name, row := range map[string]struct {
		is   mysql.MySQLError
		kind contract.Kind
		hint string
	}{
		"MySQL 5.7":            {mysql.MySQLError{Number: 1064, SQLState: [5]byte([]byte("42000")), Message: "You have an error in your SQL syntax near 'SKIP LOCKED' at line 1"}, contract.Unsupported, hintOld},
		"binlog_format":        {mysql.MySQLError{Number: 1665, SQLState: [5]byte([]byte("HY000"))}, contract.Unsupported, hintBinlog},
		"in recovery":          {mysql.MySQLError{Number: 1836, SQLState: [5]byte([]byte("HY000"))}, contract.Unreachable, hintReplica},
		"a read-only session":  {mysql.MySQLError{Number: 1792, SQLState: [5]byte([]byte("25006"))}, contract.Unreachable, hintReplica},
		"too many connections": {mysql.MySQLError{Number: 1203, SQLState: [5]byte([]byte("42000"))}, contract.Unreachable, ""},
		"a wait too long":      {mysql.MySQLError{Number: 1205, SQLState: [5]byte([]byte("HY000"))}, contract.Unreachable, ""},
		"no SQLSTATE":          {mysql.MySQLError{Number: 1040}, contract.Unreachable, ""},
	} {
		err := meaning(t.Context(), &row.is)
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != row.kind || e.Hint != row.hint {
			t.Errorf("%s: %+v", name, err)
		}
	}
	e, ok := errors.AsType[*contract.Error](meaning(t.Context(), mysql.ErrNoTLS))
	if !ok || e.Hint != hintNoTLS || strings.Contains(e.Hint, e.Cause.Error()) {
		t.Errorf("no TLS: %+v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e, ok := errors.AsType[*contract.Error](meaning(ctx, ctx.Err())); !ok || !strings.Contains(e.Hint, hintServer) {
		t.Errorf("no answer: %+v", e)
	}
}

// TestUnanswered: what a server says of a connection that it closes is no answer.
func TestUnanswered(t *testing.T) {
	for n, want := range map[uint16]bool{1927: true, 4031: true, 1053: true, 1213: false, 1064: false} {
		if got := unanswered(&mysql.MySQLError{Number: n}); got != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

// trusted: who the server is, is asked as ssl-mode says.
func trusted(t *testing.T, server *servers.MariaDB) {
	q := newQueue(t, server)
	_, port, _ := net.SplitHostPort(server.Address)
	for name, row := range map[string]struct {
		host, parameters, file string
		hint                   string // of an error
	}{
		"default":                  {"127.0.0.1", "", "", ""},
		"required":                 {"127.0.0.1", "ssl-mode=REQUIRED", "", ""},
		"identity":                 {"localhost", "ssl-mode=VERIFY_IDENTITY&ssl-ca=" + server.CA, "", ""},
		"identity, small letters":  {"localhost", "ssl-mode=verify_identity&ssl-ca=" + server.CA, "", ""},
		"identity, SSL_CERT_FILE":  {"localhost", "ssl-mode=VERIFY_IDENTITY", server.CA, ""},
		"authority alone":          {"127.0.0.1", "ssl-ca=" + server.CA, "", ""},
		"unknown authority":        {"localhost", "ssl-mode=VERIFY_IDENTITY", "", hintRoots},
		"unknown authority, no ID": {"localhost", "ssl-mode=VERIFY_CA", "", hintRoots},
		"another name":             {"127.0.0.2", "ssl-mode=VERIFY_IDENTITY&ssl-ca=" + server.CA, "", hintName},
	} {
		t.Run(name, func(t *testing.T) {
			os.Unsetenv("SSL_CERT_FILE")
			if row.file != "" {
				t.Setenv("SSL_CERT_FILE", row.file)
			}
			if row.host == "127.0.0.2" {
				forward(t, "127.0.0.2:"+port, server.Address)
			}
			s := open(t, "mysql://"+servers.MariaDBUser+"@"+row.host+":"+port+"/work?table="+q.table+"&"+row.parameters,
				task.Options{RunID: "a", Getenv: servers.Getenv([]string{"MYSQL_PWD=" + servers.MariaDBPassword})}).(*source)
			_, err := s.Unfinished(t.Context())
			if e, ok := errors.AsType[*contract.Error](err); ok != (row.hint != "") || ok && (e.Hint != row.hint || e.Kind != contract.Unreachable) {
				t.Fatalf("%v, %+v", err, e)
			}
			if row.hint != "" {
				return
			}
			a, err := s.ask(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'")
			if err != nil || len(statements.Content(a.Row[1])) == 0 {
				t.Errorf("TLS: %s, %v", a.Row, err)
			}
		})
	}
}

// forward lets a server be reached at another address, until the test ends.
func forward(t *testing.T, from, to string) {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pipe(c, to)
		}
	}()
}
