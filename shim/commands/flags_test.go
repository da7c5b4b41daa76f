package commands

import (
	"reflect"
	"strings"
	"testing"
)

// TestFlagsAreRead: no flag has a rule or a form that only kong knows, for flags.Parse does
// without it.
func TestFlagsAreRead(t *testing.T) {
	for _, c := range Table("") {
		read(t, reflect.TypeOf(c.Flags()))
	}
}

func read(t *testing.T, pointer reflect.Type) {
	t.Helper()
	for _, hook := range []string{"BeforeReset", "BeforeResolve", "BeforeApply", "AfterApply", "AfterRun", "Validate", "Run"} {
		if _, ok := pointer.MethodByName(hook); ok {
			t.Errorf("%s has a method %s, which nobody calls", pointer, hook)
		}
	}
	of := pointer.Elem()
	if of.Kind() != reflect.Struct {
		return
	}
	for i := range of.NumField() {
		f := of.Field(i)
		for _, tag := range []string{"required", "xor", "and", "arg", "cmd", "passthrough", "aliases", "short", "negatable", "prefix", "envprefix", "type", "lastwins", "optional"} {
			if _, ok := f.Tag.Lookup(tag); ok {
				t.Errorf("%s.%s has the tag %s, at which nobody looks", of, f.Name, tag)
			}
		}
		if strings.Contains(f.Tag.Get("env"), ",") {
			t.Errorf("%s.%s has more than one variable", of, f.Name)
		}
		if _, ok := f.Tag.Lookup("enum"); ok && f.Type.Kind() != reflect.String {
			t.Errorf("%s.%s: an enum is of a text", of, f.Name)
		}
		read(t, reflect.PointerTo(f.Type))
	}
}
