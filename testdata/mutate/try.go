package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// verdict is what came of a mutation.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	broken   verdict = "BROKEN"  // it doesn't compile
	failing  verdict = "FAILING" // so does the test, without it
)

// copied is a copy of the tree, in which there is at most one mutation at a time.
type copied struct {
	ctx     context.Context // what runs in it ends with this
	dir     string
	binary  string
	without map[string]baseline // by the test
}

// baseline is how a test does without a mutation.
type baseline struct {
	took time.Duration
	why  string // it fails; "": it passes
}

// copyTree copies what git would see of a tree.
func copyTree(ctx context.Context, from string) (*copied, error) {
	top, err := place()
	if err != nil {
		return nil, err
	}
	c := &copied{ctx: ctx, dir: filepath.Join(top, "tree"), binary: filepath.Join(top, "nth"), without: map[string]baseline{}}
	const copying = `mkdir "$1" && git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - | tar -x -C "$1"`
	cmd := exec.Command("sh", "-ec", copying, "sh", c.dir)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		c.remove()
		return nil, fmt.Errorf("copy the tree: %w\n%s", err, out)
	}
	return c, nil
}

// place makes the first folder that isn't there of always the same ones: in another all
// would be compiled anew.
func place() (string, error) {
	for n := 0; ; n++ {
		path := filepath.Join(os.TempDir(), "nth-mutate."+strconv.Itoa(n))
		if err := os.Mkdir(path, 0o755); !errors.Is(err, fs.ErrExist) {
			return path, err
		}
	}
}

func (c *copied) remove() { _ = os.RemoveAll(filepath.Dir(c.dir)) }

// try makes the mutation, runs its test, and takes it back.
func (c *copied) try(m mutation) (v verdict, why string) {
	if b := c.baseline(m); b.why != "" {
		return failing, b.why
	}
	text, err := m.mutated(c.dir)
	if err != nil {
		return broken, err.Error()
	}
	path := filepath.Join(c.dir, m.file)
	was, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		return broken, err.Error()
	}
	defer func() {
		if err := os.WriteFile(path, was, 0o644); err != nil { // whatever came next would be wrong
			panic(err)
		}
	}()
	return c.test(m, c.patience(m))
}

// baseline runs a mutation's test without it, once for all of its mutations.
func (c *copied) baseline(m mutation) baseline {
	if b, ok := c.without[m.test()]; ok {
		return b
	}
	began := time.Now()
	v, why := c.test(m, time.Hour)
	b := baseline{took: time.Since(began)}
	switch {
	case v != survived:
		b.why = why
	case strings.Contains(why, "no tests to run"):
		b.why = "no test is of this name: " + m.run
	}
	c.without[m.test()] = b
	return b
}

// patience is how long a test may take until it has noticed: what waits for what never
// comes needs no more than many times what it takes otherwise.
func (c *copied) patience(m mutation) time.Duration {
	return time.Minute + 5*c.without[m.test()].took
}

// test runs the test, with the program as it is in the copy, if the test runs that.
func (c *copied) test(m mutation, timeout time.Duration) (verdict, string) {
	if c.runsProgram(m.pkg) {
		if out, err := c.in(".", ".ci/build", c.binary); err != nil {
			return broken, out
		}
	}
	// There, for it may be a module of its own.
	out, err := c.in(m.pkg, "go", "test", "-count=1", "-vet=off", "-timeout", timeout.String(), "-run", pattern(m.run), ".")
	switch {
	case err == nil:
		return survived, out
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return broken, out
	}
	return killed, out
}

// runsProgram tells whether a package's tests run the whole program.
func (c *copied) runsProgram(pkg string) bool {
	files, _ := filepath.Glob(filepath.Join(c.dir, pkg, "*_test.go"))
	for _, path := range files {
		body, err := os.ReadFile(path)
		for _, word := range []string{"harness.Binary", `testdata/program"`, ".ci/build"} {
			if err != nil || bytes.Contains(body, []byte(word)) {
				return true
			}
		}
	}
	return false
}

// in runs a command in a folder of the copy. The tests of the whole program find it there.
func (c *copied) in(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(c.ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go test ends its tests by it
	cmd.Dir = filepath.Join(c.dir, dir)
	cmd.Env = append(os.Environ(), "NTH_TEST_BINARY=", "NTH_TEST_SOAK=", "VERSION=mutated", "COMMIT=none")
	if name == "go" {
		cmd.Env = append(cmd.Env, "NTH_TEST_BINARY="+c.binary)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// pattern gives a test's name for -run: of each part all, and nothing that only holds it.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + p + "$"
	}
	return strings.Join(parts, "/")
}

// indent gives the last lines of an output.
func indent(out string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	return "    " + strings.Join(lines, "\n    ") + "\n"
}
