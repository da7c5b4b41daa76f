// Package idna stands in for the one that net/http names hosts with, golang.org/x/net/idna:
// its tables of what may be in a name, and of how that is written otherwise, are 0.2 MB.
// A name in ASCII never gets here. What is made of another is computed by the same code,
// punycode.go; a name whose accents stand for themselves, or whose letters are of other
// widths, isn't put together first, so that DNS knows it as xn--… alone.
package idna

import "strings"

// Profile is how names are looked up.
type Profile struct{}

// Lookup is the one profile.
var Lookup = &Profile{}

type labelError struct{ label, code string }

func (e *labelError) Error() string { return "idna: invalid label \"" + e.label + "\"" }

// ToASCII gives the name as DNS has it. Some scripts end a label with dots of their own.
func (*Profile) ToASCII(s string) (string, error) {
	dots := strings.NewReplacer("。", ".", "．", ".", "｡", ".")
	return ToASCII(strings.ToLower(dots.Replace(s)))
}

// ToASCII gives the name as DNS has it, upper case being another than lower.
func ToASCII(s string) (string, error) {
	labels := strings.Split(s, ".")
	for i, label := range labels {
		if !strings.ContainsFunc(label, func(r rune) bool { return r >= 0x80 }) {
			continue
		}
		var err error
		if labels[i], err = encode("xn--", label); err != nil {
			return "", err
		}
	}
	return strings.Join(labels, "."), nil
}
