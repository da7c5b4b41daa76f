package flags

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// waits is a section whose default is its embedder's to say.
type waits struct {
	Wait time.Duration `default:"${wait}"`
}

type talker struct {
	Waits  waits  `embed:"" set:"wait=30s"`
	Format string `default:"text"`
	Name   string
	Every  time.Duration `default:"5s"`
	Most   int           `default:"3"`
	Number *int64        `name:"a-number"`
	Signal []string
	Codes  []int `default:"0"`
	Quiet  bool
	Env    string   `env:"OTHER"`
	Rest   []string `kong:"-"`
}

// TestSaid: what a flag says by default is not said, and everything else is, whatever way
// the flags are read.
func TestSaid(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want map[string]string
	}{
		{name: "nothing"},
		{name: "the defaults", args: []string{"--wait=30s", "--format=text", "--name=", "--every=5000ms", "--most=3", "--codes=0", "--quiet=false"}},
		{name: "all", args: []string{"--wait=1s", "--format=json", "--name=n", "--every=0s", "--most=0", "--a-number=0", "--signal=A", "--signal=B", "--codes=0,3", "--quiet", "--env=e"},
			want: map[string]string{"--wait": "1s", "--format": "json", "--name": "n", "--every": "0s", "--most": "0", "--a-number": "0", "--signal": "A,B",
				"--codes": "0,3", "--quiet": "true", "--env": "e"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c talker
			if _, _, err := Parse(Spec{}, &c, tt.args); err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				tt.want = map[string]string{}
			}
			if diff := cmp.Diff(tt.want, Said(&c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSectionsDefaults: a flag's default is the same as it is read, in kong's model
// and in the reference.
func TestSectionsDefaults(t *testing.T) {
	var c talker
	if _, _, ok := direct(&c, nil); !ok || c.Waits.Wait != 30*time.Second {
		t.Errorf("direct: %v, %v", c.Waits.Wait, ok)
	}
	rows, err := Reference(&talker{})
	if err != nil || rows[0].Default != "30s" {
		t.Errorf("reference: %+v, %v", rows, err)
	}
}
