// Package flags reads the flags of one subcommand, and knows where they end and
// the command to run begins.
package flags

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"nth/shim/failure"
)

// EnvPrefix begins the environment variable of every flag.
const EnvPrefix = "NTH"

// Spec describes a subcommand to those who ask for --help.
type Spec struct {
	Name    string // "nth run"
	Args    string // what follows the flags: "[--] COMMAND [ARG...]"
	About   string // what it does
	Example string // one that works
}

// Parse fills target, a pointer to a struct of flags, and gives the words after
// the flags. The flags end at `--`, which is taken away, or at the first word
// that is none: kong would look for flags behind it too, and would keep the `--`.
// It also gives the flags' own words, each with its value, to hand them on. An
// error is a failure with exit code 64. --help prints and ends the process.
func Parse(s Spec, target any, args []string) (own, rest []string, err error) {
	if own, rest, ok := narrow(target, args); ok {
		return own, rest, nil
	}
	parser, err := kong.New(target, kong.Name(s.Name), kong.DefaultEnvars(EnvPrefix),
		kong.Help(s.help), kong.Exit(os.Exit))
	if err != nil {
		return nil, nil, &failure.Failure{Code: failure.Bug, Tried: "read the flags", Cause: err}
	}
	if own, rest, err = split(parser.Model.Flags, args); err == nil {
		_, err = parser.Parse(own)
	}
	if err != nil {
		return nil, nil, &failure.Failure{Code: failure.Usage, Tried: "read the flags", Cause: err,
			Hint: s.Name + " --help lists them; put -- before the command if it begins with a dash"}
	}
	return own, rest, nil
}

// split cuts the arguments where the flags end, and joins each flag with its
// value, so that a value may begin with a dash (--index-offset -1).
func split(flags []*kong.Flag, args []string) (own, rest []string, err error) {
	takesValue := map[string]bool{}
	for _, f := range flags {
		takesValue["--"+f.Name] = !f.IsBool() && !f.IsCounter()
	}
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			return own, args[i+1:], nil
		case len(word) < 2 || word[0] != '-':
			return own, args[i:], nil
		case !takesValue[word]: // boolean, --name=value, or unknown: kong's own message is the best
			own = append(own, word)
		case i+1 == len(args):
			return nil, nil, fmt.Errorf("%s: its value is missing", word)
		default:
			i++
			own = append(own, word+"="+args[i])
		}
	}
	return own, nil, nil
}

func (s Spec) help(_ kong.HelpOptions, ctx *kong.Context) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [flags] %s\n\n%s\n\nExample:\n  %s\n\n", s.Name, s.Args, s.About,
		strings.ReplaceAll(s.Example, "\n", "\n  "))
	if _, err := io.WriteString(ctx.Stdout, strings.ReplaceAll(b.String(), "  \n", "\n")); err != nil {
		return err
	}
	return kong.DefaultHelpPrinter(kong.HelpOptions{NoAppSummary: true, WrapUpperBound: 100, ValueFormatter: kong.DefaultHelpValueFormatter}, ctx)
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

// fieldVariable is the variable of a field's flag, or another that its tag names.
func fieldVariable(f reflect.StructField) string {
	if env := f.Tag.Get("env"); env != "" {
		return env
	}
	return flagVariable(f)
}

func flagVariable(f reflect.StructField) string {
	if name := f.Tag.Get("name"); name != "" {
		return Variable("--" + name)
	}
	return EnvPrefix + "_" + upperSnake(f.Name)
}

// Variable gives the variable of a flag: --stop-grace as NTH_STOP_GRACE.
func Variable(flag string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_"))
}

// flagName gives NTH_STOP_GRACE as stop-grace.
func flagName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, EnvPrefix+"_"), "_", "-"))
}

// upperSnake gives StopGrace as STOP_GRACE. Names with runs of capitals have a
// name tag.
func upperSnake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// Row is one flag as the reference shows it.
type Row struct{ Group, Flag, Env, Default, Help string }

// Reference gives the flags of a struct, for the documentation and its test.
func Reference(target any) ([]Row, error) {
	parser, err := kong.New(target, kong.DefaultEnvars(EnvPrefix), kong.NoDefaultHelp())
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, f := range parser.Model.Flags {
		name := "--" + f.Name
		if f.PlaceHolder != "" {
			name += " " + f.PlaceHolder
		}
		group := ""
		if f.Group != nil {
			group = f.Group.Title
		}
		rows = append(rows, Row{Group: group, Flag: name, Env: strings.Join(f.Envs, " "), Default: f.Default, Help: f.Help})
	}
	return rows, nil
}
