package flags

import (
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// TestKongVariables: kong's variables in a default, in any build: the release has another
// reading of them (.ci/without/patches).
func TestKongVariables(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "a", "$": "$", "$$": "$", "$$$": "$$", "a$b": "a$b", "${x}": "X", "a${x}b${_y1}c": "aXbYc", "$${x}": "${x}", "$$${x}": "$X",
		"${no=d}": "d", "${no=}": "", "${x=d}": "X", "${no=a=b\n{$}e}": "a=b\n{$e}", "${": "${", "${}": "${}", "${1}": "${1}", "${x": "${x", "${x.y}": "${x.y}", "{x}": "{x}", "${é}é": "${é}é", "$x}": "$x}",
	} {
		var target struct{ Text string }
		parser, err := model(&target, kong.NoDefaultHelp(), kong.Vars{"x": "X", "_y1": "Y"}, kong.PostBuild(func(k *kong.Kong) error {
			k.Model.Flags[0].Default = text
			return nil
		}))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, parser.Model.Flags[0].Default); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if _, err := model(&struct{ Text string }{}, kong.NoDefaultHelp(), kong.PostBuild(func(k *kong.Kong) error {
		k.Model.Flags[0].Default = "${no}"
		return nil
	})); err == nil {
		t.Error("a variable that isn't there is one")
	}
}
