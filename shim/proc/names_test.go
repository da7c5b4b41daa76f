package proc

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSignal(t *testing.T) {
	for _, tt := range []struct {
		text string
		want syscall.Signal // 0: an error
	}{
		{"TERM", syscall.SIGTERM}, {"SIGTERM", syscall.SIGTERM}, {"sigterm", syscall.SIGTERM}, {"usr1", syscall.SIGUSR1},
		{"15", syscall.SIGTERM}, {"1", syscall.SIGHUP}, {"64", 64}, {"KILL", syscall.SIGKILL},
		{"0", 0}, {"65", 0}, {"-1", 0}, {"", 0}, {"SIG", 0}, {"SIGSIGTERM", 0}, {"TERM ", 0}, {"9999999999999999999", 0},
	} {
		got, err := ParseSignal(tt.text)
		if got != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("ParseSignal(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestParseSignals(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []syscall.Signal
		ok   bool
	}{
		{"", nil, true},
		{"TERM, INT,3", []syscall.Signal{15, 2, 3}, true},
		{"KILL", nil, false}, {"TERM,STOP", nil, false}, {"TERM,", nil, false}, {"TERM;INT", nil, false},
	} {
		got, err := ParseSignals(tt.text)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != tt.ok {
			t.Errorf("ParseSignals(%q): %v %s", tt.text, err, diff)
		}
	}
}

func TestParseRemap(t *testing.T) {
	for _, tt := range []struct {
		text string
		want map[syscall.Signal]syscall.Signal
		ok   bool
	}{
		{"", nil, true},
		{"TERM=INT,HUP=", map[syscall.Signal]syscall.Signal{15: 2, 1: 0}, true},
		{" TERM = KILL ", map[syscall.Signal]syscall.Signal{15: 9}, true},
		{"USR1=USR2,USR2=USR1", map[syscall.Signal]syscall.Signal{10: 12, 12: 10}, true},
		{"TERM", nil, false}, {"=INT", nil, false}, {"KILL=TERM", nil, false}, {"TERM=NONE", nil, false}, {",", nil, false},
	} {
		got, err := ParseRemap(tt.text)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != tt.ok {
			t.Errorf("ParseRemap(%q): %v %s", tt.text, err, diff)
		}
	}
}

func FuzzParseRemap(f *testing.F) {
	for _, s := range []string{"", "TERM=INT,HUP=", "15=2", "a=b", "=", ",", "KILL=TERM"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if list, err := ParseSignals(s); err == nil {
			for _, sig := range list {
				checkSignal(t, sig)
				if again, err := ParseSignal(SignalName(sig)); sig < 32 && (err != nil || again != sig) {
					t.Errorf("%d is %s, which is read as %d: %v", sig, SignalName(sig), again, err)
				}
			}
		}
		remap, err := ParseRemap(s)
		if err != nil && remap != nil {
			t.Error("a remap and an error")
		}
		for from, to := range remap {
			checkSignal(t, from)
			if to < 0 || to > maxSignal {
				t.Errorf("remapped to %d", to)
			}
		}
	})
}

func checkSignal(t *testing.T, sig syscall.Signal) {
	if sig < 1 || sig > maxSignal || sig == syscall.SIGKILL || sig == syscall.SIGSTOP {
		t.Errorf("%d can't be caught", sig)
	}
}

func TestOOMKills(t *testing.T) {
	const v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
	const v2 = "low 0\nhigh 0\nmax 12\noom 4\noom_kill 2\noom_group_kill 1\n"
	for _, tt := range []struct {
		name, self string
		files      map[string]string
		want       int64
	}{
		{"v2 in a container", "0::/\n", map[string]string{"memory.events": v2}, 2},
		{"v2, own path", "0::/a/b\n", map[string]string{"a/b/memory.events": v2}, 2},
		{"v2, the host's path", "0::/kubepods/x\n", map[string]string{"memory.events": v2}, 2},
		{"v2 at the root has none", "0::/\n", nil, 0},
		{"v1", "12:cpu,cpuacct:/\n5:memory:/docker/x\n", map[string]string{"memory/memory.oom_control": v1}, 3},
		{"v1, own path", "5:memory:/a\n", map[string]string{"memory/a/memory.oom_control": v1, "memory/memory.oom_control": "oom_kill 9\n"}, 3},
		{"hybrid", "5:memory:/\n1:name=systemd:/\n0::/\n", map[string]string{"memory/memory.oom_control": v1}, 3},
		{"an old kernel", "5:memory:/\n", map[string]string{"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}, 0},
		{"a path with colons", "0::/a:b\n", map[string]string{"a:b/memory.events": v2}, 2},
		{"rubbish", "x\n0::/\n", map[string]string{"memory.events": "oom_kill many\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, body := range tt.files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			self := filepath.Join(t.TempDir(), "cgroup")
			if err := os.WriteFile(self, []byte(tt.self), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := oomKillsUnder(dir, self); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	if got := oomKillsUnder(t.TempDir(), "/missing"); got != 0 {
		t.Errorf("without cgroups: %d", got)
	}
}
