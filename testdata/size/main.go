// Command size prints what each dependency costs in the released binary, in bytes:
//
//	go run ./testdata/size
//
// The rows add up to the file, to the byte. What is not a function's or a
// variable's own (descriptions of types, strings, what the linker needs) has rows
// of its own: it would be smaller with a dependency less, but the binary doesn't
// say by how much.
package main

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"nth/testdata/harness"
)

func main() {
	dir, err := os.MkdirTemp("", "nth-size-")
	check(err)
	defer os.RemoveAll(dir)
	total, rows, err := measure(dir)
	check(err)
	print(os.Stdout, total, rows)
}

// release builds nth for linux/amd64, as .ci/build does everywhere, and so that
// only the source decides how large it is: not the machine, the checkout, or what
// the environment sets. An empty toolchain is the one at hand; go fetches another.
func release(path, strip, toolchain string) error {
	build := exec.Command(filepath.Join(harness.Root(), ".ci", "build"), path)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS=", "GOEXPERIMENT=",
		"STRIP="+strip, "VERSION=v0.0.0", "COMMIT="+strings.Repeat("0", 40))
	if toolchain != "" {
		build.Env = append(build.Env, "GOTOOLCHAIN="+toolchain)
	}
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	return nil
}

// row is what one owner has in the binary.
type row struct {
	group string
	name  string
	bytes int64
}

// groups are the parts of the table, in its order.
const (
	own     = "nth's packages"
	modules = "modules"
	std     = "Go's library"
	nobody  = "nobody's own"
)

var groups = []string{own, modules, std, nobody}

// measure gives the size of the release, and whose it is: by the symbols of a
// second build that differs in having them.
func measure(dir string) (total int64, rows []row, err error) {
	released, symbols := filepath.Join(dir, "nth"), filepath.Join(dir, "symbols")
	if err := release(released, "", ""); err != nil {
		return 0, nil, err
	}
	if err := release(symbols, "-w", ""); err != nil {
		return 0, nil, err
	}
	info, err := os.Stat(released)
	if err != nil {
		return 0, nil, err
	}
	about, err := buildinfo.ReadFile(released)
	if err != nil {
		return 0, nil, err
	}
	owned, err := attribute(released, symbols)
	if err != nil {
		return 0, nil, err
	}
	sum := map[row]int64{}
	for o, n := range owned {
		sum[place(o, about)] += n
	}
	for r, n := range sum {
		r.bytes = n
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(slices.Index(groups, a.group), slices.Index(groups, b.group)),
			cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.name, b.name))
	})
	return info.Size(), rows, nil
}

// place gives the row of an owner: nth's packages and Go's one each, the others by
// their module.
func place(o owner, about *buildinfo.BuildInfo) row {
	switch first, _, _ := strings.Cut(o.pkg, "/"); {
	case o.pkg == "":
		return row{group: nobody, name: o.rest}
	case o.pkg == "main":
		return row{group: own, name: about.Main.Path}
	case first == about.Main.Path:
		return row{group: own, name: o.pkg}
	case !strings.Contains(first, "."):
		return row{group: std, name: o.pkg}
	}
	best := o.pkg // no module: the package itself, so that it can be seen
	length := 0
	for _, m := range about.Deps {
		if (o.pkg == m.Path || strings.HasPrefix(o.pkg, m.Path+"/")) && len(m.Path) > length {
			best, length = m.Path+" "+m.Version, len(m.Path)
			if m.Replace != nil {
				best = m.Path + " => " + m.Replace.Path
			}
		}
	}
	return row{group: modules, name: best}
}

// few is below what a package of Go's is shown alone.
const few = 50_000

func print(w io.Writer, total int64, rows []row) {
	for _, g := range groups {
		var sum, rest int64
		var lines strings.Builder
		for _, r := range rows {
			switch {
			case r.group != g:
				continue
			case g == std && r.bytes < few:
				rest += r.bytes
			default:
				fmt.Fprintf(&lines, "%12d    %s\n", r.bytes, r.name)
			}
			sum += r.bytes
		}
		if rest > 0 {
			fmt.Fprintf(&lines, "%12d    packages of less than %d bytes\n", rest, few)
		}
		fmt.Fprintf(w, "%12d  %s\n%s\n", sum, g, &lines)
	}
	fmt.Fprintf(w, "%12d  the release for linux/amd64\n", total)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
