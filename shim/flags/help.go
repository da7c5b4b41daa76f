package flags

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nth/shim/failure"
)

// ErrHelp is that the help was asked for and printed: there is nothing more to do.
var ErrHelp = errors.New("help was printed")

// wanted tells whether the words of the flags ask for help, and for what: "", "all" or
// the beginning of a group's name.
func wanted(own []string) (what string, asked bool) {
	for _, word := range own {
		if word == "-h" || word == "--help" {
			return "", true
		}
		if what, asked := strings.CutPrefix(word, "--help="); asked {
			return what, true
		}
	}
	return "", false
}

// Help writes the help of a command whose flags are those of a pointer to a struct. The
// error is ErrHelp where all went well, or a failure.
func (s Spec) Help(w io.Writer, target any, what string) error {
	list, err := Reference(target)
	if err != nil {
		return err
	}
	return s.print(w, list, what)
}

// honoured leaves out what the command refuses, and what is told of elsewhere.
func (s Spec) honoured(all []Row) (list []Row) {
	for _, r := range all {
		name, _, _ := strings.Cut(r.Flag, " ")
		if aside := s.Aside != "" && r.Group == s.Aside; !aside && (s.Refuses == nil || !s.Refuses(name)) {
			list = append(list, r)
		}
	}
	return list
}

// print writes the help. The error is ErrHelp where all went well, or a failure.
func (s Spec) print(w io.Writer, all []Row, what string) error {
	all = s.honoured(all)
	var b strings.Builder
	switch chosen := group(all, what); {
	case what == "" && len(s.Common) > 0:
		s.short(&b, all)
	case what == "" || what == "all":
		s.head(&b, all)
		List(&b, "", all)
	case len(chosen) == 0:
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--help=" + what, Cause: errors.New("there is no such group of flags"),
			Hint: "the groups are " + counts(all) + "; or --help=all"}
	default:
		List(&b, "", chosen)
	}
	if _, err := io.WriteString(w, strings.TrimLeft(b.String(), "\n")); err != nil {
		return &failure.Failure{Code: failure.Unavailable, Tried: "print the help", Cause: err}
	}
	return ErrHelp
}

func (s Spec) head(b *strings.Builder, all []Row) {
	usage := s.Name + " "
	if len(all) > 0 {
		usage += "[flags] "
	}
	fmt.Fprintf(b, "Usage: %s\n\n%s\n\nExample:\n  %s\n", strings.TrimSpace(usage+s.Args), Wrap(s.About, 0), s.Example)
}

// short shows a command's own flags and those that most people need, and tells how to
// see the others.
func (s Spec) short(b *strings.Builder, all []Row) {
	s.head(b, all)
	var own, common, more []Row
	for _, r := range all {
		name, _, _ := strings.Cut(r.Flag[len("--"):], " ")
		if slices.Contains(s.Own, r.Group) {
			own = append(own, r)
			continue
		}
		more = append(more, r)
		if slices.Contains(s.Common, name) {
			r.Group, r.Env = "Flags that most people need", ""
			common = append(common, r)
		}
	}
	List(b, "", own)
	List(b, "", common)
	fmt.Fprintf(b, `
Flags have variables: --stop-grace is NTH_STOP_GRACE. All flags, by group:
  %s
Ask for a group with %s --help=GROUP, for every flag with --help=all,
for those that have a word with nth help flags WORD.
`, Wrap(counts(more), 2), s.Name)
}

// group gives the flags of the groups whose names begin so.
func group(all []Row, name string) (list []Row) {
	for _, r := range all {
		if name != "" && strings.HasPrefix(strings.ToLower(r.Group), strings.ToLower(name)) {
			list = append(list, r)
		}
	}
	return list
}

// counts names the groups, each with how many flags it has.
func counts(all []Row) string {
	var names []string
	sizes := map[string]int{}
	for _, r := range all {
		if sizes[r.Group]++; sizes[r.Group] == 1 {
			names = append(names, r.Group)
		}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, sizes[name])
	}
	return strings.Join(names, ", ")
}

// The columns of a list of flags, and where its lines end.
const (
	textColumn = 28
	width      = 80
)

// List writes flags with their texts, each group with the title before its name.
func List(b *strings.Builder, title string, list []Row) {
	last := "\x00"
	for _, r := range list {
		if r.Group != last {
			fmt.Fprintf(b, "\n%s\n", title+r.Group)
			last = r.Group
		}
		text := r.Help
		if r.Default != "" {
			text += " Default: " + r.Default + "."
		}
		if r.Env != "" {
			text += " [" + r.Env + "]"
		}
		if len(r.Flag) > textColumn-4 {
			fmt.Fprintf(b, "  %s\n%*s%s\n", r.Flag, textColumn, "", Wrap(text, textColumn))
			continue
		}
		fmt.Fprintf(b, "  %-*s%s\n", textColumn-2, r.Flag, Wrap(text, textColumn))
	}
}

// Wrap breaks a text into lines that begin at a column, but for the first.
func Wrap(text string, column int) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case at+1+n > width:
			fmt.Fprintf(&b, "\n%*s", column, "")
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
