package main

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/flags"
	"nth/shim/local"
	"nth/shim/repair"
)

// TestVariables: the flags' variables, which a start derives from the fields alone,
// are those that kong would read. A variable that isn't found is ignored.
func TestVariables(t *testing.T) {
	for _, command := range []any{&config.Config{}, &planFlags{}, &local.Config{}, &check.Config{}, &repair.Config{}, &repair.MarkConfig{}} {
		rows, err := flags.Reference(command)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, r := range rows {
			if r.Env != "" {
				want[r.Env] = true
			}
		}
		if diff := cmp.Diff(want, flags.Variables(reflect.ValueOf(command).Elem().Interface())); diff != "" {
			t.Errorf("%T: %s", command, diff)
		}
	}
}
