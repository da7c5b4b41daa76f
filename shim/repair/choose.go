package repair

import (
	"fmt"

	"nth/shim/failure"
	"nth/shim/identity"
)

// named gives the list of --indexes, empty without it. An error is a failure with
// exit code 64 or 78.
func (c *Config) named() (identity.List, error) {
	if c.Indexes == "" {
		return identity.List{}, nil
	}
	list, err := identity.ParseList(c.Indexes)
	if err != nil {
		f := *failure.From(err)
		f.Code = failure.Usage
		return list, &f
	}
	if c.Completions != nil && list.Last() >= *c.Completions {
		return list, usage("--indexes", fmt.Sprintf("%d is beyond the last index, %d", list.Last(), *c.Completions-1), "indexes are counted from 0")
	}
	return list, nil
}

// within tells whether an index is one of the Job's, as far as that is known.
func (c *Config) within(index int64) bool { return c.Completions == nil || index < *c.Completions }
