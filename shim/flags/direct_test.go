package flags

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type embedded struct {
	Level string        `default:"info" enum:"info,warn" help:"One of \"info\" and 'warn', said: so."`
	Wait  time.Duration `group:"A group" default:"1m" placeholder:"D" help:"How long – at least."`
	Codes []int         `default:"0" help:"Codes."`
}

type wide struct {
	embedded
	target
	Tail *int   `help:"A pointer." placeholder:"N"`
	Name string `env:"NTH_OTHER" help:"Its variable has another name."`
	Text string `env:"-" default:"text"`
}

// TestDirect: flags are read as kong reads them, whichever they are and wherever they
// come from.
func TestDirect(t *testing.T) {
	for _, tt := range []struct {
		name, env, args string
		whole           bool // it is kong that must speak
	}{
		{name: "nothing"},
		{name: "each way to give a value", args: "--index 7 --offset -1 --verbose --env A=1 --env=B=2 --tail=9 -- x --nope"},
		{name: "against the default", args: "--level warn --wait 2s --codes 1,2 --text other"},
		{name: "variables", env: "NTH_LEVEL=warn NTH_TAIL=3 NTH_VERBOSE=true NTH_CODES=4 NTH_JOB_UID=u NTH_TEXT=ignored NTH_YES=ignored"},
		{name: "another variable", env: "NTH_OTHER=x NTH_NAME=ignored"},
		{name: "its flag", env: "NTH_OTHER=x", args: "--name y"},
		{name: "an empty variable", env: "NTH_TAIL= NTH_ENV=", whole: true},
		{name: "a flag wins", env: "NTH_LEVEL=warn NTH_JOB_UID=u", args: "--level info --job-uid v"},
		{name: "a flag of the command", args: "x --verbose --tail 7"},
		{name: "a flag as a value", args: "--long-name --verbose x"},
		{name: "no such value", args: "--level loud", whole: true},
		{name: "no such value, in a variable", env: "NTH_LEVEL=loud", whole: true},
		{name: "no number", env: "NTH_OFFSET=many", whole: true},
		{name: "no such flag", args: "--nope x", whole: true},
		{name: "not written so", args: "--LEVEL warn", whole: true},
		{name: "help", args: "--help", whole: true},
		{name: "short help", args: "-h", whole: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, e := range strings.Fields(tt.env) {
				name, value, _ := strings.Cut(e, "=")
				t.Setenv(name, value)
			}
			args := strings.Fields(tt.args)
			var few, all wide
			own, rest, ok := direct(&few, args)
			if ok == tt.whole {
				t.Fatalf("direct went well: %t", ok)
			}
			if !ok {
				if diff := cmp.Diff(wide{}, few, unexported); diff != "" {
					t.Errorf("it failed and left something behind: %s", diff)
				}
				return
			}
			parser, err := model(&all)
			if err != nil {
				t.Fatal(err)
			}
			wantOwn, wantRest, err := split(parser.Model.Flags, args)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(wantOwn); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(all, few, unexported); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([][]string{wantOwn, wantRest}, [][]string{own, rest}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var unexported = cmp.AllowUnexported(wide{}, embedded{}, target{})
