//go:build linux

package faults

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
			i := matrix.NewItem(t, place, strings.ReplaceAll(tt.name, " ", "-"))
			i.Flags, i.Base, i.Env = matrix.Quick, f.URL, tt.env
			i.Says(tt.code, tt.says)
			i.Effects(map[int]int{73: 1}[tt.code])
			if m := i.Marker(); m != nil {
				t.Errorf("there is a marker: %+v", m)
			}
		})
	}
	t.Run("no such bucket", func(t *testing.T) {
		elsewhere := *place
		elsewhere.URL = func(base, prefix string) string {
			return strings.Replace(place.URL(base, prefix), "s3://bucket/", "s3://nobucket/", 1)
		}
		i := matrix.NewItem(t, &elsewhere, "m")
		i.Flags = matrix.Quick
		i.Says(69, "NoSuchBucket")
		i.Effects(0)
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
			i := matrix.NewItem(t, place, "m")
			i.Flags = matrix.Quick
			i.Says(65, "m/done/5.json")
			i.Effects(0)
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
				i := matrix.NewItem(t, place, strings.ReplaceAll(tt.name, " ", "-"))
				door := matrix.NewDoor(t, place)
				i.Base, i.Flags = door.URL(), []string{tt.flag}
				if tt.command { // which ends when the server is gone
					i.Script = "touch down; while [ ! -e gone ]; do sleep 0.05; done; " + matrix.Work
				} else {
					door.Close()
				}
				go func() {
					for tt.command && !i.Exists("down") && t.Context().Err() == nil {
						time.Sleep(10 * time.Millisecond)
					}
					door.Close()
					i.Write("gone", "")
					for tt.back && !strings.Contains(i.Read("output-1"), "trying again") && t.Context().Err() == nil {
						time.Sleep(10 * time.Millisecond)
					}
					if tt.back {
						door.Open()
					}
				}()
				i.Says(tt.code, tt.says)
				i.Effects(tt.effects)
				if (i.Marker() != nil) != tt.back {
					t.Errorf("the marker: %+v", i.Marker())
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
	i := matrix.NewItem(t, place, "m")
	with := func(flags ...string) { i.Flags = append(matrix.Quick[:len(matrix.Quick):len(matrix.Quick)], flags...) }
	with()
	i.Says(0, "recorded")
	first := i.Marker()
	i.Script += "; true"
	i.Says(65, "--on-change")
	i.Effects(1)
	with("--on-change", "skip")
	i.Says(0, "accepted")
	i.Effects(1)
	with("--on-change", "rerun")
	i.Says(0, "recorded")
	i.Effects(2)
	second := i.Marker()
	if first.RunID == second.RunID || first.Digest == second.Digest {
		t.Errorf("the marker wasn't replaced: %+v", second)
	}
	if place.Server == nil {
		return
	}
	// Two of them at once: the one that comes second finds another version.
	i.Script += "; exit 0"
	inner := matrix.NewItem(t, place, "m")
	inner.Flags, inner.Script = i.Flags, matrix.Work+"; exit 0 # another"
	f := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		if r.Method != http.MethodGet && about(r, "done") {
			inner.Says(0, "recorded")
		}
		return nil
	})
	i.Base = f.URL
	i.Says(65, "another command")
	if m := i.Marker(); !strings.Contains(strings.Join(m.Command, " "), "# another") {
		t.Errorf("the marker is of %q", m.Command)
	}
}
