package docker

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// forwardable are the signals that nth passes on to a command, some real-time ones
// among them: docker's name and the command's. SIGPROF isn't: Go's runtime keeps it
// for its profiler and shows it to nobody (runtime/signal_unix.go, sighandler).
var forwardable = [][2]string{
	{"USR1", "SIGUSR1"}, {"ALRM", "SIGALRM"}, {"CONT", "SIGCONT"}, {"WINCH", "SIGWINCH"}, {"IO", "SIGIO"},
	{"VTALRM", "SIGVTALRM"}, {"PWR", "SIGPWR"}, {"STKFLT", "SIGSTKFLT"}, {"XCPU", "SIGXCPU"},
	{"XFSZ", "SIGXFSZ"}, {"TSTP", "SIGTSTP"}, {"TTIN", "SIGTTIN"}, {"TTOU", "SIGTTOU"},
	{"RTMIN+3", "37"}, {"RTMAX", "64"},
	{"INT", "SIGINT"}, {"HUP", "SIGHUP"}, {"QUIT", "SIGQUIT"}, {"TERM", "SIGTERM"},
}

func dockerSignals(t *testing.T, d *servers.Docker) {
	c := newContainer(t, d)
	c.start(nil, scratchImage, "--", "/actor", "signals", "SIGUSR2")
	for _, s := range forwardable {
		c.Output(t, "kill", "--signal", s[0], c.id)
		c.await(s[1] + "\n")
	}
	c.Output(t, "kill", "--signal", "USR2", c.id)
	out := c.wait()
	c.expect(out, 130) // exit 0, but SIGINT came first
	if want := "ready"; !strings.HasPrefix(out.Stdout, want) {
		t.Errorf("stdout %q, want %q first", out.Stdout, want)
	}
	got := strings.Fields(out.Stdout)[1:]
	var want []string
	for _, s := range append(forwardable, [2]string{"", "SIGUSR2"}) {
		want = append(want, s[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the command got %v, want %v", got, want)
	}
	if f := c.failure(); f.StopSignal != "SIGINT" {
		t.Errorf("stop signal %s, want the first, SIGINT", f.StopSignal)
	}
}

func dockerStop(t *testing.T, d *servers.Docker) {
	tests := []struct {
		name    string
		flags   []string // of docker stop
		command []string
		code    int
	}{
		// 137 would be docker's own SIGKILL.
		{"in time", []string{"-t", "60"}, []string{"--", "/actor", "signals", "SIGTERM"}, 143},
		{"it finishes its work", []string{"-t", "60"}, []string{"--exit-zero-after-signal", "done", "--", "/actor", "signals", "SIGTERM"}, 0},
		{"it ignores SIGTERM", []string{"-t", "60"}, []string{"--stop-grace", "300ms", "--", "/actor", "ignore", "SIGTERM"}, 137},
		{"no time at all", []string{"-t", "0"}, []string{"--", "/actor", "ignore", "SIGTERM"}, 137},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, d)
			c.start(nil, scratchImage, tt.command...)
			c.Output(t, slices.Concat([]string{"stop"}, tt.flags, []string{c.id})...)
			c.expect(c.wait(), tt.code)
			if tt.name == "it ignores SIGTERM" {
				// Only nth itself can have written this.
				if f := c.failure(); f.Signal != "SIGKILL" || f.StopSignal != "SIGTERM" {
					t.Errorf("ended by %s after %s, want SIGKILL after SIGTERM", f.Signal, f.StopSignal)
				}
			}
		})
	}
	t.Run("before the command", func(t *testing.T) {
		t.Parallel()
		c := newContainer(t, d)
		c.id = c.Output(t, c.words([]string{"-d"}, scratchImage, "--require", "/m/late", "--require-wait", "1h", "--", "/actor", "append", "/m/ran", "x")...)
		c.await("expanded")
		c.Output(t, "stop", "-t", "60", c.id)
		c.expect(c.wait(), 143)
		if _, err := os.Stat(filepath.Join(c.markers, "ran")); err == nil {
			t.Error("the command ran")
		}
	})
}

// dockerTerminal types at containers that have a terminal.
func dockerTerminal(t *testing.T, d *servers.Docker) {
	const (
		ctrlC, ctrlZ, ctrlD = "\x03", "\x1a", "\x04"
		caught              = `trap 'echo caught; exit 0' INT; echo ready; while :; do sleep 0.1; done`
		continued           = `trap 'echo continued; exit 0' CONT; echo ready; while :; do sleep 0.1; done`
	)
	tests := []struct {
		name, script, typed, shown string
		code                       int
	}{
		{"Ctrl-C that is caught is no success", caught, ctrlC, "caught", 130},
		{"Ctrl-C", `echo ready; while :; do sleep 0.1; done`, ctrlC, "", 130},
		{"nobody could resume it after Ctrl-Z", continued, ctrlZ, "continued", 0},
		{"reading from the terminal", `echo ready; read x; echo "got $x"; exit 7`, "a line\r", "got a line", 7},
		{"end of input", `echo ready; cat; echo over`, ctrlD, "over", 0},
		{"an interactive shell", `echo ready; exec sh -i`, "echo $((6*7))\rexit 3\r", "42", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, d)
			cmd := c.Command(c.words([]string{"--rm", "-it"}, shellImage, "--log-level", "warn", "--", "sh", "-c", tt.script)...)
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 200})
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			s := &program.Buffer{}
			go func() { _, _ = io.Copy(s, terminal) }() // EIO: nobody has the other end open any more
			s.Await(t, "ready")
			if _, err := terminal.WriteString(tt.typed); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			select {
			case <-done:
			case <-time.After(harness.Patience):
				_ = cmd.Process.Kill()
				t.Fatalf("it doesn't end: %s", s)
			}
			s.Await(t, tt.shown)
			c.expect(servers.Outcome{Code: cmd.ProcessState.ExitCode(), Stdout: s.String()}, tt.code)
		})
	}
}
