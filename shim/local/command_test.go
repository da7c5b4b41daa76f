package local

import (
	"slices"
	"strings"
	"testing"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
)

// valueOf gives a value that a flag takes.
var valueOf = map[string]string{"--index": "3", "--index-offset": "-1", "--index-env": "MY_INDEX", "--platform": "slurm",
	"--index-failures": "2", "--index-ignored-failures": "2"}

// TestRefused: a flag that says which index a run is, is refused by its name, also where
// it comes from the environment; it isn't dropped, and no index runs.
func TestRefused(t *testing.T) {
	for flag, value := range valueOf {
		for _, inherited := range []bool{false, true} {
			t.Run(flag, func(t *testing.T) {
				args := []string{"--completions", "1", "--max-failed", "no number"} // never reached
				if inherited {
					t.Setenv(flags.Variable(flag), value)
				} else {
					args = append(args, flag, value)
				}
				var c Config
				own, rest, err := flags.Parse(flags.Spec{}, &c, append(args, "--", "true"))
				if err != nil {
					t.Fatal(err)
				}
				c.Command = rest
				_, err = Command(c, own, edge.NewProcess(edge.World{}))
				if f := failure.From(err); err == nil || f.Code != failure.Setup || f.On != flag {
					t.Errorf("inherited %t: %v", inherited, err)
				}
			})
		}
	}
}

// TestHandedOn: a run is told every flag of its own that nth local takes, but for those
// that nth local keeps; and none of nth local's.
func TestHandedOn(t *testing.T) {
	rows, err := flags.Reference(&Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		flag, _, _ := strings.Cut(r.Flag, " ")
		word := flag + "=1"
		told := slices.Contains((&Config{}).args([]string{word}), word)
		if use := config.UseOf(flag, config.ForLocal); told != (use == config.Obeys) {
			t.Errorf("%s: told %t, and the list of uses says %d", flag, told, use)
		}
		if _, refused := valueOf[flag]; refused != (config.UseOf(flag, config.ForLocal) == config.Refuses) {
			t.Errorf("%s is refused, or isn't, and TestRefused doesn't know it", flag)
		}
	}
}
