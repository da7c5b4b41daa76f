//go:build linux

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"nth/shim/task/postgres"
)

// TestReadmeQueues is a newcomer's way from no server to five tasks that are done, for
// each queue and a file's rows, as the README has it.
func TestReadmeQueues(t *testing.T) {
	const dir = "/tmp/nth-queue"
	ran := 0
	for _, block := range blocks(t, "sh") {
		if !strings.Contains(block, "--tasks") || strings.Contains(block, "--each") {
			continue
		}
		ran++
		t.Cleanup(func() { _ = exec.Command("redis-cli", "-p", "6399", "shutdown", "nosave").Run() })
		os.RemoveAll(dir)
		t.Cleanup(func() { os.RemoveAll(dir) })
		out := shell(t, block, "GOFLAGS=-buildvcs=false")
		if n := strings.Count(out, " testdata/examples/sonnet_"); n != 5 {
			t.Errorf("%d tasks were done, want 5:\n%s\n%s", n, block, out)
		}
		if n := documents(t, "file://"+dir+"/markers", "done/"); n != 5 {
			t.Errorf("%d markers, want 5:\n%s\n%s", n, block, out)
		}
	}
	if ran != 7 {
		t.Errorf("%d ways are in the README, want 7", ran)
	}
}

// TestTable: the file that makes the table of tasks is what nth expects.
func TestTable(t *testing.T) {
	body, err := os.ReadFile("testdata/examples/nth_tasks.sql")
	if err != nil || string(body) != postgres.Schema {
		t.Errorf("testdata/examples/nth_tasks.sql isn't postgres.Schema (%v):\n%s", err, body)
	}
}
