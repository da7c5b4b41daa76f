package status

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/testdata/servers"
)

func setEnv(t *testing.T, variables []string) {
	t.Helper()
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

// TestServers: listings of several pages, and directories in a listing, are read alike
// from every store's server.
func TestServers(t *testing.T) {
	const n = 1234
	for _, server := range []struct {
		name  string
		start func(t *testing.T) (url string)
	}{
		{"MinIO", func(t *testing.T) string {
			s := servers.StartMinIO(t)
			s.Bucket(t, "data")
			setEnv(t, servers.S3Env())
			return s.URL("data", "runs/a b")
		}},
		{"Google", func(t *testing.T) string {
			s := servers.StartGCS(t)
			s.Bucket(t, "data")
			setEnv(t, servers.GCSEnv(s.Address))
			return "gs://data/runs"
		}},
		{"Azure", func(t *testing.T) string {
			s := servers.StartAzurite(t)
			s.Container(t, "data")
			setEnv(t, servers.AzureEnv(s.Address))
			return "azblob://data/runs"
		}},
	} {
		t.Run(server.name, func(t *testing.T) {
			s := open(t, server.start(t))
			keys := []string{"failed/3.json", "done/tasks/" + strings.Repeat("a", 64) + ".json", "progress/7/a.json", "progress/7/b.json", "started/9.json", "claim/9.json"}
			for i := range n {
				if i > 20 {
					keys = append(keys, fmt.Sprintf("done/%d.json", i))
				}
			}
			if err := store.Each(t.Context(), len(keys), func(ctx context.Context, i int) error {
				body := `{"index": 3, "version": 1, "run_id": "r", "exit_code": 9, "command_exit_code": 9, "ttl": "1h"}`
				return s.Put(ctx, keys[i], []byte(body))
			}); err != nil {
				t.Fatal(err)
			}
			r, _, err := Look(t.Context(), Options{Store: s, Of: identity.Whole(n), Policy: once, Read: maxRead})
			if err != nil {
				t.Fatal(err)
			}
			want := Lists{Done: "21-1233", Failed: "3", Running: "9", Started: "7", Missing: "0-2,4-6,8,10-20"}
			if diff := cmp.Diff(want, r.Lists); diff != "" {
				t.Error(diff)
			}
			if len(r.Failures) != 1 || r.Failures[0].Reason != "exit-9" || r.Tasks == nil || r.Tasks.Done != 1 {
				t.Errorf("%+v %+v", r.Failures, r.Tasks)
			}
			item, err := LookAt(t.Context(), Options{Store: s, Policy: once}, 21)
			if err != nil || item.State != "done" {
				t.Errorf("%+v %v", item, err)
			}
		})
	}
}

// TestAbsentIsAbsent: a bucket that isn't there, and one that may not be read, are no
// Jobs of which everything is missing.
func TestAbsentIsAbsent(t *testing.T) {
	server := servers.StartMinIO(t)
	server.Bucket(t, "data")
	setEnv(t, servers.S3Env())
	look := func(bucket string) error {
		_, err := Scan(t.Context(), open(t, server.URL(bucket, "m")), identity.Whole(10), once, nil)
		return err
	}
	if err := look("data"); err != nil {
		t.Error(err)
	}
	if err := look("another"); err == nil || failure.From(err).Code != failure.Unavailable {
		t.Errorf("%v, want code 69", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	if err := look("data"); err == nil || failure.From(err).Code != failure.Denied {
		t.Errorf("%v, want code 77", err)
	}
	server.Stop()
	if err := look("data"); err == nil || failure.From(err).Code != failure.Unavailable {
		t.Errorf("%v, want code 69", err)
	}
}

// TestReadsOnce: each record is asked for once, also where it tells of which array its index
// is; and of a queue's tasks what is done is listed after what failed and what was skipped,
// whatever the rest of the look takes.
func TestReadsOnce(t *testing.T) {
	server := servers.StartS3(t)
	server.Bucket(t, "data")
	setEnv(t, servers.S3Env())
	const failed = 6
	for i := range failed {
		server.Put(t, "data", fmt.Sprintf("m/failed/%d.json", i), fmt.Appendf(nil, `{"version": 1, "index": %d, "run_id": "r", "platform": "slurm", "exit_code": 9, "command_exit_code": 9}`, i))
	}
	held := make(chan struct{})
	var mu sync.Mutex
	var asked []string
	through := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		prefix := r.URL.Query().Get("prefix")
		asked = append(asked, strings.TrimPrefix(r.URL.Path+prefix, "/data/"))
		switch prefix {
		case "m/done/":
			return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
				<-held
				servers.Pass(f, w, r)
			}
		case "m/done/tasks/":
			close(held)
		}
		return nil
	})
	s := open(t, "s3://data/m?use_path_style=true&endpoint="+through.URL)
	r, _, err := Look(t.Context(), Options{Store: s, Of: identity.Whole(failed), Policy: once, Read: maxRead, Rerun: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sbatch --array=0-5"}, r.Rerun); diff != "" {
		t.Error(diff)
	}
	seen := map[string]int{}
	for i, key := range asked {
		if seen[key]++; key == "m/done/tasks/" && !(slices.Contains(asked[:i], "m/failed/tasks/") && slices.Contains(asked[:i], "m/skipped/tasks/")) {
			t.Errorf("%s is asked for before what it needs: %q", key, asked)
		}
	}
	for key, n := range seen {
		if n > 1 {
			t.Errorf("%s is asked for %d times", key, n)
		}
	}
	if len(asked) != 9+failed {
		t.Errorf("%d requests: %q", len(asked), asked)
	}
}
