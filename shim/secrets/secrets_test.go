package secrets

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHide(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		text   string
		want   string
	}{
		{"none", nil, "hello", "hello"},
		{"an empty one is none", []string{""}, "hello", "hello"},
		{"as it is", []string{"s3cr3t"}, "token s3cr3t, s3cr3t", "token ***, ***"},
		{"one within another", []string{"cret", "secret"}, "a secret", "a ***"},
		{"in a path", []string{"a b/c"}, "https://h/a%20b/c", "https://h/***"},
		{"in a query", []string{"a b&c"}, "https://h/?t=a+b%26c", "https://h/?t=***"},
		{"several, in a text", []string{"a b/c+d", "a b", "x"}, "say a b/c+d, a b and x", "say ***, *** and ***"},
		{"several, in a path", []string{"a b/c+d", "a b", "x"}, "s3://b/a%20b/c+d/done", "s3://b/***/done"},
		{"several, in a query", []string{"a b/c+d", "a b", "x"}, "?q=a+b%2Fc%2Bd&r=a+b", "?q=***&r=***"},
		{"quoted", []string{`{"key": "a\b"}`}, fmt.Sprintf("%q is no number", `{"key": "a\b"}`), `"***" is no number`},
		{"of several lines, in one", []string{"-- BEGIN\n  abc\n-- END\n"}, "it is -- BEGIN abc -- END", "it is ***"},
		{"nothing of it", []string{"a b/c+d"}, "nothing of it", "nothing of it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Set
			s.Add(tt.values...)
			if diff := cmp.Diff(tt.want, s.Hide(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := (*Set)(nil).Hide("x"); got != "x" {
		t.Errorf("nil gave %q", got)
	}
}

// TestScope: a secret is one for as long as somebody holds it.
func TestScope(t *testing.T) {
	var s Set
	s.Add("always")
	first, second := s.Scope(), s.Scope()
	first.Add("task", "always")
	second.Add("task")
	say := func() string { return s.Hide("always task") }
	got := []string{say()}
	first.End()
	got = append(got, say())
	second.End()
	got = append(got, say())
	if diff := cmp.Diff([]string{"*** ***", "*** ***", "*** task"}, got); diff != "" {
		t.Error(diff)
	}
	if n := s.Longest(); n != len("always") {
		t.Errorf("the longest has %d bytes", n)
	}
}
