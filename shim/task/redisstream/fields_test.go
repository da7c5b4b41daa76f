package redisstream_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/task"
	"nth/testdata/servers"
)

// TestFields: what of an entry is the task.
func TestFields(t *testing.T) {
	q := newQueue(t, servers.StartRedis(t))
	s := q.worker(t, 0, "a")
	for _, tt := range []struct {
		fields  []any
		payload string
		meta    map[string]string
	}{
		{[]any{"payload", "a\x00\xff"}, "a\x00\xff", map[string]string{}},
		{[]any{"payload", "", "n", "\"<>&é"}, "", map[string]string{"n": "\"<>&é"}},
		{[]any{"a", "1", "payload", "p", "b", ""}, "p", map[string]string{"a": "1", "b": ""}},
		{[]any{"name", "a b", "id", "7"}, `{"id":"7","name":"a b"}`, nil},
		{[]any{"Payload", "<&>"}, `{"Payload":"<&>"}`, nil},
		{[]any{"", "\x00\n\"\\"}, `{"":"\u0000\n\"\\"}`, nil},
		{[]any{"x", "first", "x", "last"}, `{"x":"last"}`, nil},
	} {
		q.server.Do(t, "XADD", append([]any{q.name, "*"}, tt.fields...)...)
		got := take(t, s)
		if string(got.Payload) != tt.payload {
			t.Errorf("%q: %q, want %q", tt.fields, got.Payload, tt.payload)
		}
		if diff := cmp.Diff(tt.meta, got.Meta); diff != "" {
			t.Errorf("%q: meta (-want +got):\n%s", tt.fields, diff)
		}
	}
}

// TestManyFields: an entry with more fields than a script can pass on is put aside
// without them, and stops nobody.
func TestManyFields(t *testing.T) {
	q := newQueue(t, servers.StartRedis(t))
	fields := []any{q.name, "*"}
	for i := range 10_000 {
		fields = append(fields, i, "x")
	}
	q.server.Do(t, "XADD", fields...)
	s := open(t, q.url, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	got := take(t, s)
	if dead, err := s.Fail(t.Context(), got, task.Failure{Reason: "bad"}); !dead || err != nil {
		t.Error(dead, err)
	}
	if dead := q.entries(t, q.key("dead"), "-"); len(dead) != 1 || dead[0]["nth_id"] != got.ID || len(dead[0]) != 5 {
		t.Errorf("%v", dead)
	}
}
