package failure

import (
	"errors"

	"nth/templates"
)

// templateCodes gives the exit code of each kind of template error (§3 of the contract).
func templateCodes() map[templates.Kind]Code {
	return map[templates.Kind]Code{
		templates.Syntax:        Usage,
		templates.MissingForAll: Setup,
		templates.BadForItem:    BadIndex,
		templates.Denied:        Denied,
		templates.Unreadable:    Unavailable,
	}
}

// Expansion is the failure for a template that can't be expanded.
func Expansion(on string, err error) *Failure {
	f := &Failure{Code: BadIndex, Tried: "expand", On: on, Cause: err}
	if te, ok := errors.AsType[*templates.Error](err); ok {
		f.Code = templateCodes()[te.Kind]
	}
	return f
}
