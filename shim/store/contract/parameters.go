package contract

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Parameters hands a URL's parameters to the settings that they set, by their names.
// An error names the parameter, and never its value: somebody may have put a secret
// there. Those in shown are offered to who has misspelt one.
func Parameters[S any](u *url.URL, s *S, known map[string]func(s *S, value string) error, shown ...string) error {
	return parameters(u.Query(), shown, func(name, value string) (bool, error) {
		set, ok := known[name]
		if !ok {
			return false, nil
		}
		return true, set(s, value)
	})
}

// parameters is what Parameters does, compiled once and not for each type of settings.
func parameters(query url.Values, shown []string, set func(name, value string) (known bool, err error)) error {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		known, err := set(name, query.Get(name))
		switch {
		case err != nil:
			return fmt.Errorf("the parameter %s: %w", name, err)
		case !known && len(shown) == 1:
			return fmt.Errorf("unknown parameter %s; there is just %s", name, shown[0])
		case !known:
			return fmt.Errorf("unknown parameter %s; there are %s", name, strings.Join(shown, ", "))
		}
	}
	return nil
}

// ofItems are the parameters of all stores that a URL may have which an item says, all of
// it. Any other says whom to ask, as whom, who pays, or how: what a row says must
// not send a signed request, or a token, to a server that it names.
var ofItems = []string{"region", "storage_account", "anonymous"}

// FromItem refuses parameters that are the command line's alone.
func FromItem(u *url.URL) error {
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		if !slices.Contains(ofItems, name) {
			return fmt.Errorf("the parameter %s is not for an item to say", name)
		}
	}
	return nil
}

// Flag is a parameter that is true or false.
func Flag[S any](field func(*S) *bool) func(*S, string) error {
	return func(s *S, value string) error {
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("it is true or false")
		}
		*field(s) = yes
		return nil
	}
}
