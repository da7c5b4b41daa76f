package data

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// place is a store that a test fills and looks into, and a folder to run in.
type place struct {
	*store.Store
	t   *testing.T
	url func(path string) string
	dir string
	env []string // that nth needs for it
}

// everywhere runs a test in a store of files and in an S3 server.
func everywhere(t *testing.T, test func(*testing.T, place)) {
	t.Run("file", func(t *testing.T) {
		dir := t.TempDir()
		test(t, open(t, func(path string) string { return "file://" + dir + "/" + path + "?create_dir=true" }))
	})
	t.Run("s3", func(t *testing.T) {
		s := servers.StartMinIO(t)
		s.Bucket(t, "data")
		test(t, open(t, func(path string) string { return s.URL("data", path) }))
	})
}

func open(t *testing.T, url func(string) string) place {
	t.Helper()
	s, err := store.Open(t.Context(), url(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return place{s, t, url, t.TempDir(), servers.S3Env()}
}

// in gives the same place for a test of its own, with another folder to run in.
func (p place) in(t *testing.T) place { p.t, p.dir = t, t.TempDir(); return p }

func (p place) put(key, body string) {
	p.t.Helper()
	if err := p.Put(p.t.Context(), key, []byte(body)); err != nil {
		p.t.Fatal(err)
	}
}

// objects gives all that is below a key's beginning, with what is in it.
func (p place) objects(prefix string) map[string]string {
	p.t.Helper()
	all := map[string]string{}
	var keys []string
	if err := p.List(p.t.Context(), prefix, func(key string, _ int64, _ time.Time) error { keys = append(keys, key); return nil }); err != nil {
		p.t.Fatal(err)
	}
	for _, key := range keys {
		body, _, err := p.Read(p.t.Context(), key)
		if err != nil {
			p.t.Fatal(err)
		}
		all[key] = string(body)
	}
	return all
}

// same compares what is below a key's beginning.
func (p place) same(prefix string, want map[string]string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.objects(prefix)); diff != "" {
		p.t.Errorf("below %s: %s", prefix, diff)
	}
}

// begin starts index 0 in the folder.
func (p place) begin(args ...string) (*exec.Cmd, *program.Buffer) {
	p.t.Helper()
	return p.start(append([]string{"run", "--index=0", "--store-wait=2s", "--marker-timeout=10s"}, args...)...)
}

// start starts nth in the folder.
func (p place) start(args ...string) (*exec.Cmd, *program.Buffer) {
	p.t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(nth, args...)
	cmd.Dir, cmd.Env = p.dir, append([]string{"PATH=" + os.Getenv("PATH")}, p.env...)
	out := &program.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, out
}

// run runs index 0 in the folder to its end, which must have this exit code, and gives what
// was written.
func (p place) run(code int, args ...string) string {
	p.t.Helper()
	cmd, out := p.begin(args...)
	p.ends(cmd, out, code)
	return out.String()
}

func (p place) ends(cmd *exec.Cmd, out fmt.Stringer, code int) {
	p.t.Helper()
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit code %d, want %d: %s", got, code, out)
	}
}

func (p place) contains(text, want string) {
	p.t.Helper()
	if !strings.Contains(text, want) {
		p.t.Errorf("not there: %q in %s", want, text)
	}
}

func (p place) write(name, body string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// files gives all regular files of the folder, with what is in them.
func (p place) files() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(p.dir, path)
		all[name] = string(body)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// markers are the keys below a place of markers that stand for something.
func (p place) markers(prefix string) (keys []string) {
	for key := range p.objects(prefix) {
		keys = append(keys, strings.TrimPrefix(key, prefix))
	}
	sort.Strings(keys)
	return keys
}
