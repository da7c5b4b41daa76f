package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInputs(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		for key, body := range map[string]string{"in/a.txt": "A\n", "in/sub/b.txt": "B\n", "in/sub/c.csv": "C\n", "in/empty": "", "in/.nth/run/0/x": "staged"} {
			p.put(key, body)
		}
		nothing := 66
		if strings.HasPrefix(p.url(""), "file:") {
			nothing = 69 // a directory that isn't there may be a volume that isn't mounted
		}
		for _, c := range []struct {
			name  string
			pairs []string
			code  int
			want  map[string]string
		}{
			{"an object to a file", []string{"in/a.txt", "w/in"}, 0, map[string]string{"w/in": "A\n"}},
			{"into a directory", []string{"in/a.txt", "w/"}, 0, map[string]string{"w/a.txt": "A\n"}},
			{"an empty one", []string{"in/empty", "e"}, 0, map[string]string{"e": ""}},
			{"a prefix", []string{"in/", "w/"}, 0, map[string]string{"w/a.txt": "A\n", "w/sub/b.txt": "B\n", "w/sub/c.csv": "C\n", "w/empty": ""}},
			{"a glob", []string{"in/**/*.txt", "w/"}, 0, map[string]string{"w/a.txt": "A\n", "w/sub/b.txt": "B\n"}},
			{"two inputs", []string{"in/a.txt", "one", "in/sub/b.txt", "two"}, 0, map[string]string{"one": "A\n", "two": "B\n"}},
			{"one that is missing", []string{"in/a.txt", "one", "in/none", "two"}, 66, map[string]string{"one": "A\n"}},
			{"one of a directory that is missing", []string{"none/x", "x"}, nothing, map[string]string{}},
			{"a prefix with nothing", []string{"none/", "w/"}, nothing, map[string]string{}},
			{"a glob that matches nothing", []string{"in/*.png", "w/"}, 66, map[string]string{}},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := p.in(t)
				var args []string
				for n := 0; n < len(c.pairs); n += 2 {
					args = append(args, "--input", p.url(c.pairs[n])+"="+c.pairs[n+1])
				}
				out := p.run(c.code, append(args, "--", "echo", "the command ran")...)
				if ran := strings.Contains(out, "the command ran\n"); ran != (c.code == 0) {
					t.Errorf("the command ran: %v: %s", ran, out)
				}
				if diff := cmp.Diff(c.want, p.files()); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// Nothing is written outside the target, and what is there already is replaced.
func TestInputsStayInside(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.put("in/sub/x", "from the store")
		outside := t.TempDir()
		for _, link := range []string{"w/sub", "w/sub/x"} {
			t.Run(link, func(t *testing.T) {
				p := p.in(t)
				victim := filepath.Join(outside, "x")
				if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
					t.Fatal(err)
				}
				at, to, code := filepath.Join(p.dir, link), outside, 69
				if link == "w/sub/x" {
					to, code = victim, 0 // the link itself is replaced
				}
				if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, at); err != nil {
					t.Fatal(err)
				}
				p.run(code, "--input", p.url("in/")+"=w/", "--", "true")
				if body, err := os.ReadFile(victim); err != nil || string(body) != "untouched" {
					t.Errorf("outside there is %q, %v", body, err)
				}
			})
		}
	})
}

// The item itself is the input.
func TestInputOfAnItem(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.put("in/a.txt", "A\n")
		p.put("rows.csv", "name\na.txt\n")
		for name, args := range map[string][]string{
			"an object":          {"--tasks", p.url("in/"), "--input", "<<.Task>>=in", "--", "cat", "in"},
			"an object's URL":    {"--tasks", p.url("in/"), "--input", "<<.Task.url>>=in", "--", "cat", "in"},
			"an object as stdin": {"--tasks", p.url("in/"), "--stdin", "<<.Task>>", "--", "cat"},
			"a row":              {"--tasks", p.url("rows.csv"), "--input", p.url("in/<<.Task.name>>") + "=<<.Task.name>>", "--", "cat", "<<.Task.name>>"},
		} {
			t.Run(name, func(t *testing.T) {
				p := p.in(t)
				p.contains(p.run(0, append([]string{"--markers", p.url("m/" + strings.ReplaceAll(name, " ", "-"))}, args...)...), "A\n")
			})
		}
	})
}
