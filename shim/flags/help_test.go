package flags

import (
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

// parts is a command's own flag, one that it shares, and others.
type parts struct {
	Speed  string `group:"Mine" env:"-" default:"fast" help:"How fast it is."`
	Common string `group:"Shared" placeholder:"TEXT" help:"What most people need: it is a long text, which doesn't fit on one line."`
	Rare   string `group:"Shared" placeholder:"A-VERY-LONG-PLACE-HOLDER" help:"What few need."`
	Told   string `group:"Told" help:"What nobody gives."`
	Old    string `hidden:"" env:"-" help:"For one version."`
}

var partsSpec = Spec{Name: "nth test", Args: "COMMAND", About: "It tests.", Example: "nth test true", Own: []string{"Mine"}, Common: []string{"common"}, Aside: "Told"}

const (
	usage  = "Usage: nth test [flags] COMMAND\n\nIt tests.\n\nExample:\n  nth test true\n"
	shared = `
Shared
  --common TEXT             What most people need: it is a long text, which
                            doesn't fit on one line. [NTH_COMMON]
  --rare A-VERY-LONG-PLACE-HOLDER
                            What few need. [NTH_RARE]
`
	mine = `
Mine
  --speed                   How fast it is. Default: fast.
`
	short = usage + mine + `
Flags that most people need
  --common TEXT             What most people need: it is a long text, which
                            doesn't fit on one line.

Flags have variables: --stop-grace is NTH_STOP_GRACE. All flags, by group:
  Shared (2)
Ask for a group with nth test --help=GROUP, for every flag with --help=all,
for those that have a word with nth help flags WORD.
`
)

func TestHelp(t *testing.T) {
	for what, want := range map[string]string{
		"": short, "all": usage + mine + shared, "shared": shared[1:], "S": shared[1:], "mine": mine[1:],
	} {
		var b strings.Builder
		if err := partsSpec.Help(&b, &parts{}, what); !errors.Is(err, ErrHelp) {
			t.Errorf("%q: %v", what, err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%q: %s", what, diff)
		}
	}
	var b strings.Builder
	for _, none := range []string{"nothing", "told"} {
		err := partsSpec.Help(&b, &parts{}, none)
		if err == nil || failure.From(err).Code != failure.Usage || !strings.Contains(err.Error(), "Mine (1), Shared (2);") || b.Len() > 0 {
			t.Errorf("%v, %q", err, b.String())
		}
	}
	b.Reset()
	if err := (Spec{Name: "nth test", About: "It tests.", Example: "x"}).Help(&b, &struct{}{}, ""); !errors.Is(err, ErrHelp) {
		t.Error(err)
	}
	if diff := cmp.Diff("Usage: nth test\n\nIt tests.\n\nExample:\n  x\n", b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestRefuses: what a command can't honour isn't shown.
func TestRefuses(t *testing.T) {
	s := partsSpec
	s.Refuses = func(flag string) bool { return flag == "--rare" }
	var b strings.Builder
	if err := s.Help(&b, &parts{}, "all"); !errors.Is(err, ErrHelp) {
		t.Fatal(err)
	}
	_, rare, _ := strings.Cut(shared, "  --rare")
	if diff := cmp.Diff(usage+mine+strings.TrimSuffix(shared, "  --rare"+rare), b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestWanted: --help is asked for among the flags, and not by a value or the command.
func TestWanted(t *testing.T) {
	for args, want := range map[string]string{
		"--help": "", "-h": "", "--help=all": "all", "--help=mine x": "mine", "--common x --help": "", "--nope --help": "",
		"--common --help": "-", "-- --help": "-", "x --help": "-", "--common=--help": "-", "x": "-",
	} {
		parser, err := kong.New(&parts{}, kong.NoDefaultHelp())
		if err != nil {
			t.Fatal(err)
		}
		own, _, err := split(parser.Model.Flags, strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		what, asked := wanted(own)
		if !asked {
			what = "-"
		}
		if what != want {
			t.Errorf("%s: %q, want %q", args, what, want)
		}
	}
}

// TestHidden: a flag that is kept for old scripts is read, and shown to nobody.
func TestHidden(t *testing.T) {
	var p parts
	if _, _, err := Parse(partsSpec, &p, []string{"--old=x"}); err != nil || p.Old != "x" {
		t.Errorf("%v, %+v", err, p)
	}
	rows, err := Reference(&parts{})
	if err != nil || len(rows) != 4 {
		t.Errorf("%v, %+v", err, rows)
	}
}
