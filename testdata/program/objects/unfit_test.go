//go:build linux

package objects

import (
	"os"
	"strings"
	"testing"

	"nth/testdata/program"
)

// TestUnfit: what stands in a directory and can't be an item is counted and named, by who
// makes the list and by who looks at it.
func TestUnfit(t *testing.T) {
	dir := t.TempDir() + "/"
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(dir+"elsewhere", 0o777))
	must(os.Mkdir(dir+"u", 0o777))
	for _, name := range []string{"elsewhere/1", "u/ok", "u/bad\xff", "u/.hidden\xff"} {
		must(os.WriteFile(dir+name, nil, 0o666))
	}
	must(os.Symlink("nothing", dir+"u/dangling"))
	must(os.Symlink("round", dir+"u/round"))
	must(os.Symlink(dir+"elsewhere", dir+"u/linked"))
	for n, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"plan", "--completions=auto"}, "4 more can't be items: "},
		{[]string{"run", "--index=0"}, "4 more can't be items: "},
		{[]string{"plan", "--completions=auto"}, "4 more can't be items: "}, // of the pinned list
		{[]string{"local", "--completions=auto", "--job=other"}, "4 more can't be items: "},
		{[]string{"manifest", "--completions=auto", "--name=x", "--image=x", "--volume=hostpath/x:/x"}, "4 more can't be items: "},
	} {
		_, stderr, code := program.Nth(t, nil, append(tt.args, "--tasks=file://"+dir+"u/", "--markers=file://"+dir+"m", "--", "echo", "<<.Index>>", "<<.Task.name>>")...)
		if code != 0 || strings.Count(stderr, tt.says) != 1 || strings.Contains(stderr, "hidden") {
			t.Errorf("%d, %v: %d: %s", n, tt.args, code, stderr)
		}
	}
	for behind, says := range map[string][]string{
		"u/bad*":       {`1 more can't be items: "bad\xff" (its name is no UTF-8)`},
		"u/{ok,dang}*": {"1 more can't be items: dangling (a link to nothing)"},
		"u/**/{ok,1}":  {"1 more can't be items: linked (a link to a directory)"},
	} {
		_, stderr, _ := program.Nth(t, nil, "plan", "--completions=1", "--tasks=file://"+dir+behind, "--", "echo", "<<.Task.name>>")
		for _, s := range says {
			if !strings.Contains(stderr, s) {
				t.Errorf("%s: %s", behind, stderr)
			}
		}
	}
}
