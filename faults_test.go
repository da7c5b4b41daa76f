package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/servers"
)

// faultRun is one run of index 5 with markers on S3.
type faultRun struct {
	t      *testing.T
	dir    string
	url    string
	env    []string
	flags  []string
	script string // beside the line that it leaves in the file ran
}

func newFaultRun(t *testing.T, url string) *faultRun {
	return &faultRun{t: t, dir: t.TempDir(), url: url, env: append(servers.S3Env(), "NTH_INDEX=5"),
		flags: []string{"--store-wait", "300ms", "--marker-timeout", "300ms", "--store-timeout", "5s"}}
}

// do runs it and checks the exit code; no credential may be in what it prints.
func (f *faultRun) do(code int, says string) {
	f.t.Helper()
	log := filepath.Join(f.dir, "termination-log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
	args := append([]string{"run", "--markers", f.url, "--termination-log", log}, f.flags...)
	args = append(args, "--", "sh", "-c", "echo ran >> "+f.dir+"/ran; "+f.script)
	_, stderr, got := nth(f.t, f.env, args...)
	if got != code || !strings.Contains(stderr, says) {
		f.t.Errorf("exit code %d, want %d and %q: %s", got, code, says, stderr)
	}
	message, err := os.ReadFile(log)
	if err != nil {
		f.t.Fatal(err)
	}
	if (code != 0) != (len(message) > 0) {
		f.t.Errorf("exit code %d, and the termination message is %q", code, message)
	}
	if strings.Contains(stderr+string(message), "canary") {
		f.t.Errorf("a credential is told: %s %s", stderr, message)
	}
}

// ran checks how often the command was run.
func (f *faultRun) ran(want int) {
	f.t.Helper()
	body, _ := os.ReadFile(filepath.Join(f.dir, "ran"))
	if got := strings.Count(string(body), "ran\n"); got != want {
		f.t.Errorf("the command ran %d times, want %d", got, want)
	}
}

// marker reads the marker itself; nil when there is none.
func (f *faultRun) marker(url string) *marker.Marker {
	f.t.Helper()
	s, err := store.Open(f.t.Context(), url)
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	if there, err := s.Exists(f.t.Context(), "done/5.json"); err != nil || !there {
		if err != nil {
			f.t.Error(err)
		}
		return nil
	}
	body, _, err := s.Read(f.t.Context(), "done/5.json")
	if err != nil {
		f.t.Fatal(err)
	}
	m, err := marker.Decode(body, 5)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func through(f *servers.Fault, bucket, prefix string) string {
	return "s3://" + bucket + "/" + prefix + "?use_path_style=true&endpoint=" + f.URL
}

// only gives the action for the n-th request of a method.
func only(method string, n int, a servers.Action) func(int, *http.Request) servers.Action {
	seen := 0
	return func(_ int, r *http.Request) servers.Action {
		if r.Method == method && strings.Contains(r.URL.Path, "/done/") {
			if seen++; seen == n {
				return a
			}
		}
		return nil
	}
}

// always gives the same action for every request of a method.
func always(method string, a servers.Action) func(int, *http.Request) servers.Action {
	return func(_ int, r *http.Request) servers.Action {
		if r.Method == method {
			return a
		}
		return nil
	}
}

func TestStoreFaults(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	for _, tt := range []struct {
		name   string
		decide func(int, *http.Request) servers.Action
		bucket string
		env    []string
		code   int
		says   string
		ran    int
		marker bool
	}{
		{"nothing", nil, "bucket", nil, 0, "", 1, true},
		{"a bucket that isn't there", nil, "nobucket", nil, 69, "NoSuchBucket", 0, false},
		{"a wrong secret", nil, "bucket", []string{"AWS_SECRET_ACCESS_KEY=canary"}, 77, "SignatureDoesNotMatch", 0, false},
		{"an unknown key", nil, "bucket", []string{"AWS_ACCESS_KEY_ID=unknown", "AWS_SECRET_ACCESS_KEY=canary"}, 77, "AWS_ACCESS_KEY_ID", 0, false},
		{"no credentials", nil, "bucket", []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, 77, "no credentials", 0, false},
		{"another region", nil, "bucket", []string{"AWS_REGION=eu-west-9"}, 69, "region", 0, false},
		{"403", always("GET", servers.S3Error(403, "AccessDenied")), "bucket", nil, 77, "s3:ListBucket", 0, false},
		{"an expired token", always("GET", servers.S3Error(400, "ExpiredToken")), "bucket", nil, 77, "expired", 0, false},
		{"moved", always("GET", servers.S3Error(301, "PermanentRedirect")), "bucket", nil, 69, "region", 0, false},
		{"a 404 that isn't S3's", always("GET", servers.Answer(404, "<html>not here</html>")), "bucket", nil, 69, "404", 0, false},
		{"a 404 without a body", always("GET", servers.Answer(404, "")), "bucket", nil, 69, "404", 0, false},
		{"a page instead of a marker", always("GET", servers.Answer(200, "<html>log in</html>")), "bucket", nil, 69, "ETag", 0, false},
		{"500 all the time", always("GET", servers.S3Error(500, "InternalError")), "bucket", nil, 69, "InternalError", 0, false},
		{"slow down, once", only("GET", 1, servers.S3Error(503, "SlowDown")), "bucket", nil, 0, "trying again", 1, true},
		{"reset, once", only("GET", 1, servers.Reset), "bucket", nil, 0, "trying again", 1, true},
		{"the write is refused", always("PUT", servers.S3Error(403, "AccessDenied")), "bucket", nil, 73, "not recorded", 1, false},
		{"the write fails all the time", always("PUT", servers.S3Error(500, "InternalError")), "bucket", nil, 73, "not recorded", 1, false},
		{"the write fails once", only("PUT", 1, servers.S3Error(500, "InternalError")), "bucket", nil, 0, "recorded as done", 1, true},
		{"the write meets another, once", only("PUT", 1, servers.S3Error(409, "ConditionalRequestConflict")), "bucket", nil, 0, "recorded as done", 1, true},
		{"the reply to the write is lost", only("PUT", 1, servers.LoseReply), "bucket", nil, 0, "our own write", 1, true},
		{"the write is reset", only("PUT", 1, servers.Reset), "bucket", nil, 0, "recorded as done", 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := servers.StartFault(t, s3.Address, tt.decide)
			prefix := strings.ReplaceAll(tt.name, " ", "-")
			r := newFaultRun(t, through(f, tt.bucket, prefix))
			r.env = append(r.env, tt.env...)
			r.do(tt.code, tt.says)
			r.ran(tt.ran)
			if tt.bucket == "bucket" {
				if m := r.marker(s3.URL("bucket", prefix)); (m != nil) != tt.marker {
					t.Errorf("marker %+v, want one: %v", m, tt.marker)
				}
			}
			if tt.name == "nothing" {
				want := []string{"GET /bucket/nothing/done/5.json", "PUT /bucket/nothing/done/5.json"}
				if diff := cmp.Diff(want, f.Requests()); diff != "" {
					t.Errorf("one request before the command and one after: %s", diff)
				}
			}
		})
	}
}

// TestTruncatedMarker: half a marker is neither done nor not done.
func TestTruncatedMarker(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	half := []byte(`{"version": 1, "index": 5, "run_id": "x", "outc`)
	s3.Put(t, "bucket", "m/done/5.json", half)
	r := newFaultRun(t, s3.URL("bucket", "m"))
	r.do(65, "m/done/5.json")
	r.ran(0)
	st, err := store.Open(t.Context(), r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if body, _, err := st.Read(t.Context(), "done/5.json"); err != nil || string(body) != string(half) {
		t.Errorf("the marker is %q (%v)", body, err)
	}
	// A whole one whose answer is cut short on the way is read again.
	whole := newFaultRun(t, s3.URL("bucket", "w"))
	whole.do(0, "")
	f := servers.StartFault(t, s3.Address, only("GET", 1, servers.Truncate))
	whole.url = through(f, "bucket", "w")
	whole.do(0, "done already")
	whole.ran(1)
}

// TestServerDown: the server comes back within the wait, or doesn't.
func TestServerDown(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	start := func(when func() bool) {
		go func() {
			for !when() {
				time.Sleep(10 * time.Millisecond)
			}
			if err := s3.Start(); err != nil {
				t.Error(err)
			}
		}()
	}
	t.Run("at the start", func(t *testing.T) {
		s3.Stop()
		r := newFaultRun(t, s3.URL("bucket", "start"))
		r.do(69, "refused")
		r.ran(0)
	})
	t.Run("at the start, and back", func(t *testing.T) {
		r := newFaultRun(t, s3.URL("bucket", "back"))
		r.flags = []string{"--store-wait", "1m"}
		back := time.Now().Add(time.Second)
		start(func() bool { return time.Now().After(back) })
		r.do(0, "trying again")
		r.ran(1)
	})
	ran := func(r *faultRun) func() bool {
		return func() bool { _, err := os.Stat(filepath.Join(r.dir, "down")); return err == nil }
	}
	t.Run("at the marker", func(t *testing.T) {
		r := newFaultRun(t, s3.URL("bucket", "marker"))
		r.script = "touch " + r.dir + "/down; while [ ! -e " + r.dir + "/go ]; do sleep 0.05; done"
		go stopWhen(t, s3, r, ran(r))
		r.do(73, "not recorded")
		r.ran(1)
	})
	t.Run("at the marker, and back", func(t *testing.T) {
		if err := s3.Start(); err != nil {
			t.Fatal(err)
		}
		r := newFaultRun(t, s3.URL("bucket", "marker2"))
		r.flags = []string{"--marker-timeout", "1m"}
		r.script = "touch " + r.dir + "/down; while [ ! -e " + r.dir + "/go ]; do sleep 0.05; done"
		go stopWhen(t, s3, r, ran(r))
		back := time.Time{}
		start(func() bool {
			if _, err := os.Stat(r.dir + "/go"); err == nil && back.IsZero() {
				back = time.Now().Add(time.Second)
			}
			return !back.IsZero() && time.Now().After(back)
		})
		r.do(0, "recorded as done")
		r.ran(1)
		if r.marker(r.url) == nil {
			t.Error("there is no marker")
		}
	})
}

// stopWhen stops the server while the command runs, and lets the command end then.
func stopWhen(t *testing.T, s3 *servers.S3, r *faultRun, when func() bool) {
	for !when() {
		time.Sleep(10 * time.Millisecond)
	}
	s3.Stop()
	if err := os.WriteFile(r.dir+"/go", nil, 0o644); err != nil {
		t.Error(err)
	}
}

// TestUnreachable: no name, no server, no answer.
func TestUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, endpoint := range map[string]string{
		"no such host": "http://no-such-host.invalid",
		"stalled":      "http://" + silent.Addr().String(),
		"no TLS there": "https://" + servers.StartS3(t).Address,
	} {
		t.Run(name, func(t *testing.T) {
			r := newFaultRun(t, "s3://bucket/m?use_path_style=true&endpoint="+endpoint)
			r.flags = []string{"--store-wait", "100ms", "--store-timeout", "300ms"}
			r.do(69, "s3://bucket/m/done/5.json")
			r.ran(0)
		})
	}
}

// TestOnChangeS3: a marker of another command is replaced on the condition of its
// version.
func TestOnChangeS3(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	r := newFaultRun(t, s3.URL("bucket", "m"))
	r.do(0, "recorded")
	first := r.marker(r.url)
	r.script = "true"
	r.do(65, "--on-change")
	r.ran(1)
	common := r.flags
	r.flags = append(common[:len(common):len(common)], "--on-change", "skip")
	r.do(0, "accepted")
	r.ran(1)
	r.flags = append(common[:len(common):len(common)], "--on-change", "rerun")
	r.do(0, "recorded")
	r.ran(2)
	second := r.marker(r.url)
	if first.RunID == second.RunID || first.Digest == second.Digest {
		t.Errorf("the marker wasn't replaced: %+v", second)
	}
	// Two of them at once: the one that comes second finds another version.
	r.script = "exit 0"
	inner := newFaultRun(t, r.url)
	inner.script = "exit 0 # another"
	f := servers.StartFault(t, s3.Address, func(_ int, req *http.Request) servers.Action {
		if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/done/") {
			inner.flags = append(common[:len(common):len(common)], "--on-change", "rerun")
			inner.do(0, "recorded")
		}
		return nil
	})
	r.url = through(f, "bucket", "m")
	r.do(65, "another command")
	if m := r.marker(s3.URL("bucket", "m")); !strings.Contains(strings.Join(m.Command, " "), "# another") {
		t.Errorf("the marker is of %q", m.Command)
	}
}
