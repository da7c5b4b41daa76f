// Package batch writes scripts for batch systems, which read options in a script's comments:
// whatever a value holds, it is one value, for the shell and for the one that reads the
// comments.
package batch

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"nth/templates"
)

// Script is a script that becomes a command.
type Script struct {
	Magic   string   // at the beginning of a comment that is an option, such as #SBATCH
	Options []Option // in this order
	Notes   []string // comments, of fixed words
	Lines   []string // of the shell, before the command
	Words   []string // nth's flags, a line each
	Call    []string // the command that nth is given
}

// Option is one of a batch system's, such as mem=2G.
type Option struct {
	Name, Value string
	Bare        bool   // it has no value
	Why         string // a comment of fixed words above it
}

// Text gives the script.
func (s Script) Text() []byte {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, o := range s.Options {
		if o.Why != "" {
			b.WriteString("# " + o.Why + "\n")
		}
		b.WriteString(s.Magic + " --" + o.Name)
		if !o.Bare {
			b.WriteString("=" + quoted(o.Value))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	for _, n := range s.Notes {
		b.WriteString("# " + n + "\n")
	}
	for _, l := range s.Lines {
		b.WriteString(l + "\n")
	}
	b.WriteString("exec nth run")
	for _, w := range s.Words {
		b.WriteString(" \\\n  " + Word(w))
	}
	b.WriteString(" \\\n  --")
	for _, w := range s.Call {
		b.WriteString(" " + Word(w))
	}
	b.WriteByte('\n')
	return []byte(b.String())
}

// Word quotes a word for the shell; of a flag's, its value. No line of the script begins as
// the word has it: who reads the comments may go on beyond the first command, and would take
// one for its own.
func Word(s string) string {
	flag, value, ok := strings.Cut(s, "=")
	if ok && strings.HasPrefix(flag, "--") && templates.Quote(flag) == flag {
		return flag + "=" + Word(value)
	}
	return strings.ReplaceAll(templates.Quote(s), "\n", "\n''")
}

// quoted quotes a value as sbatch reads it in a comment: in quotes a backslash takes the next
// character as it is, and # begins no comment.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@%+=:,./_-", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// maxValue is less than sbatch takes in a line (8,192), also if each byte needs a backslash.
const maxValue = 4000

// Line tells what is wrong with a value that is to stand in a comment, of which a line break
// would make another line.
func Line(s string) error {
	switch {
	case !utf8.ValidString(s):
		return errors.New("it isn't UTF-8")
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return fmt.Errorf("%.80q has a control character, and an option is one line", s)
	case len(s) > maxValue:
		return fmt.Errorf("it has %d bytes, and at most %d fit into a line", len(s), maxValue)
	}
	return nil
}

// Parse reads an option, such as partition=short or exclusive. Its name is what sbatch has
// behind two dashes.
func Parse(s string) (Option, error) {
	name, value, ok := strings.Cut(s, "=")
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" || name[0] == '-' {
		return Option{}, fmt.Errorf("%.80q is no option of sbatch", s)
	}
	return Option{Name: name, Value: value, Bare: !ok}, Line(value)
}
