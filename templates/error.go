package templates

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says for whom a template fails.
type Kind int

const (
	// Syntax: it can't be parsed, or names what doesn't exist; for every index.
	Syntax Kind = iota
	// MissingForAll: it names a value that was not given to this run: .Completions,
	// .Job, .JobUID, env or secret; for every index.
	MissingForAll
	// BadForItem: it can't be executed at this index.
	BadForItem
	// Denied: it names a file that may not be read.
	Denied
	// Unreadable: it names a file that can't be read now, which is no fault of the item's.
	Unreadable
)

// Error says which word failed and why. It holds no secret.
type Error struct {
	Kind  Kind
	Word  string
	Cause error
	Hint  string // what to change; may be empty
}

func (e *Error) Error() string {
	s := short(e.Cause.Error())
	if e.Word != "" {
		s = fmt.Sprintf("%q: %s", short(e.Word), s)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// short keeps a message in one line that can be read.
func short(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// errTooLong bounds what an expansion may cost, also on the way to a short text.
func errTooLong() error {
	return &Error{Kind: BadForItem, Cause: fmt.Errorf("it expands to more than %d bytes", maxOutput),
		Hint: "one word of a command is limited to 128 KiB"}
}

var errNUL = errors.New("it has a NUL byte, which no word of a command can have")

var errNested = errors.New("define, block and template can't be used: one word is one template")
