package status

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/edge"
)

// TestRenamed: --job is the Job's name; what it was before is still understood.
func TestRenamed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("kubectl.out", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("resize", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, variable string
		given, want    Config
		told           string
	}{
		{name: "nothing"},
		{name: "a name", given: Config{Job: "resize"}, want: Config{Job: "resize"}}, // a directory of that name changes nothing
		{name: "both", given: Config{Job: "resize", Kubernetes: "-"}, want: Config{Job: "resize", Kubernetes: "-"}},
		{name: "a name that looks like a file", given: Config{Job: "a.json", Kubernetes: "-"}, want: Config{Job: "a.json", Kubernetes: "-"}},
		{name: "the variable is a name", variable: "kubectl.out", given: Config{Job: "kubectl.out"}, want: Config{Job: "kubectl.out"}},
		{name: "stdin", given: Config{Job: "-"}, want: Config{Kubernetes: "-"}, told: "nth: status: --job - is now --kubernetes -, for --job is the Job's name\n"},
		{name: "a file", variable: "resize", given: Config{Job: "kubectl.out"}, want: Config{Kubernetes: "kubectl.out", Job: "resize"},
			told: "nth: status: --job kubectl.out is now --kubernetes kubectl.out, for --job is the Job's name\n"},
		{name: "a file that isn't there", given: Config{Job: "no.json"}, want: Config{Kubernetes: "no.json"},
			told: "nth: status: --job no.json is now --kubernetes no.json, for --job is the Job's name\n"},
		{name: "the old name of the name", given: Config{JobName: "resize"}, want: Config{Job: "resize"}},
		{name: "both old names", given: Config{Job: "-", JobName: "resize"}, want: Config{Kubernetes: "-", Job: "resize"},
			told: "nth: status: --job - is now --kubernetes -, for --job is the Job's name\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			if err != nil {
				t.Fatal(err)
			}
			defer stderr.Close()
			env := func(name string) (string, bool) { return tt.variable, tt.variable != "" && name == "NTH_JOB" }
			got := tt.given.renamed(World{Process: edge.NewProcess(edge.World{LookupEnv: env, Stderr: stderr})})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := stderr.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			told, err := io.ReadAll(stderr)
			if diff := cmp.Diff(tt.told, string(told)); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}
