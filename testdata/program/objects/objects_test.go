//go:build linux

package objects

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/matrix"
	"nth/testdata/program"
)

// keys are names that are legal everywhere and have characters that mean something in a
// URL, in their listed order: that of their bytes, in which "a b/" stands before "a-b".
var keys = []string{"%41.txt", "A.txt", "a b/1#?.txt", "a-b.txt", "a.tar.gz", "b/c/d.txt", "b/c.txt", "é&=+.txt"}

// hostile are names of which a shell, a template or a program's flags would make something
// else.
var hostile = []string{"-dash dir/--e.txt", "-rf.txt", "it's.txt", "new\nline.txt", `q"q.txt`, "star*[x]{y}.txt", "w<<.Index>>.txt"}

func sorted() []string {
	return []string{"%41.txt", "A.txt", "a b/1#?.txt", "a-b.txt", "a.tar.gz", "b/c.txt", "b/c/d.txt", "é&=+.txt"}
}

// tree is a store with objects, as a test sees it.
type tree struct {
	*testing.T
	place *matrix.Place
	s     *store.Store
}

func plant(t *testing.T, row int) *tree {
	t.Helper()
	place := matrix.Start(t, row)
	tr := &tree{t, place, place.Open(t, "in")}
	for i, key := range keys {
		tr.put(key, strings.Repeat("x", i))
	}
	// What isn't meant: hidden, partial, and what nth writes itself.
	for _, key := range []string{".hidden", "b/_temporary/0/part", "_SUCCESS", "upload.part"} {
		tr.put(key, "x")
	}
	return tr
}

func (t *tree) put(key, body string) {
	t.Helper()
	if err := t.s.Put(t.Context(), key, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// url gives --tasks for what stands behind the directory.
func (t *tree) url(behind string) string {
	address, query, _ := strings.Cut(t.place.URL(t.place.Base(), "in"), "?")
	if query != "" {
		query = "?" + query
	}
	return address + "/" + behind + query
}

// markers are within the listed directory, where nobody should put them.
func (t *tree) markers(name string) string { return t.place.URL(t.place.Base(), "in/"+name) }

func (t *tree) nth(args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return program.Nth(t.T, t.place.Env(t.place.Base()), args...)
}

// run runs an index that tells its object.
func (t *tree) run(markers, behind string, index, code int, flags ...string) (told, said string) {
	t.Helper()
	args := append([]string{"run", "--index=" + strconv.Itoa(index), "--tasks=" + t.url(behind), "--markers=" + t.markers(markers)}, flags...)
	stdout, stderr, got := t.nth(append(args, "--", "printf", "%s|", "<<.Task.key>>", "<<.Task.name>>", "<<.Task.dir>>", "<<.Task.stem>>", "<<.Task.size>>", "<<.Task>>")...)
	if got != code {
		t.Fatalf("index %d: exit code %d, want %d: %s", index, got, code, stderr)
	}
	return stdout, stderr
}

// TestObjects: each index has one object, in the order of the keys, whatever is in its
// name; what comes later moves none, and what changes is another item.
func TestObjects(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			tr := plant(t, row)
			root := strings.TrimSuffix(strings.SplitN(tr.place.URL("http://x", "in"), "?", 2)[0], "in")
			var told []string
			for i := range keys {
				// With the object's own URL as what must exist, at the server that only --tasks names.
				out, _ := tr.run("m", "", i, 0, "--require=<<.Task>>")
				parts := strings.Split(out, "|")
				told = append(told, parts[0][strings.Index(parts[0], "in/")+3:])
				name := parts[0][strings.LastIndexByte(parts[0], '/')+1:]
				if parts[1] != name || parts[2]+"/"+name != parts[0] || !strings.HasPrefix(name, parts[3]+".") || !strings.HasPrefix(parts[5], root+"in/") {
					t.Errorf("index %d was told %q", i, parts)
				}
				if i == 0 {
					tr.put("0-came-later", "")
				}
			}
			if diff := cmp.Diff(sorted(), told); diff != "" {
				t.Errorf("the objects of the indexes: %s", diff)
			}
			if _, said := tr.run("m", "", len(keys), 66); !strings.Contains(said, "the list has 8, from 0") {
				t.Errorf("beyond the last: %s", said)
			}
			if _, said := tr.run("m", "", 3, 0); !strings.Contains(said, "is done already") {
				t.Errorf("again: %s", said)
			}
			tr.put("a-b.txt", "other")
			if _, said := tr.run("m", "", 3, 65); !strings.Contains(said, "in/a-b.txt has changed: its version was ") || !strings.Contains(said, "of 3 bytes") || !strings.Contains(said, "now, of 5") {
				t.Errorf("of a changed object: %s", said)
			}
			if out, _ := tr.run("m", "", 3, 0, "--on-change=rerun"); !strings.Contains(out, "|5|") {
				t.Errorf("a changed object, again: %s", out)
			}
			if err := tr.s.Delete(t.Context(), "a-b.txt"); err != nil {
				t.Fatal(err)
			}
			if _, said := tr.run("m", "", 3, 66); !strings.Contains(said, "it does not exist any more") {
				t.Errorf("of an object that is gone: %s", said)
			}
			if err := tr.s.Delete(t.Context(), sorted()[5]); err != nil {
				t.Fatal(err)
			}
			if _, said := tr.run("m", "", 5, 0); !strings.Contains(said, "is done already") {
				t.Errorf("of an object that is gone since it was done: %s", said)
			}
		})
	}
}

