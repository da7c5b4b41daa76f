package proc

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCookie: a command is known again by its variable, also below another nth, and no
// other one is taken for it.
func TestCookie(t *testing.T) {
	t.Setenv(Cookie, "")
	outer := newKin()
	first := outer.mark([]string{"A=1", Cookie + "=something", "B=2"})
	if diff := cmp.Diff([]string{"A=1", "B=2", Cookie + "=" + outer.cookie + ".1"}, first); diff != "" {
		t.Error(diff)
	}
	os.Setenv(Cookie, outer.cookie+".12")
	inner := newKin()
	value := strings.TrimPrefix(inner.mark(nil)[0], Cookie+"=")
	for _, tt := range []struct {
		k     kin
		value string
		want  int64
	}{
		{inner, value, 1}, {outer, value, 12}, {outer, outer.cookie + ".12", 12}, {inner, outer.cookie + ".12", 0},
		{outer, outer.cookie, 0}, {outer, outer.cookie + ".", 0}, {outer, outer.cookie + ".-1", 0}, {outer, outer.cookie + ".1x", 0},
		{outer, outer.cookie + "0.1", 0}, {outer, "", 0},
	} {
		if got := tt.k.number(tt.value); got != tt.want {
			t.Errorf("%q is the command %d, want %d", tt.value, got, tt.want)
		}
	}
	os.Setenv(Cookie, strings.Repeat("x", mostCookie))
	if k := newKin(); len(k.cookie) >= mostCookie {
		t.Error("an endless one is taken over")
	}
}
