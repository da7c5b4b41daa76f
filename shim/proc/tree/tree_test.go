package tree

import (
	"cmp"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	diff "github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		stat string
		want Process
		ok   bool
	}{
		{"7 (sh) S 1 2 3 0 -1 4194560", Process{7, 1, 2, 3, "sh", false}, true},
		{"7 (a) Z 9 ) R (b) Z 1 2 3 0", Process{7, 1, 2, 3, "a) Z 9 ) R (b", true}, true},
		{"7 () X 0 0 0 0", Process{7, 0, 0, 0, "", true}, true},
		{"7 (sh) Z 1 2 3 0 -1 4228108 0 0 0 0 0 0 0 0 20 0 1 0 99", Process{7, 1, 2, 3, "sh", true}, true},
		{"7 (sh) Z 1 2 3 0 -1 4228108 0 0 0 0 0 0 0 0 20 0 2 0 99", Process{7, 1, 2, 3, "sh", false}, true},
		{"7 (sh) S 1 2", Process{}, false},
		{"7 (sh) S 1 x 3", Process{}, false},
		{"7 )sh( S 1 2 3", Process{}, false},
		{"", Process{}, false},
	} {
		got, ok := parse(7, tt.stat)
		if ok != tt.ok {
			t.Errorf("%q: %v", tt.stat, ok)
		}
		if d := diff.Diff(tt.want, got); ok && d != "" {
			t.Errorf("%q: %s", tt.stat, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("7 (sh) S 1 2 3 0 -1", "sh")
	f.Add("7 (a) Z 9 ) R 1 2 3", "a) Z 9 ")
	f.Fuzz(func(t *testing.T, stat, name string) {
		parse(7, stat)
		p, ok := parse(7, "7 ("+name+") Z 11 12 13 0 0 0")
		if want := (Process{7, 11, 12, 13, name, true}); !ok || p != want {
			t.Errorf("%+v, want %+v", p, want)
		}
	})
}

// TestBelow: both ways of asking for children find the same, below those asked for alone.
func TestBelow(t *testing.T) {
	if !Usable() {
		t.Fatal("there is no /proc of this namespace")
	}
	// The last of them tells by itself: its parent would while it is still a shell, before execve.
	cmd := exec.Command("sh", "-c", `setsid sh -c 'sh -c "echo; read held <&3; :" & wait' & wait`)
	held, release, err := os.Pipe() // nobody writes, so they wait
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	defer release.Close()
	cmd.ExtraFiles = []*os.File{held}
	cmd.Env = append(os.Environ(), "TREE=first", "TREE_2=x")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	root := cmd.Process.Pid
	var all []Process
	defer func() {
		for _, p := range all {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		_ = cmd.Wait()
	}()
	if _, err := out.Read(make([]byte, 1)); err != nil { // they are there
		t.Fatal(err)
	}
	all = Below([]int{root, 1, os.Getpid()})
	var parents []int
	for _, p := range all {
		parents = append(parents, p.Parent)
		if got := Variables(p.PID, "TREE"); !slices.Equal(got, []string{"first"}) {
			t.Errorf("%+v has %q", p, got)
		}
	}
	if len(all) != 3 || parents[0] != os.Getpid() || parents[1] != root || parents[2] != all[1].PID || all[1].Session != all[1].PID || all[0].Group != root {
		t.Fatalf("%+v", all)
	}
	sorted := func(list []Process) []Process {
		return slices.SortedFunc(slices.Values(list), func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	}
	if d := diff.Diff(sorted(all), sorted(below(os.Getpid(), []int{root}, scanned()))); d != "" {
		t.Errorf("by everybody's parents: %s", d)
	}
	if d := diff.Diff(sorted(all), sorted(below(os.Getpid(), []int{root}, listed))); d != "" {
		t.Errorf("by the kernel's lists: %s", d)
	}
	if !strings.HasSuffix(Called(root), "sh") {
		t.Errorf("it is called %q", Called(root))
	}
}
