package failure

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/templates"
)

// TestFrom: a failure is found wherever it is in an error, and what is none is a bug of
// nth's: never a code that ends a Job.
func TestFrom(t *testing.T) {
	own := &Failure{Code: NoInput, Tried: "find"}
	for name, tt := range map[string]struct {
		err  error
		want Code
	}{
		"a failure":                    {own, NoInput},
		"one within":                   {fmt.Errorf("around it: %w", own), NoInput},
		"one among":                    {errors.Join(errors.New("another"), own), NoInput},
		"none":                         {errors.New("another"), Bug},
		"a template's":                 {Expansion("word 1", &templates.Error{Kind: templates.BadForItem}), BadIndex},
		"a template's, of all":         {Expansion("word 1", &templates.Error{Kind: templates.MissingForAll}), Setup},
		"one that can't be parsed":     {Expansion("word 1", &templates.Error{Kind: templates.Syntax}), Usage},
		"a file that may not be read":  {Expansion("word 1", &templates.Error{Kind: templates.Denied}), Denied},
		"a file that can't be read":    {Expansion("word 1", &templates.Error{Kind: templates.Unreadable}), Unavailable},
		"a template's, without a kind": {Expansion("word 1", errors.New("another")), BadIndex},
	} {
		if got := From(tt.err).Code; got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// TestError: what was tried, on what, why it failed and what to do, in one line.
func TestError(t *testing.T) {
	for want, f := range map[string]Failure{
		"read":                     {Tried: "read"},
		"read a: b (c)":            {Tried: "read", On: "a", Cause: errors.New("b"), Hint: "c"},
		"read: b two lines":        {Tried: "read", Cause: errors.New("b\r\ntwo lines")},
		"read: and no red letters": {Tried: "read", Cause: errors.New("and no \x1b[31mred letters")},
	} {
		if diff := cmp.Diff(want, f.Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
