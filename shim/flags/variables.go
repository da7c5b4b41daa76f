package flags

import (
	"reflect"
	"strings"
	"sync"
)

// Hidden tells of a variable whether it is of a flag of the structs. It works out which
// those are only when one is asked of that may be.
func Hidden(structs ...any) func(variable string) bool {
	names := sync.OnceValue(func() map[string]bool { return Variables(structs...) })
	return func(variable string) bool {
		return strings.HasPrefix(variable, EnvPrefix+"_") && names()[variable]
	}
}

// Variables gives the environment variables of the flags of all the structs. It
// is derived from the fields alone: building kong's whole model would cost more
// than the rest of a run's start.
func Variables(structs ...any) map[string]bool {
	names := map[string]bool{}
	for _, s := range structs {
		collect(reflect.TypeOf(s), names)
	}
	return names
}

func collect(t reflect.Type, names map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case isSection(f):
			collect(f.Type, names)
		case f.Tag.Get("kong") == "-" || f.Tag.Get("env") == "-":
		default:
			names[fieldVariable(f)] = true
		}
	}
}

// isSection tells whether a field holds flags and is none itself.
func isSection(f reflect.StructField) bool {
	_, embedded := f.Tag.Lookup("embed")
	return f.Anonymous || embedded
}

// interpolated gives a field's tag with the variable that its section's tag sets, as kong
// has it: ${K} with set:"K=V".
func interpolated(field, section reflect.StructTag) reflect.StructTag {
	key, value, ok := strings.Cut(section.Get("set"), "=")
	if !ok {
		return field
	}
	return reflect.StructTag(strings.ReplaceAll(string(field), "${"+key+"}", value))
}

// fieldVariable is the variable of a field's flag, or another that its tag names.
func fieldVariable(f reflect.StructField) string {
	if env := f.Tag.Get("env"); env != "" {
		return env
	}
	return flagVariable(f)
}

func flagVariable(f reflect.StructField) string {
	return string(nameOf(f).variable(nil))
}

// Variable gives the variable of a flag: --stop-grace as NTH_STOP_GRACE.
func Variable(flag string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_"))
}

// flagName gives NTH_STOP_GRACE as stop-grace.
func flagName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, EnvPrefix+"_"), "_", "-"))
}
