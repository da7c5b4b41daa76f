//go:build linux

package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// TestAnswersS3 is what S3 itself may answer, for which other stores have other words.
func TestAnswersS3(t *testing.T) {
	place := startPlace(t, "s3")
	for _, tt := range []struct {
		name   string
		method string // of the requests about the marker that get the answer
		answer servers.Action
		env    []string
		code   int
		says   string
	}{
		{"a wrong secret", "", nil, []string{"AWS_SECRET_ACCESS_KEY=canary"}, 77, "SignatureDoesNotMatch"},
		{"an unknown key", "", nil, []string{"AWS_ACCESS_KEY_ID=unknown", "AWS_SECRET_ACCESS_KEY=canary"}, 77, "AWS_ACCESS_KEY_ID"},
		{"no credentials", "", nil, []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, 77, "no credentials"},
		{"another region", "", nil, []string{"AWS_REGION=eu-west-9"}, 69, "region"},
		{"403", "GET", servers.S3Error(403, "AccessDenied"), nil, 77, "s3:ListBucket"},
		{"an expired token", "GET", servers.S3Error(400, "ExpiredToken"), nil, 77, "expired"},
		{"moved", "GET", servers.S3Error(301, "PermanentRedirect"), nil, 69, "region"},
		{"a 404 that isn't S3's", "GET", servers.Answer(404, "<html>not here</html>"), nil, 69, "404"},
		{"a 404 without a body", "GET", servers.Answer(404, ""), nil, 69, "404"},
		{"a page instead of a marker", "GET", servers.Answer(200, "<html>log in</html>"), nil, 69, "ETag"},
		{"slow down", "GET", servers.S3Error(503, "SlowDown"), nil, 69, "SlowDown"},
		{"an internal error", "PUT", servers.S3Error(500, "InternalError"), nil, 73, "InternalError"},
		{"the write is refused", "PUT", servers.S3Error(403, "AccessDenied"), nil, 73, "not recorded"},
		{"the write meets another", "PUT", servers.S3Error(409, "ConditionalRequestConflict"), nil, 73, "ConditionalRequestConflict"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := place.Fault(t, func(_ int, r *http.Request) servers.Action {
				if r.Method == tt.method && about(r, "done") {
					return tt.answer
				}
				return nil
			})
			i := newItem(t, place, strings.ReplaceAll(tt.name, " ", "-"))
			i.flags, i.base, i.env = quick, f.URL, tt.env
			i.says(tt.code, tt.says)
			i.effects(map[int]int{73: 1}[tt.code])
			if m := i.marker(); m != nil {
				t.Errorf("there is a marker: %+v", m)
			}
		})
	}
	t.Run("no such bucket", func(t *testing.T) {
		elsewhere := *place
		elsewhere.URL = func(base, prefix string) string {
			return strings.Replace(place.URL(base, prefix), "s3://bucket/", "s3://nobucket/", 1)
		}
		i := newItem(t, &elsewhere, "m")
		i.flags = quick
		i.says(69, "NoSuchBucket")
		i.effects(0)
	})
}

// startPlace starts the store of a name.
func startPlace(t *testing.T, name string) *matrix.Place {
	t.Helper()
	for row := range matrix.Stores {
		if matrix.Stores[row].Name == name {
			return matrix.Start(t, row)
		}
	}
	t.Fatalf("there is no store %s", name)
	return nil
}

// about tells whether a request is about a document in this directory.
func about(r *http.Request, dir string) bool {
	return strings.Contains(r.URL.Path+" "+r.URL.Query().Get("name"), "/"+dir+"/")
}

// TestTruncatedMarker: half a marker is neither done nor not done.
func TestTruncatedMarker(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			place := matrix.Start(t, row)
			half := `{"version": 1, "index": 5, "run_id": "x", "outc`
			s := place.Open(t, "m")
			if err := s.Put(t.Context(), "done/5.json", []byte(half)); err != nil {
				t.Fatal(err)
			}
			i := newItem(t, place, "m")
			i.flags = quick
			i.says(65, "m/done/5.json")
			i.effects(0)
			if body, _, err := s.Read(t.Context(), "done/5.json"); err != nil || string(body) != half {
				t.Errorf("the marker is %q (%v)", body, err)
			}
		})
	}
}

// TestServerDown: the server comes back within the wait, or doesn't.
func TestServerDown(t *testing.T) {
	place := startPlace(t, "s3")
	later := func() {
		time.Sleep(time.Second)
		if err := place.Server.Start(); err != nil {
			t.Error(err)
		}
	}
	down := func(t *testing.T, prefix string, flags ...string) *item {
		i := newItem(t, place, prefix)
		i.flags = append(i.flags, append(quick[:len(quick):len(quick)], flags...)...)
		return i
	}
	t.Run("at the start", func(t *testing.T) {
		place.Server.Stop()
		i := down(t, "start")
		i.says(69, "refused")
		i.effects(0)
	})
	t.Run("at the start, and back", func(t *testing.T) {
		i := down(t, "back", "--store-wait", "1m")
		go later()
		i.says(0, "trying again")
		i.effects(1)
	})
	// The command ends when the server is gone.
	waiting := "touch down; while [ ! -e gone ]; do sleep 0.05; done; " + work1
	stop := func(i *item) {
		for !i.exists("down") {
			time.Sleep(10 * time.Millisecond)
		}
		place.Server.Stop()
		if err := os.WriteFile(i.dir+"/gone", nil, 0o644); err != nil {
			t.Error(err)
		}
	}
	t.Run("at the marker", func(t *testing.T) {
		i := down(t, "marker")
		i.script = waiting
		go stop(i)
		i.says(73, "not recorded")
		i.effects(1)
	})
	t.Run("at the marker, and back", func(t *testing.T) {
		if err := place.Server.Start(); err != nil {
			t.Fatal(err)
		}
		i := down(t, "marker2", "--marker-timeout", "1m")
		i.script = waiting
		go func() {
			stop(i)
			later()
		}()
		i.says(0, "recorded as done")
		i.effects(1)
		if i.marker() == nil {
			t.Error("there is no marker")
		}
	})
}

// TestOnChange: a marker of another command is replaced on the condition of its
// version.
func TestOnChange(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			onChange(t, matrix.Start(t, row))
		})
	}
}

func onChange(t *testing.T, place *matrix.Place) {
	i := newItem(t, place, "m")
	with := func(flags ...string) { i.flags = append(quick[:len(quick):len(quick)], flags...) }
	with()
	i.says(0, "recorded")
	first := i.marker()
	i.script += "; true"
	i.says(65, "--on-change")
	i.effects(1)
	with("--on-change", "skip")
	i.says(0, "accepted")
	i.effects(1)
	with("--on-change", "rerun")
	i.says(0, "recorded")
	i.effects(2)
	second := i.marker()
	if first.RunID == second.RunID || first.Digest == second.Digest {
		t.Errorf("the marker wasn't replaced: %+v", second)
	}
	if place.Server == nil {
		return
	}
	// Two of them at once: the one that comes second finds another version.
	i.script += "; exit 0"
	inner := newItem(t, place, "m")
	inner.flags, inner.script = i.flags, work1+"; exit 0 # another"
	f := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		if r.Method != http.MethodGet && about(r, "done") {
			inner.says(0, "recorded")
		}
		return nil
	})
	i.base = f.URL
	i.says(65, "another command")
	if m := i.marker(); !strings.Contains(strings.Join(m.Command, " "), "# another") {
		t.Errorf("the marker is of %q", m.Command)
	}
}
