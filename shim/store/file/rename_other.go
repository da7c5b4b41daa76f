//go:build !linux && !windows

package file

import "nth/shim/store/contract"

// renameNew: there is no other way here than hard links.
func renameNew(_, _ string, why error) error {
	return &contract.Error{Kind: contract.Unsupported, Cause: why,
		Hint: "this file system can't link, so two writers of one marker could both win"}
}