// TestHostile: whatever is in a name, the command gets the key as one word, the URL is that
// of the object for --stdin and --require, and what is made of the name is one place.
func TestHostile(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			place := matrix.Start(t, row)
			tr := &tree{t, place, place.Open(t, "in")}
			for _, key := range hostile {
				tr.put(key, key)
			}
			out, query, _ := strings.Cut(place.URL(place.Base(), "out"), "?")
			_, stderr, code := tr.nth("local", "--completions=auto", "--tasks="+tr.url(""), "--markers="+place.URL(place.Base(), "m"), "--require=<<.Task>>", "--stdin=<<.Task>>",
				"--stdout="+out+"/<<.Task.name>>?"+query, "--", "sh", "-c", `test "$3" = "$NTH_ITEM_TASK" && printf '%s|%s|' "$1" "$2" && cat`, "sh", "<<.Task.name>>", "<<.Task.stem>>", "<<.Task>>")
			if code != 0 {
				t.Fatalf("%d: %s", code, stderr)
			}
			made := place.Open(t, "out")
			for _, key := range hostile {
				name := filepath.Base(key)
				body, _, err := made.Read(t.Context(), name)
				if want := name + "|" + strings.TrimSuffix(name, ".txt") + "|" + key; err != nil || string(body) != want {
					t.Errorf("%q: %q, %v", key, body, err)
				}
			}
		})
	}
}

// TestBlocked: what stands in an object's place, and is none, is no server that may answer
// later.
func TestBlocked(t *testing.T) {
	tr := plant(t, 0)
	tr.run("m", "", 7, 0) // pins
	dir := tr.place.Dir + "/in/"
	for key, put := range map[string]func(path string) error{
		"A.txt":       func(path string) error { return os.Mkdir(path, 0o777) },
		"a-b.txt":     func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"a b/1#?.txt": func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o666) },
	} {
		gone := dir + key
		if strings.Contains(key, "/") {
			gone = filepath.Dir(gone)
		}
		if err := errors.Join(os.RemoveAll(gone), put(dir+key)); err != nil {
			t.Fatal(err)
		}
	}
	for i, says := range map[int]string{1: "a directory stands in its place", 2: "it does not exist any more", 3: "what stands in its place is no regular file"} {
		if _, said := tr.run("m", "", i, 66, "--store-wait=1s"); !strings.Contains(said, says) || strings.Contains(said, "trying again") {
			t.Errorf("%d: %s", i, said)
		}
	}
}

