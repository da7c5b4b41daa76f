package secrets

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWriter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		secret string
		line   string
		want   string
	}{
		{"a text", "s3cr3t", `{"level":"info","message":"token s3cr3t"}`, `{"level":"info","message":"token ***"}`},
		{"in a list", "s3cr3t", `{"command":["echo","s3cr3t"]}`, `{"command":["echo","***"]}`},
		{"in an object", "s3cr3t", `{"a":{"b":"s3cr3t"}}`, `{"a":{"b":"***"}}`},
		{"escaped in JSON", "a\"b\n<é>", `{"message":"x a\"b\n\u003c\u00e9> y"}`, `{"message":"x *** y"}`},
		{"not a name", "message", `{"message":"message"}`, `{"message":"***"}`},
		{"not nth's own words", "info", `{"level":"info","step":"info","message":"info"}`, `{"level":"info","step":"info","message":"***"}`},
		{"not what holds it together", `":"`, `{"level":"info","message":"a\":\"b"}`, `{"level":"info","message":"a***b"}`},
		{"not a number", "42", `{"index":42,"message":"index 42"}`, `{"index":42,"message":"index ***"}`},
		{"no JSON", "s3cr3t", "panic: \"s3cr3t\\", "panic: \"***\\"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Set
			s.Add(tt.secret)
			var b bytes.Buffer
			n, err := s.Writer(&b).Write([]byte(tt.line))
			if err != nil || n != len(tt.line) {
				t.Errorf("%d %v", n, err)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzWriter: no text of a line has the secret, and JSON stays JSON of the same form.
func FuzzWriter(f *testing.F) {
	f.Add("s3cr3t", "a s3cr3t\nb")
	f.Add(`"`, `\"`)
	f.Add("*", "**")
	f.Fuzz(func(t *testing.T, secret, text string) {
		if secret == "" || strings.Contains("***", secret) || !utf8.ValidString(secret) {
			t.Skip() // it is none, part of the mask, or no text
		}
		line, err := json.Marshal(map[string]any{"level": "info", "message": text, "n": 7})
		if err != nil {
			t.Skip()
		}
		var s Set
		s.Add(secret)
		var b bytes.Buffer
		if _, err := s.Writer(&b).Write(line); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Level, Message string
			N              int
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.Level != "info" || got.N != 7 {
			t.Fatalf("%s became %s: %v", line, b.Bytes(), err)
		}
		var was struct{ Message string }
		_ = json.Unmarshal(line, &was)
		if want := s.Hide(was.Message); got.Message != want {
			t.Errorf("%q became %q, want %q", was.Message, got.Message, want)
		}
	})
}

// TestRecent: the last ones are secrets, and the oldest aren't any more.
func TestRecent(t *testing.T) {
	var s Set
	r := s.Recent(2)
	r.Add("one")
	r.Add("two", "two")
	r.Add("three")
	if diff := cmp.Diff("one *** ***", s.Hide("one two three")); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkWriter(b *testing.B) {
	var s Set
	s.Add("s3cr3t")
	w := s.Writer(io.Discard)
	line := []byte(`{"level":"info","index":5,"attempt":1,"platform":"kubernetes","run_id":"20260101t000000z-1","message":"command ended"}`)
	for b.Loop() {
		_, _ = w.Write(line)
	}
}
