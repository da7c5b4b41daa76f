package templates

import "testing"

// TestBase10: a number that a variable holds is one of base 10, whatever it begins with.
func TestBase10(t *testing.T) {
	for value, want := range map[string]string{"10": "11", "010": "11", "0100": "101", "-7": "-6", "0x10": "", "0b1": "", "0o7": "", "1_000": "", "1e3": "", " 1": "", "": ""} {
		word, err := Parse(`<<add (env "N") 1>>`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := word.Expand(Fields{}, Sources{LookupEnv: func(string) (string, bool) { return value, true }})
		if got.Text != want || (err != nil) != (want == "") {
			t.Errorf("%q and 1 is %q (%v), want %q", value, got.Text, err, want)
		}
	}
}
