package check_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/testdata/servers"
)

// helperURL makes the test binary `nth check`, for tests of another user and of
// signals.
const helperURL = "NTH_TEST_CHECK_URL"

func TestMain(m *testing.M) {
	url := os.Getenv(helperURL)
	if url == "" {
		os.Exit(m.Run())
	}
	err := check.Command(check.Config{Store: config.Store{Markers: url, StoreTimeout: time.Minute}, Format: "json"}, nil, check.World{
		Process: edge.NewProcess(edge.World{LookupEnv: os.LookupEnv, RunID: "helper", Stderr: os.Stderr}), Stdout: os.Stdout})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(int(failure.From(err).Code))
	}
}

// run checks a store, and removes nothing that the check left.
func run(t *testing.T, ctx context.Context, url string, wait time.Duration) *check.Report {
	t.Helper()
	r := check.Run(ctx, check.Options{URL: url, RunID: "test", Wait: wait, Timeout: time.Minute})
	if err := r.Err(); (err != nil) != (r.ExitCode != 0) || err != nil && int(failure.From(err).Code) != r.ExitCode {
		t.Errorf("the error is %v, the exit code %d", err, r.ExitCode)
	}
	for _, x := range r.Results {
		if text := x.Why + x.Hint; strings.Contains(text, "canary") || strings.ContainsAny(text, "\r\n") {
			t.Errorf("%s: a secret, or a second line: %q", x.ID, text)
		}
	}
	return r
}

