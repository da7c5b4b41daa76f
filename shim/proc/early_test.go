package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// busy tells whether a process has worked for so long that it is in its main, or has a
// child: by its own time of processor, which nobody else's work adds to.
func busy(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return user+system >= 5 || len(children(pid)) > 0 // of 10 ms each
}

// TestEarly: a stop signal that comes while nth still reads its flags ends it as any other
// does, with a line that says so.
func TestEarly(t *testing.T) {
	var flags []string
	for i := range 1500 { // they take a while to read
		flags = append(flags, fmt.Sprintf("--env=V%d=1", i))
	}
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, append(flags, "--", "sleep", "60")...)
		eventually(t, "nth works", func() bool { return busy(p.pid) })
		p.send(syscall.SIGTERM)
		p.ends(143)
		if got := p.read("stderr"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "SIGTERM") {
			t.Errorf("stderr:\n%s", got)
		}
	})
}

// TestEarlyCommand: so it is of a command that is no run, and asks for no signals itself.
func TestEarlyCommand(t *testing.T) {
	var errs strings.Builder
	cmd := exec.Command("unshare", "-pf", "--mount-proc", "--kill-child", binary(t), "plan", "--completions", "300000", "--", "echo", "<<.Index>>")
	cmd.Env, cmd.Stderr = []string{"PATH=" + os.Getenv("PATH")}, &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// It works when it writes, and comes to no end before all is read.
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err, &errs)
	}
	if err := syscall.Kill(children(cmd.Process.Pid)[0], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := fmt.Sprint(cmd.ProcessState.ExitCode(), " ", errs.String()); got != "143 nth: stopped by SIGTERM\n" {
		t.Error(got)
	}
}

// TestIgnoredByOthers: what nohup lets nth ignore, no command of nth's catches after all.
func TestIgnoredByOthers(t *testing.T) {
	// The command's parent is nth local.
	cmd := exec.Command("env", "--ignore-signal=HUP", binary(t), "local", "--completions", "1", "--", "sh", "-c",
		`cat /proc/$PPID/status`)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, status, _ := strings.Cut(strings.ReplaceAll(string(out), "[0] ", ""), "SigIgn:")
	if got := strings.Fields(status)[0]; !strings.HasSuffix(got, "1") {
		t.Errorf("nth local ignores %s", got)
	}
}
