package item

import (
	"testing"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/templates"
)

// scene is what an item is made of.
type scene struct {
	config config.Config
	id     identity.Identity
	runID  string
	from   From
	token  string // of the environment
}

func (s *scene) digest(t *testing.T) string {
	t.Helper()
	m, err := Parse(&s.config)
	if err != nil {
		t.Fatal(err)
	}
	w := edge.World{RunID: s.runID, LookupEnv: func(name string) (string, bool) { return s.token, name == "TOKEN" }}
	r := &Run{Process: edge.NewProcess(w), Config: &s.config, Identity: s.id, Mapping: m}
	s.from.Header = r.Header()
	if s.from.Kind == templates.TaskItem {
		s.from.Header.Task = &marker.Task{ID: s.from.ID, Source: "redis", Queue: "q"}
	}
	it, err := r.Make(s.from, r.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	return it.Header.Digest
}

// TestDigest: what makes an item what it is changes its digest, and nothing else does:
// what may differ between two runs of the same item, and the value of a secret.
func TestDigest(t *testing.T) {
	queue := func(s *scene) {
		s.from = From{Kind: templates.TaskItem, ID: "7", Task: templates.Task{ID: "7", Payload: "x"}}
	}
	row := func(s *scene) {
		s.from = From{Kind: templates.RowItem, Task: templates.Task{Payload: "x"}}
	}
	inputs := func(s *scene) { s.config.Data.Input = []string{"s3://b/x=x", "s3://b/y=y"} }
	for _, tt := range []struct {
		name    string
		of      func(*scene) // the kind of item; nil: an index
		change  func(*scene)
		changes bool
	}{
		{"nothing", nil, func(*scene) {}, false},
		{"the command", nil, func(s *scene) { s.config.Command = []string{"resize", "<<.Index>>", "--fast"} }, true},
		{"words and not one", nil, func(s *scene) { s.config.Command = []string{"resize <<.Index>>"} }, true},
		{"the index", nil, func(s *scene) { s.id.Index = 4 }, true},
		{"--env", nil, func(s *scene) { s.config.Mapping.Env[0] = "WIDTH=200" }, true},
		{"the name of --env", nil, func(s *scene) { s.config.Mapping.Env[0] = "HEIGHT=100" }, true},
		{"no --env", nil, func(s *scene) { s.config.Mapping.Env = nil }, true},
		{"--env of the index", nil, func(s *scene) { s.config.Mapping.Env[0] = "WIDTH=<<add .Index 97>>" }, false},
		{"--digest-extra", nil, func(s *scene) { s.config.Markers.DigestExtra = []string{"v3"} }, true},
		{"--digest-extra as --env", nil, func(s *scene) { s.config.Mapping.Env, s.config.Markers.DigestExtra = nil, []string{"WIDTH=100", "v2"} }, true},
		{"an input", nil, func(s *scene) { s.config.Data.Input = []string{"s3://b/<<.Index>>=in"} }, true},
		{"an output", nil, func(s *scene) { s.config.Data.Output = []string{"out=s3://b/<<.Index>>"} }, true},
		{"stdin", nil, func(s *scene) { s.config.Data.Stdin = "s3://b/x" }, true},
		{"stdout", nil, func(s *scene) { s.config.Data.Stdout = "s3://b/x" }, true},
		{"a checkpoint", nil, func(s *scene) { s.config.Data.Checkpoint = []string{"c=s3://b/x"} }, false},
		{"what is kept of failures", nil, func(s *scene) { s.config.Data.KeepFailed = []string{"s3://b/x", "w/=s3://b/y/"} }, false},
		{"another input", inputs, func(s *scene) { s.config.Data.Input[1] = "s3://b/z=z" }, true},
		{"where an input goes", inputs, func(s *scene) { s.config.Data.Input[1] = "s3://b/y=z" }, true},
		{"inputs that changed places", inputs, func(s *scene) { s.config.Data.Input = []string{"s3://b/x=y", "s3://b/y=x"} }, true},
		{"an input by the index", inputs, func(s *scene) { s.config.Data.Input[1] = "s3://b/<<if .Index>>y<<end>>=y" }, false},
		{"an input that is an output", inputs, func(s *scene) {
			s.config.Data.Input, s.config.Data.Output = s.config.Data.Input[:1], []string{"y=s3://b/y"}
		}, true},
		{"the secret of an input", inputs, func(s *scene) {
			s.config.Data.Input[1], s.token = `s3://b/y<<if eq (secret "TOKEN") "?">>x<<end>>=y`, "another"
		}, false},
		{"another secret", nil, func(s *scene) { s.config.Command = append(s.config.Command, `<<secret "TOKEN" | printf "%s">>`) }, true},
		{"a secret's value", nil, func(s *scene) { s.token = "another" }, false},
		{"who runs", nil, func(s *scene) { s.id.Attempt, s.id.RawIndex, s.id.Hostname, s.runID = 9, 12, "another", "another" }, false},
		{"where it runs", nil, func(s *scene) { s.id.Platform, s.id.Job, s.id.JobUID = "slurm", "again", "uid" }, false},
		{"a row", row, func(s *scene) { s.from.Task.Payload = "y" }, true},
		{"a row, and where its index is", row, func(s *scene) { s.id.RawIndex, s.from.Attempt = 12, 5 }, false},
		{"a task's payload", queue, func(s *scene) { s.from.Task.Payload = "y" }, true},
		{"a task's ID", queue, func(s *scene) { s.from.ID = "8" }, true},
		{"a task's worker", queue, func(s *scene) { s.id.Index, s.from.Attempt = 4, 2 }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := func(change func(*scene)) string {
				n := int64(10)
				s := &scene{config: config.Config{Command: []string{"resize", "<<.Index>>", `<<secret "TOKEN">>`, "<<.Attempt>>", "<<volatile .Hostname>>"}},
					id: identity.Identity{Index: 3, RawIndex: 3, Completions: &n, Attempt: 1, Job: "j"}, runID: "r", token: "s3cr3t", from: From{Kind: templates.IndexItem, Attempt: 1}}
				s.config.Mapping.Env, s.config.Markers.DigestExtra = []string{"WIDTH=100"}, []string{"v2"}
				if tt.of != nil {
					tt.of(s)
				}
				change(s)
				return s.digest(t)
			}
			if before, after := made(func(*scene) {}), made(tt.change); (before != after) != tt.changes {
				t.Errorf("%s became %s", before, after)
			}
		})
	}
}
