package mysql

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// tables numbers the tables of the tests.
var tables atomic.Int64

// queue is a table of a test's own, which workers reach at an address.
type queue struct {
	server  *servers.MariaDB
	table   string
	address func(more string) string
}

func newQueue(t testing.TB, server *servers.MariaDB) *queue {
	t.Helper()
	q := &queue{server: server, table: fmt.Sprint("tasks_", tables.Add(1)), address: server.URL}
	server.Exec(t, strings.ReplaceAll(Schema, DefaultTable, q.table))
	return q
}

func (q *queue) Open(t testing.TB, o task.Options) task.Source {
	t.Helper()
	return open(t, q.address("&table="+q.table), o)
}

func open(t testing.TB, address string, o task.Options) task.Source {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(u, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func (q *queue) Fill(t testing.TB, payloads ...[]byte) {
	t.Helper()
	for _, p := range payloads {
		q.server.Exec(t, "INSERT INTO "+q.table+" (payload) VALUES (?)", p)
	}
}

func (q *queue) Dead(t testing.TB) [][]byte {
	t.Helper()
	return q.payloads(t, "SELECT payload FROM "+q.table+" WHERE state = 'dead' ORDER BY id")
}

func (q *queue) payloads(t testing.TB, query string) (all [][]byte) {
	t.Helper()
	rows, err := q.server.DB.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var p []byte
		if err := rows.Scan(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func (q *queue) Left(t testing.TB) int {
	return q.server.Rows(t, q.table+" WHERE state NOT IN ('done', 'dead')")
}

// TestSource runs the suite.
func TestSource(t *testing.T) {
	server := servers.StartMariaDB(t, odd...)
	tasks.Run(t, tasks.Harness{
		New:     func(t testing.TB) tasks.Queue { return newQueue(t, server) },
		Missing: func(t testing.TB, o task.Options) task.Source { return open(t, server.URL("&table=nowhere"), o) },
		Lease:   time.Second,
	})
}
