//go:build linux

package main

import (
	"net/http"
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
		{"no credentials", "", nil, []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_EC2_METADATA_DISABLED=true"}, 77, "no credentials"},
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
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		for _, tt := range []struct {
			name    string
			command bool // it goes down while the command runs, not before
			back    bool
			flag    string // with which it is waited for
			code    int
			says    string
			effects int
		}{
			{"at the start", false, false, "--store-wait=300ms", 69, "refused", 0},
			{"at the start, and back", false, true, "--store-wait=1m", 0, "trying again", 1},
			{"at the marker", true, false, "--marker-timeout=300ms", 73, "not recorded", 1},
			{"at the marker, and back", true, true, "--marker-timeout=1m", 0, "trying again", 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				i := newItem(t, place, strings.ReplaceAll(tt.name, " ", "-"))
				door := matrix.NewDoor(t, place)
				i.base, i.flags = door.URL(), []string{tt.flag}
				if tt.command { // which ends when the server is gone
					i.script = "touch down; while [ ! -e gone ]; do sleep 0.05; done; " + work1
				} else {
					door.Close()
				}
				go func() {
					for tt.command && !i.exists("down") && t.Context().Err() == nil {
						time.Sleep(10 * time.Millisecond)
					}
					door.Close()
					i.write("gone", "")
					for tt.back && !strings.Contains(i.read("output-1"), "trying again") && t.Context().Err() == nil {
						time.Sleep(10 * time.Millisecond)
					}
					if tt.back {
						door.Open()
					}
				}()
				i.says(tt.code, tt.says)
				i.effects(tt.effects)
				if (i.marker() != nil) != tt.back {
					t.Errorf("the marker: %+v", i.marker())
				}
			})
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
