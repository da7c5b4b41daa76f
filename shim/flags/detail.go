package flags

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Detail is a flag as a manual and a shell need it, which are made when there is a release:
// the program itself has no use for it.
type Detail struct {
	Row
	Name   string   // such as --markers
	Value  string   // what stands for its value in texts; a switch has none
	Enum   []string // the only values that it can have
	Alone  bool     // it has a value only behind =
	Repeat bool     // it can be given more than once
}

// Details gives the flags of a command that its help shows, of a pointer to a struct.
func (s Spec) Details(target any) ([]Detail, error) {
	parser, err := model(target, kong.NoDefaultHelp())
	if err != nil {
		return nil, err
	}
	of := map[string]*kong.Flag{}
	for _, f := range parser.Model.Flags {
		of["--"+f.Name] = f
	}
	var list []Detail
	for _, r := range s.honoured(rows(parser.Model.Flags)) {
		name, _, _ := strings.Cut(r.Flag, " ")
		f := of[name]
		d := Detail{Row: r, Name: name, Value: f.PlaceHolder, Repeat: f.IsSlice(), Alone: f.Tag.Get("bare") != ""}
		if f.Enum != "" {
			d.Enum, d.Value = f.EnumSlice(), strings.Join(f.EnumSlice(), "|")
		}
		if d.Value == "" && !f.IsBool() {
			d.Value = "VALUE"
		}
		list = append(list, d)
	}
	return list, nil
}
