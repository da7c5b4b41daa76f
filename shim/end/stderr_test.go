package end

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/secrets"
)

func TestTail(t *testing.T) {
	n := 20
	for _, tt := range []struct {
		name      string
		kept      string
		truncated bool
		want      string
	}{
		{"whole", "login hunter2 failed", false, "login *** failed"},
		{"a secret spans the cut", "ahunter2 and the rest of it", true, " and the rest of it"},
		{"a piece of one at the start", "ter2 hello 012345678", true, "llo 012345678"},
		{"not valid UTF-8", "1234567\xff\xfeok", true, "\uFFFDok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var set secrets.Set
			set.Add("hunter2")
			if diff := cmp.Diff(tt.want, Tail([]byte(tt.kept), tt.truncated, n, &set)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
