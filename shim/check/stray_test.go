package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/shim/check"
	"nth/testdata/servers"
)

// TestStray: an object that has the name of a directory of markers is found, whether or not
// there are markers below it; the directory itself is none. Of MinIO's single drive it hides
// every one of them from listings.
func TestStray(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servers.S3{"versitygw": servers.StartS3, "MinIO": servers.StartMinIO} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, servers.S3Env())
			server := start(t)
			server.Bucket(t, "data")
			server.Put(t, "data", "p/done/0.json", []byte("{}"))
			server.Put(t, "data", "q/failed", []byte("x"))
			if r := run(t, t.Context(), server.URL("data", "p"), 0); r.ExitCode != 0 {
				t.Errorf("beside a directory: %d, %+v", r.ExitCode, r.Results)
			}
			r := run(t, t.Context(), server.URL("data", "q"), 0)
			wantStray(t, r, "q/failed")
		})
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "done"), 0o777); err != nil {
		t.Fatal(err)
	}
	if r := run(t, t.Context(), "file://"+dir, 0); r.ExitCode != 0 {
		t.Errorf("a directory: %d, %+v", r.ExitCode, r.Results)
	}
	if err := os.WriteFile(filepath.Join(dir, "failed"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	wantStray(t, run(t, t.Context(), "file://"+dir, 0), dir+"/failed")
}

func wantStray(t *testing.T, r *check.Report, where string) {
	t.Helper()
	for _, x := range r.Results {
		if x.ID == "stray" && x.Status == check.Failed && strings.Contains(x.Why, where) && r.ExitCode == 78 {
			return
		}
	}
	t.Errorf("%s isn't told: code %d, %+v", where, r.ExitCode, r.Results)
}