// TestGlobs: which objects a glob means, and how a literal star is written.
func TestGlobs(t *testing.T) {
	tr := plant(t, 0)
	tr.put("st*r/1", "")
	tr.put("star/1", "")
	for n, tt := range []struct {
		behind string
		flags  []string
		want   []string
	}{
		{"*.txt", nil, []string{"%41.txt", "A.txt", "a-b.txt", "é&=+.txt"}},
		{"**/*.txt", nil, []string{"%41.txt", "A.txt", "a b/1#?.txt", "a-b.txt", "b/c.txt", "b/c/d.txt", "é&=+.txt"}},
		{"b/**", nil, []string{"b/c.txt", "b/c/d.txt"}},
		{"b/*/", nil, []string{"b/c/d.txt"}},
		{"[!a-z]*", nil, []string{"%41.txt", "A.txt", "é&=+.txt"}},
		{"a*.{gz,txt}", nil, []string{"a-b.txt", "a.tar.gz"}},
		{"a%20b/**", nil, []string{"a b/1#?.txt"}},
		{"st%2Ar/", nil, []string{"st*r/1"}},
		{"st%2A*/*", nil, []string{"st*r/1"}},
		{"st*/*", nil, []string{"st*r/1", "star/1"}},
		{"st[*]r/*", nil, []string{"st*r/1"}},
		{"", []string{"--tasks-exclude=*.txt", "--tasks-exclude=st*", "--tasks-exclude=b/_temporary/**", "--tasks-exclude=m*"}, []string{".hidden", "_SUCCESS", "a.tar.gz", "upload.part"}},
		{"**/{.,_}*", []string{"--tasks-exclude=none"}, []string{".hidden", "_SUCCESS"}},
		{"*.part", []string{"--tasks-exclude=none"}, []string{"upload.part"}},
	} {
		var got []string
		stdout, stderr, _ := tr.nth(append([]string{"plan", "--completions=20", "--tasks=" + tr.url(tt.behind)}, append(tt.flags, "--", "x", "<<.Task.key>>")...)...)
		for line := range strings.Lines(stdout) {
			got = append(got, strings.Trim(strings.TrimSpace(line[strings.Index(line, "/in/")+4:]), "'"))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%d, %s: %s\n%s", n, tt.behind, diff, stderr)
		}
	}
	for behind, says := range map[string]string{
		"a**": "** is a whole part", "[a": "a [ is never closed; a literal one is written %5B", "{a": "a { is never closed; a literal one is written %7B",
		"[b-a]": "b-a is no range", "x*%zz": `"%zz"`, "*#x": "has a #",
	} {
		if _, stderr, code := tr.nth("plan", "--completions=1", "--tasks="+tr.url(behind), "--", "x", "<<.Task>>"); code != 64 || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d: %s", behind, code, stderr)
		}
	}
}

// TestExcludes: a glob that can leave nothing out isn't taken in silence.
func TestExcludes(t *testing.T) {
	tr := plant(t, 0)
	for glob, says := range map[string]string{
		tr.place.Dir + "/in/*.txt":           "begins with a slash",
		"file://" + tr.place.Dir + "/in/*.t": "it is a URL",
		"./*.txt":                            "a part that is . or ..",
		"b/":                                 "all below it is b/**",
		"[":                                  "is never closed",
	} {
		for _, args := range [][]string{{"plan", "--completions=auto"}, {"run", "--index=0"}, {"local", "--completions=auto"}, {"manifest", "--completions=auto", "--name=x", "--image=x", "--volume=hostpath/x:/tmp"}} {
			_, stderr, code := tr.nth(append(args, "--tasks="+tr.url(""), "--markers="+tr.place.URL("", "m"), "--tasks-exclude="+glob, "--", "echo", "<<.Task>>")...)
			if code != 64 || !strings.Contains(stderr, says) || !strings.Contains(stderr, "below the place of --tasks") {
				t.Errorf("%s, %s: %d: %s", glob, args[0], code, stderr)
			}
		}
	}
}

// TestNone: a list without objects is nobody's mistake to hide, and isn't pinned.
func TestNone(t *testing.T) {
	tr := plant(t, 0)
	if _, said := tr.run("m", "nothing/", 0, 69); !strings.Contains(said, "is the volume mounted?") {
		t.Errorf("of a directory that isn't there: %s", said)
	}
	if err := os.MkdirAll(tr.place.Dir+"/in/nothing", 0o777); err != nil {
		t.Fatal(err)
	}
	if _, said := tr.run("m", "nothing/", 0, 66); !strings.Contains(said, "there is none") {
		t.Error(said)
	}
	if _, said := tr.run("m", "*.part", 0, 66); !strings.Contains(said, "all that there are, 1, are left out") || !strings.Contains(said, "*.part") {
		t.Error(said)
	}
	tr.put("nothing/1", "")
	tr.run("m", "nothing/", 0, 0)
	if _, stderr, code := tr.nth("run", "--index=0", "--tasks="+tr.url(""), "--", "x"); code != 78 || !strings.Contains(stderr, "give --markers") {
		t.Errorf("without markers: %d: %s", code, stderr)
	}
}

// TestFields: a field that no object has is the command line's mistake, for every index.
func TestFields(t *testing.T) {
	tr := plant(t, 0)
	_, stderr, code := tr.nth("run", "--index=0", "--tasks="+tr.url(""), "--markers="+tr.markers("m"), "--", "x", "<<.Task.nmae>>")
	if code != 64 || !strings.Contains(stderr, `an object has no field \"nmae\"`) || !strings.Contains(stderr, "modified") {
		t.Errorf("%d: %s", code, stderr)
	}
	_, stderr, code = tr.nth("run", "--index=1", "--tasks="+tr.url(""), "--markers="+tr.markers("m"), "--", "sh", "-c", fmt.Sprintf(`test "$NTH_ITEM_TASK" = %q`, "file://"+tr.place.Dir+"/in/A.txt"))
	if code != 0 {
		t.Errorf("%d: %s", code, stderr)
	}
}
