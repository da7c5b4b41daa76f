package flags

import (
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// direct is Parse without kong, whose model of the flags would be a sixth of the page
// faults of a whole start. It reads what is right as kong does, which the tests hold it
// against. It tells whether all of it is: where not, and for --help too, kong is to say so
// in its words, and target is as before.
func direct(target any, args []string) (own, rest []string, ok bool) {
	at := reflect.ValueOf(target).Elem()
	filled := reflect.New(at.Type()).Elem()
	filled.Set(at)
	known := appendFields(make([]field, 0, countFields(at.Type())), filled, "")
	named := func(word string) int {
		return slices.IndexFunc(known, func(f field) bool { return f.is(word) })
	}
	own, rest, err := cut(args, func(word string) takes {
		i := named(word)
		if i < 0 {
			return takes{}
		}
		return takesOf(known[i].target.Kind() == reflect.Bool, known[i].tag.Get("bare"))
	})
	if err != nil {
		return nil, nil, false
	}
	for i := range known {
		if !known[i].fill(own) {
			return nil, nil, false
		}
	}
	for _, word := range own {
		if name, _, _ := strings.Cut(word, "="); named(name) < 0 {
			return nil, nil, false
		}
	}
	at.Set(filled)
	return own, rest, true
}

// field is one flag. What it is called in words and variables is made of its name when it
// is compared: strings for all flags would be a tenth of the page faults of a whole start.
type field struct {
	name
	target reflect.Value
	tag    reflect.StructTag
}

// name is that of a field, or of its tag.
type name struct {
	text   string
	tagged bool
}

func nameOf(f reflect.StructField) name {
	if tagged := f.Tag.Get("name"); tagged != "" {
		return name{tagged, true}
	}
	return name{f.Name, false}
}

// longName is as long as names get that are compared without memory of their own.
const longName = 64

// word appends --stop-grace.
func (n name) word(to []byte) []byte { return n.spell(append(to, "--"...), '-', unicode.ToLower) }

// variable appends NTH_STOP_GRACE.
func (n name) variable(to []byte) []byte {
	return n.spell(append(to, EnvPrefix+"_"...), '_', unicode.ToUpper)
}

func (n name) spell(to []byte, between byte, letter func(rune) rune) []byte {
	for i, r := range n.text {
		switch {
		case n.tagged && r == '-':
			to = append(to, between)
			continue
		case !n.tagged && i > 0 && r >= 'A' && r <= 'Z':
			to = append(to, between)
		}
		to = utf8.AppendRune(to, letter(r))
	}
	return to
}

func (n name) is(word string) bool {
	var b [longName]byte
	return string(n.word(b[:0])) == word
}

// lookup gives the value of the flag's variable.
func (f *field) lookup() (string, bool) {
	switch env := f.tag.Get("env"); env {
	case "-":
		return "", false
	case "":
		var b [longName]byte
		return syscall.Getenv(string(f.variable(b[:0]))) // os.LookupEnv would keep the name
	default:
		return syscall.Getenv(env)
	}
}

// countFields gives how many flags a struct has, at most.
func countFields(t reflect.Type) (n int) {
	for i := range t.NumField() {
		if f := t.Field(i); isSection(f) {
			n += countFields(f.Type)
		} else {
			n++
		}
	}
	return n
}

// appendFields appends the flags of a struct, a section with this tag.
func appendFields(list []field, s reflect.Value, section reflect.StructTag) []field {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		switch {
		case isSection(f):
			list = appendFields(list, s.Field(i), f.Tag)
		case f.Tag.Get("kong") != "-":
			list = append(list, field{nameOf(f), s.Field(i), interpolated(f.Tag, section)})
		}
	}
	return list
}

// fill gives a flag its value: of the words that are its own, else of its variable, else
// its default. A variable that can't be read is wrong beside a flag as well.
func (f *field) fill(own []string) bool {
	value, has := f.lookup()
	if !has {
		value, has = f.tag.Lookup("default")
	}
	if has && !f.set(f.target, value, false) {
		return false
	}
	given := reflect.Value{}
	for _, word := range own {
		name, value, valued := strings.Cut(word, "=")
		if !f.is(name) {
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
	return !limited || f.target.Kind() == reflect.String && isChoice(f.target.String(), enum)
}

func isChoice(value, enum string) bool {
	for one := range strings.SplitSeq(enum, ",") {
		if strings.TrimSpace(one) == value {
			return true
		}
	}
	return false
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
