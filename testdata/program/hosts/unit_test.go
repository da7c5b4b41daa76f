package hosts

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/program"
)

// TestUnit does with the unit of the docs what systemd.service(5), systemd.exec(5) and
// systemd.kill(5) say: systemd itself isn't run.
func TestUnit(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	for line := range strings.Lines(program.Recipe(t, "ini", "systemd")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		settings[name] = value
	}
	// What a Restart=on-failure mustn't try again, for it would end just so.
	if got := strings.Fields(settings["RestartPreventExitStatus"]); !slices.Equal(got, []string{"64", "65", "66", "78"}) {
		t.Errorf("never again: %q", got)
	}
	for _, tt := range []struct {
		name, script string
		everybody    bool // KillMode=control-group: all of the unit's processes get the signal
	}{
		{"mixed", `trap "exit 0" TERM; . ./lives`, false},
		{"control-group", `trap "exit 0" TERM; . ./lives`, true},
		{"it dies by the signal", `. ./lives`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			line := strings.NewReplacer("/usr/local/bin/nth", "nth", "/srv/sums", h.dir, "60s", "10s", `"echo item <<.Index>>"`, "'"+tt.script+"'").Replace(settings["ExecStart"])
			cmd := h.command("bash", "-c", "exec "+line)
			cmd.Env = append(cmd.Env, strings.ReplaceAll(settings["Environment"], "%i", "4"), "INVOCATION_ID=0", "JOURNAL_STREAM=8:1", "SYSTEMD_EXEC_PID=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			h.out.Await(t, "ready")
			for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} { // CONT follows at once
				for _, pid := range h.processes() {
					if tt.everybody || pid == cmd.Process.Pid {
						_ = syscall.Kill(pid, signal) // it may have ended by the one before
					}
				}
			}
			_ = cmd.Wait()
			h.expect(cmd.ProcessState.ExitCode(), 143, "")
			if settings["SuccessExitStatus"] != "143" {
				t.Errorf("a unit that was stopped has failed: %q", settings["SuccessExitStatus"])
			}
			h.free()
		})
	}
	t.Run("done", func(t *testing.T) {
		t.Parallel()
		h := newHost(t)
		line := strings.NewReplacer("/usr/local/bin/nth", "nth", "/srv/sums", h.dir).Replace(settings["ExecStart"])
		h.expect(h.shell(strings.ReplaceAll(settings["Environment"], "%i", "4")+" exec "+line), 0, "4")
	})
}
