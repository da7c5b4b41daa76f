package source

import (
	"strings"
	"testing"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/identity"
	"nth/shim/item"
)

// TestParsedOnce: runs that share what is parsed are refused, each, for what is wrong with its
// own index, and each hides its own secrets; what they share is parsed once.
func TestParsedOnce(t *testing.T) {
	run := func(all *Parsed, env map[string]string) (*item.Run, error) {
		completions := int64(3)
		c := &config.Config{Command: []string{"sh", `<<secret "TOKEN">>`}}
		c.Markers.URL, c.Markers.Success, c.Index.Completions = "file:///m", "file:///m/success", &completions
		c.Markers.OnChange, c.Markers.DoneExitCodes, c.Stores.StoreTimeout = "fail", []int{0}, time.Second
		c.Tasks.Lease, c.Tasks.OnFailure = time.Minute, "continue"
		r := &item.Run{Process: edge.NewProcess(edge.World{LookupEnv: func(name string) (string, bool) {
			value, ok := env[name]
			return value, ok
		}}), Config: c}
		var err error
		if r.Identity, err = identity.Resolve(c.Index, r.LookupEnv, "host"); err != nil {
			t.Fatal(err)
		}
		_, err = all.Prepare(r)
		return r, err
	}
	on := func(platform, index, token string) map[string]string {
		return map[string]string{platform: index, "TOKEN": token}
	}
	var all Parsed
	first, err := run(&all, on("JOB_COMPLETION_INDEX", "1", "first secret"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := run(&all, on("JOB_COMPLETION_INDEX", "2", "second secret"))
	if err != nil || second.Mapping != first.Mapping {
		t.Errorf("%v, and it is parsed once more: %v", err, second.Mapping != first.Mapping)
	}
	for _, r := range []*item.Run{first, second} {
		own, _ := r.LookupEnv("TOKEN")
		if shown := r.Secrets.Hide(own); shown == own {
			t.Errorf("%q is shown", own)
		}
	}
	for index, want := range map[string]string{"2": "", "7": "index 7 is none of 0 to 2"} { // of Slurm's arrays the user picks the numbers
		_, err := run(&all, on("SLURM_ARRAY_TASK_ID", index, "third secret"))
		if err != nil && want == "" || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Slurm's index %s: %v, want %q", index, err, want)
		}
	}
}
