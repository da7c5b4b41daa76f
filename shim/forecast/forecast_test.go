package forecast

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/identity"
)

// TestForesee: what every run would refuse is refused, and what can't be known here is not.
func TestForesee(t *testing.T) {
	ten, negative := int64(10), -1
	base := func(change func(*config.Config)) config.Config {
		c := config.Config{Index: identity.Settings{Completions: &ten, Job: "j", JobUID: "u"}, Command: []string{"echo", "<<.Index>>"}, Process: config.Process{StopSignals: []string{"TERM"}},
			Markers: config.Markers{OnChange: "fail"}, Tasks: config.Tasks{Lease: time.Minute}, Stores: config.Stores{StoreTimeout: time.Second}}
		if change != nil {
			change(&c)
		}
		return c
	}
	uses := Forecast{UsesIndex: true}
	for _, tt := range []struct {
		name   string
		change func(*config.Config)
		want   Forecast
		code   failure.Code
	}{
		{name: "a command", want: uses},
		{name: "one that is the same everywhere", change: func(c *config.Config) { c.Command = []string{"echo", "<<.Job>>"} }, want: Forecast{}},
		{name: "markers of a Job", change: func(c *config.Config) { c.Markers.URL = "s3://b/<<.Job>>?region=r" }, want: Forecast{Markers: "s3://b/j?region=r", NamesJob: true, UsesIndex: true}},
		{name: "of just this Job", change: func(c *config.Config) { c.Markers.URL = "s3://b/<<.JobUID>>" }, want: Forecast{Markers: "s3://b/u", NamesUID: true, UsesIndex: true}},
		{name: "of an index", change: func(c *config.Config) { c.Markers.URL = "file:///m/<<.Index>>" }, want: Forecast{Markers: "file:///m/9", UsesIndex: true}},
		{name: "what is known there only", change: func(c *config.Config) {
			c.Command = []string{`<<env "A">><<secret "B">><<env "A">>`, `<<file "/f">>`, `<<add .Index 1>>`, `<<index (split "," (env "LIST")) .Index>>`}
			c.Markers.URL = `s3://<<env "BUCKET">>/p`
		}, want: Forecast{Markers: "s3://1/p", UsesIndex: true, Variables: []string{"A", "B", "LIST", "BUCKET"}}},
		{name: "settings that are known there only", change: func(c *config.Config) { c.Markers.URL = "azblob://c/p" }, want: Forecast{Markers: "azblob://c/p", UsesIndex: true}},
		{name: "a queue", change: func(c *config.Config) {
			c.Tasks.URL, c.Command = "redis://h/0?queue=<<.Index>>", []string{"<<.Task.id>>", "<<.TaskID>>"}
		}, want: Forecast{UsesIndex: true}},
		{name: "variables of a task's words", change: func(c *config.Config) {
			c.Tasks.URL, c.Command = "redis://h/0?queue=q", []string{`<<.Task.id>><<env "A" | default "x">>`, `<<if eq .TaskID "1">><<secret "B">><<end>>`}
		}, want: Forecast{UsesIndex: true, Variables: []string{"A", "B"}}},
		{name: "of an API's bodies", change: func(c *config.Config) {
			c.Tasks.URL, c.API.KeepURL, c.API.DoneURL, c.Command = "https://h/q", "https://h/k/{id}", "https://h/d/{id}", []string{"<<.Task>>"}
			c.API.HTTPBody = []string{`take={"key": <<secret "A">>, "lease": <<.Lease>>}`, `done={"id": <<.TaskID>>, "by": <<env "B">>}`}
		}, want: Forecast{UsesIndex: true, Variables: []string{"A", "B"}}},
		{name: "of statements", change: func(c *config.Config) {
			c.Tasks.URL, c.Command = "postgres://h/d?queue=q", []string{"<<.Task>>"}
			c.SQL.TakeSQL, c.SQL.KeepSQL, c.SQL.DoneSQL = `SELECT id, payload FROM t WHERE key = <<env "A">>`, `UPDATE t SET until = <<.Lease>> WHERE id = <<.TaskID>>`, `DELETE FROM t WHERE id = <<.TaskID>> AND key = <<secret "B">>`
		}, want: Forecast{UsesIndex: true, Variables: []string{"A", "B"}}},
		{name: "a row", change: func(c *config.Config) { c.Tasks.URL, c.Command = "s3://b/users.csv", []string{"<<.Task.id>>"} }, want: uses},
		{name: "shares", change: func(c *config.Config) { c.Mapping.Items, c.Command = 100, []string{"<<.Shard.Start>>"} }, want: uses},

		{name: "queues whose settings are known there only", change: func(c *config.Config) { c.Tasks.URL, c.Command = "sqs://queue.example.com/1/q", []string{"<<.Task>>"} }, want: uses},
		{name: "no such queue", change: func(c *config.Config) { c.Tasks.URL = "kafka://h/q" }, code: failure.Usage},
		{name: "half a queue", change: func(c *config.Config) { c.Tasks.URL = "redis://h/0" }, code: failure.Usage},
		{name: "an API that can't be told", change: func(c *config.Config) { c.Tasks.URL, c.API.KeepURL = "https://h/q", "https://h/k" }, code: failure.Usage},
		{name: "an API's flag at another queue", change: func(c *config.Config) {
			c.Tasks.URL, c.API.KeepURL, c.API.DoneURL = `redis://:<<env "P">>@h/0?queue=q`, "https://h/k/{id}", "https://h/d/{id}"
		}, code: failure.Setup},
		{name: "statements at another queue", change: func(c *config.Config) {
			c.Tasks.URL, c.SQL.TakeSQL, c.SQL.KeepSQL, c.SQL.DoneSQL = "sqs://h/1/q", "SELECT 1", "SELECT 1", "SELECT 1"
		}, code: failure.Setup},

		{name: "data", change: func(c *config.Config) {
			c.Markers.URL, c.Command = "s3://b/m?region=r", []string{"work"}
			c.Data = config.Data{Input: []string{"s3://b/in/<<.Index>>?region=r=/work/in", "s3://b/ref/{a,b}/*.gz?region=r=/work/ref/", `s3://<<env "B">>/x=/work/<<env "X">>`}, Stdin: "file:///x/<<.Index>>",
				Output: []string{"/work/out=s3://b/out/<<.Index>>?region=r"}, Stdout: "azblob://c/out", CheckpointEvery: config.DefaultCheckpointEvery, Checkpoint: []string{"c=s3://b/c/<<.Index>>?region=r"}, KeepFailed: []string{"s3://b/failed?region=r", "w=s3://b/w?region=r"}}
		}, want: Forecast{Markers: "s3://b/m?region=r", UsesIndex: true, Variables: []string{"B", "X"}}},
		{name: "data of tasks", change: func(c *config.Config) {
			c.Tasks.URL, c.Data.Input, c.Command = "redis://h/0?queue=q", []string{"<<.Task.url>>=in", "s3://b/<<.Task.x>>=in"}, []string{"work"}
		}, want: uses},
		{name: "data that is the same everywhere", change: func(c *config.Config) { c.Data.Input, c.Command = []string{"s3://b/x=in"}, []string{"work"} }, want: Forecast{}},
		{name: "an input that is no store's", change: func(c *config.Config) { c.Data.Input = []string{"http://h/x=in"} }, code: failure.Usage},
		{name: "an input's parameter", change: func(c *config.Config) { c.Data.Input = []string{"s3://b/x?regoin=r=in"} }, code: failure.Usage},
		{name: "an input's glob", change: func(c *config.Config) { c.Data.Input = []string{"s3://b/[x=in/"} }, code: failure.Usage},
		{name: "an input's glob's parameter", change: func(c *config.Config) { c.Data.Input = []string{"s3://b/*?regoin=r=in/"} }, code: failure.Usage},
		{name: "a parameter beside what tasks say", change: func(c *config.Config) {
			c.Tasks.URL, c.Data.Input, c.Data.Stdin = "redis://h/0?queue=q", []string{"<<.Task.url>>=in"}, "s3://b/x?regoin=r"
		}, code: failure.Usage},
		{name: "no markers for an output", change: func(c *config.Config) { c.Data.Output = []string{"out=s3://b/<<.Index>>"} }, code: failure.Setup},
		{name: "a bad URL of an output", change: func(c *config.Config) {
			c.Markers.URL, c.Data.Output = "file:///m", []string{"out=nothing://b/<<.Index>>"}
		}, code: failure.Usage},
		{name: "two outputs of one place", change: func(c *config.Config) {
			c.Markers.URL, c.Data.Output, c.Data.Stdout = "file:///m", []string{"out=s3://b/x"}, "s3://b/x"
		}, code: failure.Setup},
		{name: "two outputs of one place, of the last index", change: func(c *config.Config) {
			c.Markers.URL, c.Data.Output, c.Data.Stdout = "file:///m", []string{"out=s3://b/<<.Index>>"}, "s3://b/9"
		}, code: failure.BadIndex},
		{name: "a result that is an output", change: func(c *config.Config) {
			c.Markers.URL, c.Markers.DoneIf, c.Data.Output = "file:///m", "s3://b/x/y", []string{"out/=s3://b/x/"}
		}, code: failure.Setup},
		{name: "halves that don't fit", change: func(c *config.Config) { c.Markers.URL, c.Data.Output = "file:///m", []string{"out/=s3://b/x"} }, code: failure.Usage},

		{name: "no command", change: func(c *config.Config) { c.Command = nil }, code: failure.Usage},
		{name: "no template", change: func(c *config.Config) { c.Command = []string{"<<.Index"} }, code: failure.Usage},
		{name: "no such field", change: func(c *config.Config) { c.Mapping.Require = []string{"<<.Indx>>"} }, code: failure.Usage},
		{name: "no such signal", change: func(c *config.Config) { c.Process.StopSignals = []string{"NONE"} }, code: failure.Usage},
		{name: "a bad variable", change: func(c *config.Config) { c.Mapping.Env = []string{"A"} }, code: failure.Usage},
		{name: "a bad URL", change: func(c *config.Config) { c.Markers.URL = "s3://b/p?regoin=r" }, code: failure.Usage},
		{name: "a bad URL beside what isn't known", change: func(c *config.Config) { c.Markers.URL, c.Mapping.Env = "s3://b/p?regoin=r", []string{`A=<<env "A">>`} }, code: failure.Usage},
		{name: "an error behind what isn't known", change: func(c *config.Config) {
			c.Command = []string{`<<index (split "," (env "LIST")) .Index>>`, "<<.Shard.Start>>"}
		}, code: failure.Setup},
		{name: "a contradiction", change: func(c *config.Config) { c.Markers.RecordStart = true }, code: failure.Setup},
		{name: "a queue's flag", change: func(c *config.Config) { c.Tasks.MaxAttempts = &negative }, code: failure.Usage},
		{name: "no tasks", change: func(c *config.Config) { c.Command = []string{"<<.Task>>"} }, code: failure.Setup},
		{name: "bad for the first index", change: func(c *config.Config) { c.Command = []string{"<<div 1 .Index>>"} }, code: failure.BadIndex},
		{name: "bad for the last one", change: func(c *config.Config) { c.Command = []string{"<<div 1 (sub 9 .Index)>>"} }, code: failure.BadIndex},
		{name: "beyond the last one", change: func(c *config.Config) { c.Index.IndexOffset = 1 }, code: failure.BadIndex},
		{name: "a list beyond the last one", change: func(c *config.Config) { c.Index.Indexes = "1,2,11-18" }, code: failure.Setup},
		{name: "a list that is too short", change: func(c *config.Config) { c.Index.Indexes = "1-3" }, code: failure.Setup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Foresee(base(tt.change), 0, 9)
			if tt.code != 0 {
				if err == nil || failure.From(err).Code != tt.code {
					t.Fatalf("error %v, want code %d", err, tt.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
