package main

import (
	"log"
	"os"
	"testing"
)

// machine is what a server of the tests asks of a test, outside of one.
type machine struct {
	testing.TB
	ends []func()
}

func (m *machine) Helper()                      {}
func (m *machine) Fatal(args ...any)            { log.Panic(args...) }
func (m *machine) Fatalf(f string, args ...any) { log.Panicf(f, args...) }
func (m *machine) Cleanup(f func())             { m.ends = append(m.ends, f) }

func (m *machine) TempDir() string {
	dir, err := os.MkdirTemp("", "nth-bench-")
	check(err)
	m.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (m *machine) end() {
	for i := len(m.ends) - 1; i >= 0; i-- {
		m.ends[i]()
	}
}
