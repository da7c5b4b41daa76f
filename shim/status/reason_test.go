package status

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/screen"
)

func TestEnding(t *testing.T) {
	code := func(n int) *int { return &n }
	for _, tt := range []struct {
		f                  marker.Failure
		reason, text, last string
	}{
		{marker.Failure{ExitCode: 3, CommandCode: code(3), Stderr: "a\nb\n\n--\n"}, "exit-3", "exit code 3", "b"},
		{marker.Failure{ExitCode: 1, CommandCode: code(66), Reason: "its own words\n"}, "exit-66", "exit code 66", "its own words"},
		{marker.Failure{ExitCode: 139, Signal: "SIGSEGV"}, "SIGSEGV", "killed by SIGSEGV", ""},
		{marker.Failure{ExitCode: 137, Signal: "SIGKILL", OOMKilled: true}, "oom", "killed by SIGKILL: out of memory", ""},
		{marker.Failure{ExitCode: 1, CommandCode: code(1), OOMKilled: true}, "oom", "out of memory", ""},
		{marker.Failure{ExitCode: 124, Signal: "SIGTERM", TimedOut: true}, "timeout", "timed out", ""},
		{marker.Failure{ExitCode: 75, Signal: "SIGTERM", LeaseLost: true, Stderr: "halfway"}, "lease-lost", "the lease was lost", "halfway"},
		{marker.Failure{ExitCode: 143, CommandCode: code(0), StopSignal: "SIGTERM"}, "stopped", "stopped by SIGTERM", ""},
		{marker.Failure{Header: marker.Header{Index: 42}, ExitCode: 66, Message: "nth: index 42: require /x: missing"}, "nth-66", "nth's exit code 66", "require /x: missing"},
		{marker.Failure{ExitCode: 73, CommandCode: code(0), Message: "nth: index 0: write the marker", Stderr: "chatter"}, "nth-73", "nth's exit code 73", "write the marker"},
	} {
		reason, text := ending(&tt.f)
		if diff := cmp.Diff([]string{tt.reason, tt.text, tt.last}, []string{reason, text, last(reason, &tt.f)}); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAlike(t *testing.T) {
	for a, b := range map[string]string{
		"disk full on /scratch/42":           "disk full on /scratch/43",
		"line 7: open /data/a.txt: no":       "line 12345: open /data/sub/b.txt: no",
		"at 2026-11-25T10:11:12Z: lost":      "at 2025-01-01T00:00:00Z: lost",
		"bad checksum 0xdeadbeef (want 0x0)": "bad checksum 0xfeed (want 0x12)",
		"user 3fa85f64-5717-4562 unknown":    "user 00000000-1111-2222 unknown",
		"key='a1' é":                         "key='a22' é",
	} {
		if alike(a) != alike(b) {
			t.Errorf("%q and %q differ: %q, %q", a, b, alike(a), alike(b))
		}
	}
	for a, b := range map[string]string{"disk full": "disk slow", "cannot open": "cannot close", "x": ""} {
		if alike(a) == alike(b) {
			t.Errorf("%q and %q are alike: %q", a, b, alike(a))
		}
	}
}

// TestGroups: equal deaths are one line, the most frequent first.
func TestGroups(t *testing.T) {
	var all []Failure
	for i := range int64(500) {
		all = append(all, Failure{Index: i, Reason: "exit-3", Text: "exit code 3", Last: fmt.Sprintf("disk full on /scratch/%d", i)})
	}
	all = append(all, Failure{Index: 600, Reason: "oom", Text: "out of memory", Last: "the same"}, Failure{Index: 602, Reason: "oom", Text: "out of memory", Last: "the same"},
		Failure{Index: 700, Reason: "exit-3", Text: "exit code 3", Last: "something else"}, Failure{Index: 701, Reason: "oom", Text: "out of memory", Last: "the same", Again: true})
	want := []Group{
		{Reason: "exit-3", Text: "exit code 3: disk full on …", Count: 500, Indexes: "0-499", Example: 0},
		{Reason: "oom", Text: "out of memory: the same", Count: 2, Indexes: "600,602", Example: 600},
		{Reason: "exit-3", Text: "exit code 3: something else", Count: 1, Indexes: "700", Example: 700},
	}
	if diff := cmp.Diff(want, groups(all)); diff != "" {
		t.Error(diff)
	}
}

// FuzzCut: whatever stands in a line, it fits, and what is compared of it is text.
func FuzzCut(f *testing.F) {
	for _, s := range []string{"", "x", "\x1b[31mx", "\u202e", "\xff", "日本"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := screen.Clean(s)
		if strings.ToValidUTF8(alike(got), "") != alike(got) {
			t.Errorf("%q: %q", got, alike(got))
		}
		for _, width := range []int{0, 1, 7} {
			cols := 0
			for _, r := range cut(oneLine(s), width) {
				cols += wide(r)
			}
			if cols > width {
				t.Errorf("%q is %d columns, want %d", cut(oneLine(s), width), cols, width)
			}
		}
	})
}

func TestCutList(t *testing.T) {
	for _, tt := range []struct {
		list  string
		width int
		want  string
	}{
		{"0-3,7", 5, "0-3,7"},
		{"1,2,10-19,30", 11, "… and 13 more"},
		{"100,200,300-399,500,502,504,506", 30, "100,200,… and 104 more"},
	} {
		if diff := cmp.Diff(tt.want, cutList(tt.list, tt.width)); diff != "" {
			t.Error(diff)
		}
	}
}
