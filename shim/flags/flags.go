// Package flags reads the flags of one subcommand, and knows where they end and
// the command to run begins.
package flags

import (
	"fmt"
	"os"
	"slices"
	"strconv"
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
	Line    string // what it does, in a few words
	About   string // what it does
	Example string // one that works
	// Own are the groups of flags that only this command has: --help shows them whole,
	// and then Common, the names of the flags that most people need. Of what is left it
	// tells the groups. Without Common, --help shows every flag.
	Own, Common []string
	// Aside is a group that another command's help shows, whatever is asked.
	Aside string
	// Refuses tells of a flag, such as --index, that the command takes from another one
	// and can't honour: --help is silent about it. Nil: there is none.
	Refuses func(flag string) bool
}

// Parse fills target, a pointer to a struct of flags, and gives the words after
// the flags. The flags end at `--`, which is taken away, or at the first word
// that is none: kong would look for flags behind it too, and would keep the `--`.
// It also gives the flags' own words, each with its value, to hand them on. An
// error is a failure with exit code 64. Where --help is among the flags, it is printed
// and the error is ErrHelp.
func Parse(s Spec, target any, args []string) (own, rest []string, err error) {
	if own, rest, ok := direct(target, args); ok {
		return own, rest, nil
	}
	parser, err := model(target, kong.Name(s.Name), kong.NoDefaultHelp())
	if err != nil {
		return nil, nil, &failure.Failure{Code: failure.Bug, Tried: "read the flags", Cause: err}
	}
	if own, rest, err = split(parser.Model.Flags, args); err == nil {
		if what, asked := wanted(own); asked {
			return nil, nil, s.print(os.Stdout, rows(parser.Model.Flags), what)
		}
		err = read(parser, own)
	}
	if err != nil {
		return nil, nil, &failure.Failure{Code: failure.Usage, Tried: "read the flags", Cause: err,
			Hint: s.Name + " --help=all lists them; put -- before the command if it begins with a dash"}
	}
	return own, rest, nil
}

// read is kong's Parse for structs that have flags and nothing else: no commands, no
// arguments, no hooks, no rules but an enum. Parse looks for those as methods by their
// names, because of which the linker would keep every method of every type: 2.2 MB.
func read(parser *kong.Kong, own []string) error {
	ctx, err := kong.Trace(parser, own)
	if err == nil {
		err = ctx.Error
	}
	if err == nil {
		err = ctx.Reset() // to the variables, else to the defaults
	}
	if err == nil {
		_, err = ctx.Apply()
	}
	if err == nil {
		err = enums(parser.Model.Flags)
	}
	return err
}

// enums refuses a value that isn't one of those that its flag can have.
func enums(flags []*kong.Flag) error {
	for _, f := range flags {
		if can := f.EnumSlice(); f.Enum != "" && !slices.Contains(can, f.Target.String()) {
			for i, value := range can {
				can[i] = strconv.Quote(value)
			}
			return fmt.Errorf("%s must be one of %s but got %q", f.ShortSummary(), strings.Join(can, ","), f.Target.String())
		}
	}
	return nil
}

// split is cut for kong's flags.
func split(flags []*kong.Flag, args []string) (own, rest []string, err error) {
	of := map[string]takes{}
	for _, f := range flags {
		of["--"+f.Name] = takesOf(f.IsBool() || f.IsCounter(), f.Tag.Get("bare"))
	}
	return cut(args, func(word string) takes { return of[word] })
}

// takes is whether a flag is followed by a value, and which it has without one.
type takes struct {
	value bool
	bare  string // of one that may stand alone, and has a value only behind =; else empty
}

func takesOf(is bool, bare string) takes { return takes{!is && bare == "", bare} }

// cut cuts the arguments where the flags end, and joins each flag with its
// value, so that a value may begin with a dash (--index-offset -1).
func cut(args []string, of func(word string) takes) (own, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			return own, args[i+1:], nil
		case len(word) < 2 || word[0] != '-':
			return own, args[i:], nil
		case of(word).bare != "":
			own = append(own, word+"="+of(word).bare)
		case !of(word).value: // boolean, --name=value, or unknown: kong's own message is the best
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
