package flags

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Row is one flag as a reference shows it.
type Row struct{ Group, Flag, Env, Default, Help string }

// Reference gives the flags of a pointer to a struct, without those that have only been
// kept for old scripts.
func Reference(target any) ([]Row, error) {
	parser, err := model(target, kong.NoDefaultHelp())
	if err != nil {
		return nil, err
	}
	return rows(parser.Model.Flags), nil
}

func rows(flags []*kong.Flag) (list []Row) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		r := Row{Flag: "--" + f.Name, Env: strings.Join(f.Envs, " "), Default: f.Default, Help: f.Help}
		if f.PlaceHolder != "" {
			r.Flag += " " + f.PlaceHolder
		}
		if f.Group != nil {
			r.Group = f.Group.Title
		}
		list = append(list, r)
	}
	return list
}
