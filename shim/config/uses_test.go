package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/flags"
)

// names gives the flags of a struct.
func names(t *testing.T, target any) (list []string) {
	t.Helper()
	rows, err := flags.Reference(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		name, _, _ := strings.Cut(r.Flag, " ")
		list = append(list, name)
	}
	return list
}

// TestUses: of every flag of nth run it is said, once, what the commands do with it that
// take its flags. A new flag needs a place in the list of uses: what does nth plan do with
// it, what nth local, what nth manifest?
func TestUses(t *testing.T) {
	var listed []string
	for _, row := range uses {
		listed = append(listed, strings.Fields(row.flags)...)
	}
	of := names(t, &Config{})
	slices.Sort(listed)
	slices.Sort(of)
	if diff := cmp.Diff(of, listed); diff != "" {
		t.Errorf("the flags of nth run, and those in the list of uses:\n%s", diff)
	}
	for _, flag := range of {
		for _, command := range []Commands{ForPlan, ForLocal, ForManifest} {
			use := UseOf(flag, command)
			if use == Unknown {
				t.Errorf("%s: what command %d does with it isn't said", flag, command)
			}
			told := runOf(command, func(t *Told) { t.Said[flag] = "1" })
			switch err := Check(told); {
			case err == nil && use == Refuses:
				t.Errorf("command %d took %s, which it can't obey", command, flag)
			case err != nil && (use != Refuses || failure.From(err).Code != failure.Setup || failure.From(err).On != flag):
				t.Errorf("command %d: %v", command, err)
			}
		}
		if use := UseOf(flag, ForRun); use != Obeys {
			t.Errorf("%s: nth run doesn't obey it", flag)
		}
	}
	if use := UseOf("--parallelism", ForLocal); use != Unknown {
		t.Errorf("--parallelism is no flag of nth run: %d", use)
	}
}
