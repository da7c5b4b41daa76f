package repair

import (
	"fmt"

	"nth/shim/failure"
	"nth/shim/identity"
)

// checkChoice: exactly one of the flags says which items are meant.
func (c *Config) checkChoice() error {
	n := 0
	for _, given := range []bool{c.Indexes != "", c.Failed, c.Missing, c.All} {
		if given {
			n++
		}
	}
	const flags = "--indexes, --failed, --missing and --all"
	switch {
	case n == 0:
		return usage(flags, "none of them is given", "one of them says which indexes are meant: --indexes 3,7-9")
	case n > 1:
		return usage(flags, "more than one of them is given", "give just one")
	case c.Completions != nil && *c.Completions < 1:
		return usage("--completions", "it is not positive", "give how many indexes the Job has")
	}
	return nil
}

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