// left lists what is in a store.
func left(t *testing.T, url string) (keys []string) {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
		keys = append(keys, key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return keys
}

// want is what a report should say.
type want struct {
	bad     string // id=status of every probe that didn't go well
	code    int
	missing []string
	lacks   string   // uses that the store can't serve
	says    string   // somewhere in the reasons and hints
	left    []string // keys
}

// Uses, as the report names them.
const (
	rerun   = "--on-change=rerun"
	replace = rerun + " --claim"
	every   = "--markers --on-change=rerun --record-start and failure records --claim server-side copy"
)

func compare(t *testing.T, r *check.Report, w want, url string) {
	t.Helper()
	got := want{code: r.ExitCode, says: w.says, left: left(t, url)}
	if len(r.Missing) > 0 {
		got.missing = r.Missing
	}
	var bad, lacks []string
	reasons := ""
	for _, x := range r.Results {
		if x.Status != check.OK {
			bad = append(bad, x.ID+"="+string(x.Status))
			reasons += fmt.Sprintf("%s: %s (%s)\n", x.ID, x.Why, x.Hint)
		}
	}
	for _, x := range r.Results {
		if x.Permission != "" && x.ID != "absent" && x.Tries != 1 {
			t.Errorf("%s: tried %d times, though it was refused", x.ID, x.Tries)
		}
	}
	for _, u := range r.Uses {
		if !u.Yes {
			lacks = append(lacks, u.Name)
		}
	}
	got.bad, got.lacks = strings.Join(bad, " "), strings.Join(lacks, " ")
	if diff := cmp.Diff(w, got, cmp.AllowUnexported(want{})); diff != "" {
		t.Errorf("(-want +got):\n%s%s", diff, reasons)
	}
	if !strings.Contains(reasons, w.says) {
		t.Errorf("it doesn't say %q:\n%s", w.says, reasons)
	}
	if len(r.Left) != len(w.left) {
		t.Errorf("it says %v is left, and %v is", r.Left, w.left)
	}
}

// setEnv sets variables that stand as NAME=VALUE.
func setEnv(t *testing.T, variables []string) {
	t.Helper()
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

// TestServes: every kind of store that nth knows serves everything, but the one for
// tests, which has no versions.
func TestServes(t *testing.T) {
	for _, c := range []struct {
		name string
		url  func(t *testing.T) string
		want want
	}{
		{"file", func(t *testing.T) string { return "file://" + t.TempDir() + "/markers" }, want{}},
		{"s3", func(t *testing.T) string { return through(t, s3Server(t), nil) }, want{}},
		{"gcs", func(t *testing.T) string {
			server := servers.StartGCS(t)
			server.Bucket(t, "data")
			setEnv(t, servers.GCSEnv(server.Address))
			return "gs://data/a b"
		}, want{}},
		{"azure", func(t *testing.T) string {
			server := servers.StartAzurite(t)
			server.Container(t, "data")
			setEnv(t, servers.AzureEnv(server.Address))
			return "azblob://data/a b"
		}, want{}},
		{"mem", func(*testing.T) string { return "mem://" },
			want{bad: "replace=failed replace-outdated=skipped", lacks: replace, says: "can't replace a blob on condition"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := c.url(t)
			r := run(t, t.Context(), url, 0)
			compare(t, r, c.want, url)
			if r.RoundTrip <= 0 {
				t.Errorf("a round trip takes %v ms", r.RoundTrip)
			}
		})
	}
}

// TestViews: a report is one line each for people, and one document for programs.
func TestViews(t *testing.T) {
	r := run(t, t.Context(), "mem://", 0)
	var b strings.Builder
	for _, x := range r.Results {
		x.Milliseconds = 12.34
		if err := x.WriteText(&b); err != nil {
			t.Fatal(err)
		}
	}
	r.RoundTrip, r.Missing = 3, []string{"s3:DeleteObject"}
	r.Left = []check.Left{{URL: "mem://x", Why: "AccessDenied"}}
	if err := r.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	wantText := `ok         12.3 ms  open the URL
ok         12.3 ms  read a key that isn't there
ok         12.3 ms  list
ok         12.3 ms  look for objects where markers have directories
ok         12.3 ms  create if absent
ok         12.3 ms  create again, which must be refused
ok         12.3 ms  read it back
ok         12.3 ms  create from 20 places at once, where one must win
lacks      12.3 ms  replace the current version: this store can't replace a blob on condition
skipped          -  replace an outdated version, which must be refused: it needs: replace the current version
ok         12.3 ms  overwrite
ok         12.3 ms  copy on the server
ok         12.3 ms  delete
ok         12.3 ms  read what was deleted
serves              --markers
doesn't serve       --on-change=rerun: replace the current version: failed
serves              --record-start and failure records
doesn't serve       --claim: replace the current version: failed
serves              server-side copy
missing permission: s3:DeleteObject
not removed: mem://x: AccessDenied
a round trip typically takes 3.0 ms
`
	if diff := cmp.Diff(wantText, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back check.Report
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || len(back.Results) != 14 || back.Missing[0] != "s3:DeleteObject" {
		t.Errorf("%v: %s", err, b.String())
	}
}

// TestStopped: whoever doesn't want to wait leaves nothing behind, at whichever
// probe it was.
func TestStopped(t *testing.T) {
	cause := &failure.Failure{Code: 130, Tried: "check the store", Cause: errors.New("stopped by SIGINT")}
	whole := run(t, t.Context(), "mem://", 0)
	for i, x := range whole.Results {
		t.Run(x.ID, func(t *testing.T) {
			url := "file://" + t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r := check.Run(ctx, check.Options{URL: url, RunID: "test", Timeout: time.Minute, Each: func(done check.Result) {
				if done.ID == x.ID {
					cancel(cause)
				}
			}})
			if r.ExitCode != 130 || len(r.Results) != i+1 || len(r.Left) != 0 {
				t.Errorf("exit code %d after %d probes, %v left", r.ExitCode, len(r.Results), r.Left)
			}
			if keys := left(t, url); len(keys) > 0 {
				t.Errorf("%v is left", keys)
			}
		})
	}
}

// TestBadURL is an exit code, and shows nothing of what may be a secret.
func TestBadURL(t *testing.T) {
	for _, url := range []string{"s3://canary:canary@b/p", "s3://b/p?unknown=canary", "gs://b/p#canary", "azblob://%canary", "s3:canary", "canary",
		"s3://b/p?endpoint=http://canary:canary@h"} {
		r := run(t, t.Context(), url, time.Minute)
		var b strings.Builder
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if r.ExitCode != 64 || r.Results[0].Status != check.Failed || r.Results[0].Tries != 1 {
			t.Errorf("%s: exit code %d, want 64 at once: %+v", url, r.ExitCode, r.Results[0])
		}
		if strings.Contains(b.String(), "canary") {
			t.Errorf("%s: it shows %s", url, b.String())
		}
	}
}
