package postgres

import (
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// TestLateTake: a server may be at a take whose connection is lost until long after that: its
// commit waits for a standby, say; here, for the test. The worker doesn't leave while a task
// may still become its own, and works at it then.
func TestLateTake(t *testing.T) {
	server := servers.StartPostgres(t)
	q, p := throughProxy(t, server)
	q.Fill(t, []byte("x"))
	s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	held, err := server.DB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, sql := range []string{
		"CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END'",
		"CREATE TRIGGER waits BEFORE UPDATE ON " + q.table + " FOR EACH ROW EXECUTE FUNCTION wait()",
		"SELECT pg_advisory_lock(1)",
	} {
		if _, err := held.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	took := make(chan error, 1)
	go func() {
		_, err := s.Take(t.Context())
		took <- err
	}()
	waits := func() (n int) {
		if err := server.DB.QueryRow("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	harness.Await(t, func() bool { return waits() == 1 }, func() string { return "the take isn't there" })
	p.cut()
	if err := <-took; kind(err) != contract.Unreachable {
		t.Fatalf("with the connection lost: %v", err)
	}
	if got, err := s.Take(t.Context()); got != nil || err != nil {
		t.Fatalf("took %+v, %v", got, err)
	}
	if left, err := s.Unfinished(t.Context()); !left || err != nil {
		t.Fatalf("unfinished: %v, %v", left, err)
	}
	if _, err := held.ExecContext(t.Context(), "SELECT pg_advisory_unlock(1)"); err != nil {
		t.Fatal(err)
	}
	harness.Await(t, func() bool { return waits() == 0 }, func() string { return "the take doesn't end" })
	var got *task.Task
	harness.Await(t, func() bool {
		if got, err = s.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
		return got != nil
	}, func() string { return "the task isn't given" })
	if got.Attempt != 1 {
		t.Errorf("took %+v", got)
	}
	if err := s.Done(t.Context(), got); err != nil {
		t.Error(err)
	}
}
