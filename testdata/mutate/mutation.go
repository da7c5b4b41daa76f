package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nth/testdata/harness"
)

// mutation is one fault: in the file, the old text becomes the new one, and this test of
// this package must notice it.
type mutation struct {
	name     string // what a user would lose
	file     string
	old, new string // old is there just once
	pkg, run string // the folder of the package, and the test as for go test -run
}

// test names the test that must notice it.
func (m mutation) test() string { return m.pkg + " " + m.run }

// mutations is every list, one behind the other.
func mutations() []mutation { return slices.Concat(lists...) }

func root() string { return harness.Root() }

// check tells which mutations have lost their place or their test.
func check(root string, all []mutation) error {
	var errs []error
	names := map[string]bool{}
	for _, m := range all {
		if err := m.check(root); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
		if names[m.name] {
			errs = append(errs, fmt.Errorf("%s: there are two of this name", m.name))
		}
		names[m.name] = true
	}
	return errors.Join(errs...)
}

func (m mutation) check(root string) error {
	if _, err := m.mutated(root); err != nil {
		return err
	}
	name, _, _ := strings.Cut(m.run, "/")
	tests, err := testsOf(filepath.Join(root, m.pkg))
	if err == nil && !slices.Contains(tests, name) {
		err = fmt.Errorf("%s has no test %s", m.pkg, name)
	}
	return err
}

// mutated gives the file with the fault in it.
func (m mutation) mutated(root string) (string, error) {
	body, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	switch n := strings.Count(string(body), m.old); {
	case m.old == m.new:
		return "", errors.New("it changes nothing")
	case n != 1:
		return "", fmt.Errorf("the old text is in %s %d times, and not once:\n%s", m.file, n, m.old)
	}
	return strings.Replace(string(body), m.old, m.new, 1), nil
}

// testsOf gives the names of a package's tests.
func testsOf(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names, nil
}
