//go:build linux

package guard

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nth/testdata/harness"
)

// ways are those in which a guardian starts.
var ways = map[string]way{"become": become, "execute": execute}

// TestMain is also a guardian, and an nth that has one.
func TestMain(m *testing.M) {
	switch {
	case os.Args[0] == Name:
		Main(os.Args[1:])
	case len(os.Args) == 3 && os.Args[1] == "nth":
		nth(ways[os.Args[2]])
	default:
		os.Exit(m.Run())
	}
}

// nth has a guardian and three commands, of which it tells the numbers: one has the
// variable, one the group, and one neither.
func nth(w way) {
	g, err := start([]string{Name, "GUARDED", "x."}, 2, w)
	check(err)
	fmt.Println(g.PID())
	for _, env := range [][]string{{"GUARDED=x.1/y"}, nil, {"GUARDED=x1", "OTHER=x."}} {
		cmd := exec.Command("sleep", "600")
		cmd.Env, cmd.SysProcAttr = env, &syscall.SysProcAttr{Setpgid: true}
		check(cmd.Start())
		if env == nil {
			g.Guard(1, cmd.Process.Pid)
		}
		fmt.Println(cmd.Process.Pid)
	}
	if os.Getenv("DISMISS") != "" {
		// Who waits for children doesn't see the one, and needn't wait for the other.
		g.Dismiss()
		fmt.Println("dismissed")
	}
	time.Sleep(time.Hour)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// begin starts such an nth, and gives the numbers that it tells.
func begin(t *testing.T, way string, env ...string) (cmd *exec.Cmd, pids []int, more *bufio.Scanner) {
	t.Helper()
	cmd = exec.Command("/proc/self/exe", "nth", way)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 4 {
		if !lines.Scan() {
			t.Fatal("it says no more", lines.Err())
		}
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for _, pid := range pids[1:] {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return cmd, pids, lines
}

func lives(pid int) bool {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(body), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// TestKilled: when nth is killed, what has the variable or the group is killed, and nothing
// else; then the guardian ends.
func TestKilled(t *testing.T) {
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			cmd, pids, _ := begin(t, way)
			for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
				if way == "become" { // the other hears them until it is what it is
					_ = syscall.Kill(pids[0], sig)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for _, pid := range pids[:3] {
				harness.Await(t, func() bool { return !lives(pid) }, func() string { return fmt.Sprint(pid, " is still there") })
			}
			if !lives(pids[3]) {
				t.Error("another's process has been killed")
			}
		})
	}
}

// TestDismissed: a guardian that is dismissed ends nothing, and nothing is left of it.
func TestDismissed(t *testing.T) {
	for way := range ways {
		t.Run(way, func(t *testing.T) {
			_, pids, more := begin(t, way, "DISMISS=1")
			if !more.Scan() || more.Text() != "dismissed" {
				t.Fatal(more.Text(), more.Err())
			}
			if _, err := os.Stat(fmt.Sprintf("/proc/%d", pids[0])); err == nil {
				t.Error("it is still there")
			}
			for _, pid := range pids[1:] {
				if !lives(pid) {
					t.Errorf("%d has been killed", pid)
				}
			}
		})
	}
}

// TestUnseen: who waits for any child doesn't see a guardian that can be so.
func TestUnseen(t *testing.T) {
	g, err := start([]string{Name, "GUARDED", "x."}, 1, become)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Dismiss()
	if err := unix.Waitid(unix.P_PID, g.PID(), nil, unix.WEXITED|unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("waitid: %v, want %v", err, unix.ECHILD)
	}
	if err := unix.Waitid(unix.P_PID, g.PID(), nil, unix.WEXITED|unix.WNOHANG|unix.WALL, nil); err != nil {
		t.Errorf("waitid with __WALL: %v", err)
	}
}
