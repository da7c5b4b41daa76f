package flags

import (
	"cmp"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
)

// direct is Parse without kong, whose model of the flags would be a sixth of the page
// faults of a whole start. It reads what is right as kong does, which the tests hold it
// against. It tells whether all of it is: where not, and for --help too, kong is to say so
// in its words, and target is as before.
func direct(target any, args []string) (own, rest []string, ok bool) {
	at := reflect.ValueOf(target).Elem()
	filled := reflect.New(at.Type()).Elem()
	filled.Set(at)
	known := appendFields(nil, filled, "")
	words := make(map[string]takes, len(known))
	for _, f := range known {
		words[f.word] = takesOf(f.target.Kind() == reflect.Bool, f.tag.Get("bare"))
	}
	own, rest, err := cut(args, words)
	if err != nil {
		return nil, nil, false
	}
	for i := range known {
		if !known[i].fill(own) {
			return nil, nil, false
		}
	}
	for _, word := range own {
		name, _, _ := strings.Cut(word, "=")
		if _, known := words[name]; !known {
			return nil, nil, false
		}
	}
	at.Set(filled)
	return own, rest, true
}

// field is one flag.
type field struct {
	word   string // --name
	target reflect.Value
	tag    reflect.StructTag
	env    string
}

// appendFields appends the flags of a struct, a section with this tag.
func appendFields(list []field, s reflect.Value, section reflect.StructTag) []field {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		switch {
		case isSection(f):
			list = appendFields(list, s.Field(i), f.Tag)
		case f.Tag.Get("kong") != "-":
			variable := flagVariable(f)
			list = append(list, field{"--" + cmp.Or(f.Tag.Get("name"), flagName(variable)), s.Field(i), interpolated(f.Tag, section), cmp.Or(f.Tag.Get("env"), variable)})
		}
	}
	return list
}

// fill gives a flag its value: of the words that are its own, else of its variable, else
// its default. A variable that can't be read is wrong beside a flag as well.
func (f *field) fill(own []string) bool {
	value, has := "", false
	if f.env != "-" {
		value, has = os.LookupEnv(f.env)
	}
	if !has {
		value, has = f.tag.Lookup("default")
	}
	if has && !f.set(f.target, value, false) {
		return false
	}
	given := reflect.Value{}
	for _, word := range own {
		name, value, valued := strings.Cut(word, "=")
		if name != f.word {
			continue
		}
		if !valued {
			value = "true" // of a flag that takes no value
		}
		if !given.IsValid() {
			given = reflect.New(f.target.Type()).Elem()
			if given.Kind() == reflect.Slice {
				given.Set(reflect.MakeSlice(given.Type(), 0, 0))
			}
		}
		if !f.set(given, value, true) {
			return false
		}
	}
	if given.IsValid() {
		f.target.Set(given)
	}
	enum, limited := f.tag.Lookup("enum")
	return !limited || f.target.Kind() == reflect.String && slices.Contains(choices(enum), f.target.String())
}

func choices(enum string) []string {
	list := strings.Split(enum, ",")
	for i, one := range list {
		list[i] = strings.TrimSpace(one)
	}
	return list
}

// set reads a value; own tells that it is a flag's, and no variable's or default.
func (f *field) set(target reflect.Value, value string, own bool) bool {
	switch target.Kind() {
	case reflect.String:
		target.SetString(value)
	case reflect.Bool:
		yes := slices.Contains([]string{"true", "1", "yes"}, strings.ToLower(value))
		target.SetBool(yes)
		return yes || slices.Contains([]string{"false", "0", "no"}, strings.ToLower(value))
	case reflect.Int, reflect.Int32, reflect.Int64:
		if target.Type() != reflect.TypeFor[time.Duration]() {
			return setNumber(target, value) == nil
		}
		d, err := time.ParseDuration(value)
		target.SetInt(int64(d))
		return err == nil
	case reflect.Pointer:
		of := reflect.New(target.Type().Elem())
		target.Set(of)
		return f.set(of.Elem(), value, own)
	case reflect.Slice:
		return addTo(target, value, separator(f.tag), own) == nil
	default:
		return false
	}
	return true
}

// separator is what stands between the values of a list.
func separator(tag reflect.StructTag) rune {
	for _, r := range tag.Get("sep") {
		return r
	}
	return ','
}
