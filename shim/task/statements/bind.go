package statements

import (
	"fmt"

	"nth/shim/store/contract"
)

// Quotation is what hides text from the parser of SQL.
type Quotation struct{ Name, Hint string }

// LineComment may be open at the end.
var LineComment = Quotation{"a comment", "take it out of the comment"}

// Bind goes through the pieces of text between which values stand. Scan gives what is open
// at the end of one, value is called where one can stand. Errors are *contract.Error.
func Bind(pieces []string, scan func(string) (*Quotation, error), value func(n int) error) error {
	for i, piece := range pieces {
		last := i == len(pieces)-1
		inside, err := scan(piece)
		switch {
		case err != nil:
			return err
		case inside == nil && !last:
			err = value(i + 1)
		case inside != nil && !last:
			err = Refuse(inside.Hint, "a << >> stands inside %s", inside.Name)
		case inside != nil && inside != &LineComment:
			err = Refuse("", "%s isn't closed", inside.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Refuse says why a statement isn't one.
func Refuse(hint, format string, args ...any) error {
	return &contract.Error{Kind: contract.Invalid, Cause: fmt.Errorf(format, args...), Hint: hint}
}

// Span is how long the beginning is that is all of a kind.
func Span(s string, kind func(byte) bool) int {
	n := 0
	for n < len(s) && kind(s[n]) {
		n++
	}
	return n
}
