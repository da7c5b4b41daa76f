package flags

import (
	"reflect"
	"strings"
)

// Setting is a flag that was given a value, as the variable that says the same.
type Setting struct {
	Flag, Variable, Value string
	Inherited             bool // from the environment
	// Words are what says it where no variable can: a list's value that would be
	// taken for two, an empty one.
	Words []string
}

// Given gives the settings of a struct of flags in the struct's order: from own, the
// flags' own words as Parse gives them, else from the environment.
func Given(target any, own []string, env func(string) (string, bool)) []Setting {
	words := map[string][]string{}
	for _, word := range own {
		name, _, _ := strings.Cut(word, "=")
		words[Variable(name)] = append(words[Variable(name)], word)
	}
	return settings(reflect.TypeOf(target), words, env)
}

func settings(t reflect.Type, words map[string][]string, env func(string) (string, bool)) (list []Setting) {
	for i := range t.NumField() {
		f := t.Field(i)
		if isSection(f) {
			list = append(list, settings(f.Type, words, env)...)
			continue
		}
		if f.Tag.Get("kong") == "-" {
			continue
		}
		s := Setting{Variable: fieldVariable(f)}
		s.Flag = "--" + flagName(s.Variable)
		if w, ok := words[s.Variable]; ok {
			s.say(f, w)
			list = append(list, s)
		} else if s.Value, s.Inherited = env(s.Variable); s.Inherited {
			if s.Value == "" {
				s.Words = []string{s.Flag + "="}
			}
			list = append(list, s)
		}
	}
	return list
}

// say gives a flag's words as one value, of which a list is made again at its separator.
func (s *Setting) say(f reflect.StructField, words []string) {
	list := f.Type.Kind() == reflect.Slice
	if !list {
		words = words[len(words)-1:] // the last one counts
	}
	sep := f.Tag.Get("sep")
	if sep == "" {
		sep = ","
	}
	values := make([]string, len(words))
	fits := true
	for i, w := range words {
		_, value, ok := strings.Cut(w, "=")
		if !ok {
			value = "true"
		}
		// A variable has no line break in a value, and a comma at a value's end would end it twice.
		fits = fits && value != "" && !(list && (strings.HasSuffix(value, sep) || sep == string(lineSep) && strings.ContainsAny(value, "\r\n")))
		values[i] = value
	}
	s.Value = strings.Join(values, sep)
	if !fits {
		s.Words = words
	}
}
