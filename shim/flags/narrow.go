package flags

import (
	"cmp"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// narrow is Parse with kong's model of those flags alone that can matter in this
// call: which are given, or have a default. The model of them all, with its help,
// would be a sixth of the page faults of a whole start. It tells whether that went
// well; where not, for --help too, the whole model is to say so in its words, and
// target is as before.
func narrow(target any, args []string) (own, rest []string, ok bool) {
	var n narrowed
	n.add(reflect.ValueOf(target).Elem(), variables(args), "")
	few := reflect.New(reflect.StructOf(n.fields))
	parser, err := model(few.Interface(), kong.NoDefaultHelp())
	if err != nil {
		return nil, nil, false
	}
	if own, rest, err = split(parser.Model.Flags, args); err != nil {
		return nil, nil, false
	}
	if err = read(parser, own); err != nil {
		return nil, nil, false
	}
	for i, to := range n.targets {
		to.Set(few.Elem().Field(i))
	}
	return own, rest, true
}

// narrowed is the fields that are left, and where their values belong.
type narrowed struct {
	fields  []reflect.StructField
	targets []reflect.Value
}

// variables are those of the words that may be flags: some are the command's.
func variables(args []string) (given []string) {
	for _, word := range args {
		if name, _, _ := strings.Cut(word, "="); strings.HasPrefix(name, "--") {
			given = append(given, Variable(name))
		}
	}
	return given
}

// add adds the fields of a struct, a section with this tag.
func (n *narrowed) add(s reflect.Value, given []string, section reflect.StructTag) {
	for i := range s.NumField() {
		f := s.Type().Field(i)
		switch {
		case isSection(f):
			n.add(s.Field(i), given, f.Tag)
		case matters(f, given):
			// Fields of two sections may have the same name, but not of one struct.
			n.fields = append(n.fields, reflect.StructField{Name: "F" + strconv.Itoa(len(n.fields)), Type: f.Type, Tag: interpolated(named(f), section)})
			n.targets = append(n.targets, s.Field(i))
		}
	}
}

// matters may be true for a flag too many, such as one that stands in the command.
func matters(f reflect.StructField, given []string) bool {
	if f.Tag.Get("kong") == "-" {
		return false
	}
	if _, ok := f.Tag.Lookup("default"); ok {
		return true
	}
	variable := flagVariable(f)
	if _, ok := os.LookupEnv(cmp.Or(f.Tag.Get("env"), variable)); ok {
		return true
	}
	return slices.Contains(given, variable)
}

// named gives a field's tag with the flag's name, and without what is for a reader.
func named(f reflect.StructField) reflect.StructTag {
	tag := unexplained(f.Tag)
	if f.Tag.Get("name") != "" {
		return tag
	}
	return tag + reflect.StructTag(` name:"`+flagName(flagVariable(f))+`"`)
}

// unexplained gives a field's tag without what is for a reader.
func unexplained(tag reflect.StructTag) reflect.StructTag {
	s := " " + string(tag)
	for _, key := range []string{"help", "group", "placeholder"} {
		if value, ok := tag.Lookup(key); ok {
			s = strings.Replace(s, " "+key+":"+strconv.Quote(value), "", 1)
		}
	}
	return reflect.StructTag(strings.TrimSpace(s))
}
