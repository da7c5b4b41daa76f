// Command apply changes files below a folder by patches in the unified format, which come on
// stdin with words before each: for a build where there is neither patch nor git. Each line
// must be where its patch says, for a patch is for one version.
//
//	cat *.patch | go run . FOLDER
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// file is one that is changed: what is done of it, and what is left as it was.
type file struct {
	path  string
	done  []string
	rest  []string
	at    int // the number, from 1, of the first line that is left
	whole int // lines of a hunk that are still to come
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("apply: ")
	var f *file
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		line := in.Text()
		switch {
		case f != nil && f.whole > 0:
			f.change(line)
		case strings.HasPrefix(line, "--- a/"):
			f.end()
			f = begin(filepath.Join(os.Args[1], strings.TrimPrefix(line, "--- a/")))
		case f != nil && strings.HasPrefix(line, "@@ "):
			f.hunk(line)
		}
	}
	f.end()
}

func begin(path string) *file {
	body, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return &file{path: path, rest: strings.SplitAfter(string(body), "\n"), at: 1}
}

// hunk goes to where its lines begin.
func (f *file) hunk(header string) {
	var at, old, to, now int
	if _, err := fmt.Sscanf(header, "@@ -%d,%d +%d,%d @@", &at, &old, &to, &now); err != nil || at < f.at || at-f.at > len(f.rest) {
		log.Fatalf("%s: %q: %v", f.path, header, err)
	}
	n := at - f.at
	f.done, f.rest, f.at, f.whole = append(f.done, f.rest[:n]...), f.rest[n:], at, old+now
}

func (f *file) change(line string) {
	kind, text := line, ""
	if line != "" {
		kind, text = line[:1], line[1:]
	}
	if kind == "+" {
		f.done = append(f.done, text+"\n")
		f.whole--
		return
	}
	if len(f.rest) == 0 || strings.TrimSuffix(f.rest[0], "\n") != text {
		log.Fatalf("%s: line %d isn't %q: it is of another version than the patch", f.path, f.at, text)
	}
	if f.whole--; kind != "-" {
		f.done = append(f.done, f.rest[0])
		f.whole--
	}
	f.rest = f.rest[1:]
	f.at++
}

// end writes what has come of it.
func (f *file) end() {
	if f == nil {
		return
	}
	if f.whole != 0 {
		log.Fatalf("%s: the patch is cut short", f.path)
	}
	if err := os.WriteFile(f.path, []byte(strings.Join(append(f.done, f.rest...), "")), 0o666); err != nil {
		log.Fatal(err)
	}
}
