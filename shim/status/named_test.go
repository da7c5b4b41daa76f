package status

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
)

// TestNamed: a failure is told with what a person knows it by: the object, the numbers of the
// items that failed, or what of a task's command isn't every task's.
func TestNamed(t *testing.T) {
	at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	failed := Failure{Text: "exit code 3", At: at, Failures: 1}
	index := func(number int64, item, items string) Failure {
		f := failed
		f.Index, f.Item, f.Items = number, item, items
		return f
	}
	task := func(id string, command ...string) TaskFailure {
		f := failed
		f.Last = "bad"
		return TaskFailure{Task: id, Attempt: 1, Command: command, Failure: f}
	}
	const head = "\ntask  how          delivery  when                    where\n"
	row := func(id string, lines ...string) string {
		s := id + "     exit code 3         1  2026-11-25 10:00Z, now\n"
		for _, line := range append(lines, "bad") {
			s += "      " + line + "\n"
		}
		return s
	}
	for name, tt := range map[string]struct {
		failures []Failure
		tasks    []TaskFailure
		want     string
	}{
		"items": {[]Failure{index(1, "", "7"), index(10, "", "70,72-75"), index(11, "", "")}, nil, `
index               how          failures  when                    where
 1  item 7          exit code 3         1  2026-11-25 10:00Z, now
10  items 70,72-75  exit code 3         1  2026-11-25 10:00Z, now
11                  exit code 3         1  2026-11-25 10:00Z, now
`},
		"objects":       {[]Failure{index(1, "a.txt", "7")}, nil, "\nindex     how          failures  when                    where\n1  a.txt  exit code 3         1  2026-11-25 10:00Z, now\n"},
		"many items":    {[]Failure{index(1, "", strings.Repeat("7,", 50))}, nil, "\nindex" + strings.Repeat(" ", 38) + "  how          failures  when                    where\n1  items " + strings.Repeat("7,", 16) + "7…  exit code 3         1  2026-11-25 10:00Z, now\n"},
		"one task":      {nil, []TaskFailure{task("a", "resize", "a b.jpg")}, head + row("a", "command: resize 'a b.jpg'")},
		"tasks":         {nil, []TaskFailure{task("a", "sh", "-c", `x "$1"`, "a b"), task("b"), task("c", "sh", "-c", `x "$1"`, "$c")}, head + row("a", "command: … 'a b'") + row("b") + row("c", "command: … '$c'")},
		"not alike":     {nil, []TaskFailure{task("a", "a"), task("b", "b", "x")}, head + row("a", "command: a") + row("b", "command: b x")},
		"more words":    {nil, []TaskFailure{task("a", "x"), task("b", "x", "\x1b[2Jy")}, head + row("a") + row("b", "command: … 'y'")},
		"all alike":     {nil, []TaskFailure{task("a", "work"), task("b", "work")}, head + row("a") + row("b")},
		"none is known": {nil, []TaskFailure{task("a"), task("b")}, head + row("a") + row("b")},
	} {
		x := newText(0, at)
		x.failures(&Report{Failures: tt.failures})
		x.taskFailures(&Report{TaskFailures: tt.tasks})
		if diff := cmp.Diff(tt.want, x.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	of := failureOf(7, []byte(encode(t, marker.Failure{Header: header(7), ItemsFailed: "70", FirstFailed: "70"})))
	if of.item() != "item 70" {
		t.Errorf("a record of an item: %+v", of)
	}
	one := taskFailureOf(strings.Repeat("b", 64)+".json", []byte(encode(t, taskFailure("b", "id"))))
	if diff := cmp.Diff([]string{"work", "3"}, one.Command); diff != "" {
		t.Errorf("a record of a task (-want +got):\n%s", diff)
	}
}
