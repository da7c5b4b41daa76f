package codes

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"nth/testdata/program"
)

// hostile are names that are more than a name to something that reads them. ELSEWHERE is a
// server that nobody may ask.
var hostile = []string{"..", "a/../../b", "?endpoint=http://ELSEWHERE/", "x&endpoint=http://ELSEWHERE/", "@ELSEWHERE/", "http://ELSEWHERE/", "#", "%", "%2e%2e",
	"a\nb: c", "\u0000", "\x1b[31m", "<<.Index>>", "'; DROP TABLE jobs; --", "$(touch DIR/made)", "--no-such-flag", "", strings.Repeat("long", 300)}

// templates are a flag's values that hold a name: what it is for, and what it is not.
func templatesOf(placeholder, name, dir, api string) []string {
	switch {
	case strings.Contains(placeholder, "CALL="):
		return []string{`done={"x": ` + name + `}`, `fail={"x": ` + name + `}`}
	case strings.Contains(placeholder, "NAME="):
		return []string{"NAME=" + name, "NAME=a-" + name}
	case placeholder == "URL=PATH":
		list := []string{"file://" + dir + "/in=" + dir + "/work/" + name, "file://" + dir + "/in=" + dir + "/work/a-" + name + ".txt", "file://" + dir + "/nowhere=" + name}
		for _, url := range templatesOf("URL", name, dir, api) {
			list = append(list, url+"="+dir+"/work/x")
		}
		return list
	case placeholder == "PATH=URL":
		list := []string{dir + "/work/" + name + "=file://" + dir + "/out?create_dir=true", name + "=file://" + dir + "/out?create_dir=true"}
		for _, url := range templatesOf("URL", name, dir, api) {
			list = append(list, dir+"/in="+url)
		}
		return list
	case placeholder == "URL|PATH=URL":
		return append(templatesOf("URL", name, dir, api), templatesOf("PATH=URL", name, dir, api)...)
	case strings.Contains(placeholder, "URL"), strings.Contains(placeholder, "PATH"):
		return []string{"file://" + dir + "/" + name + "/x?create_dir=true", api + "/echo/" + name, api + "/echo?x=" + name, "s3://b/x-" + name + "?anonymous=true&endpoint=" + api}
	}
	return []string{name, "a-" + name}
}

// TestHostileValues: whatever an item is called, and whatever template its name stands in,
// it ends no Job that another name doesn't, asks nobody else, makes nothing of the name
// but a word, and is no bug.
func TestHostileValues(t *testing.T) {
	flags := program.TemplateFlags(t)
	if len(flags) < 22 || flags["--input"] == "" || flags["--output"] == "" || flags["--stdin"] == "" || flags["--keep-failed"] == "" {
		t.Fatalf("the flags that are templates: %v", flags)
	}
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	elsewhere := strings.TrimPrefix(other.URL, "http://")
	server := newAsked(t)
	for _, kind := range itemKinds[1:] { // an index has no name
		for flag, placeholder := range flags {
			t.Run(kind.name+"/"+flag, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := errors.Join(os.WriteFile(dir+"/in", []byte("in"), 0o644), os.Mkdir(dir+"/work", 0o755)); err != nil {
					t.Fatal(err)
				}
				run := func(name, value string) (string, int) {
					args := append([]string{"run", "--store-wait=0s", "--marker-timeout=0s", "--store-timeout=5s"}, kind.flags(t, dir, name)...)
					args = append(args, program.Beside(flag, dir)...)
					_, stderr, code := program.NthIn(t, dir, []string{"NTH_INDEX=0", "NTH_COMPLETIONS=3"}, append(args, flag+"="+value, "--", "sh", "-c", `printf %s "$1" >/dev/null`, "sh", "<<.Task.name>>")...)
					return stderr, code
				}
				for _, value := range templatesOf(placeholder, "<<.Task.name>>", dir, server.URL) {
					_, plain := run("plain", value)
					for _, name := range hostile {
						name = strings.NewReplacer("ELSEWHERE", elsewhere, "DIR", dir).Replace(name)
						if stderr, code := run(name, value); code == 70 || code != plain && slices.Contains([]int{64, 78}, code) {
							t.Errorf("%s of %q: exit code %d, and of a plain name %d: %s", value, name, code, plain, stderr)
						}
					}
				}
				if _, err := os.Stat(dir + "/made"); err == nil {
					t.Error("a name was run by a shell")
				}
			})
		}
	}
	t.Cleanup(func() {
		if n := asked.Load(); n > 0 {
			t.Errorf("another server was asked %d times", n)
		}
	})
}
