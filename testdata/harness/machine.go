package harness

import (
	"log"
	"os"
	"testing"
)

// Machine is what a server of the tests asks of a test, outside of one.
type Machine struct {
	testing.TB
	ends []func()
}

// Helper does nothing.
func (m *Machine) Helper() {}

// Fatal ends the program, after what was asked of Cleanup.
func (m *Machine) Fatal(args ...any) { log.Panic(args...) }

// Fatalf is Fatal.
func (m *Machine) Fatalf(f string, args ...any) { log.Panicf(f, args...) }

// Cleanup remembers what End is to do.
func (m *Machine) Cleanup(f func()) { m.ends = append(m.ends, f) }

// TempDir gives a folder that End removes.
func (m *Machine) TempDir() string {
	dir, err := os.MkdirTemp("", "nth-bench-")
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// End cleans up, the last first.
func (m *Machine) End() {
	for i := len(m.ends) - 1; i >= 0; i-- {
		m.ends[i]()
	}
}

// Logf tells what a server of the tests has to tell.
func (m *Machine) Logf(f string, args ...any) { log.Printf(f, args...) }
