package images

import (
	"strings"
	"testing"

	"nth/testdata/servers"
)

// facts are what docs/languages.md says of the languages, each in a container of its own.
func facts(t *testing.T, d *servers.Docker) {
	for _, tt := range []struct {
		name           string
		flags          []string // of docker
		command        []string
		code           int
		stdout, stderr string // "": nothing at all
	}{
		{"Python keeps what it prints into a pipe, and loses it when it is killed", nil,
			[]string{"python3", "-c", "import os; print('printed'); os.kill(os.getpid(), 9)"}, 137, "", ""},
		{"with PYTHONUNBUFFERED it is there", []string{"-e", "PYTHONUNBUFFERED=1"},
			[]string{"python3", "-c", "import os; print('printed'); os.kill(os.getpid(), 9)"}, 137, "printed\n", ""},
		{"Python is ended by SIGTERM without finally", nil,
			[]string{"python3", "-uc", "import os, time\ntry: os.kill(os.getpid(), 15); time.sleep(60)\nfinally: print('cleaned')"}, 143, "", ""},
		{"Node cuts off what process.exit() finds unwritten", nil, []string{"sh", "-c", `
			{ timeout 100 node -e 'process.stdout.write("x".repeat(4e6)); process.exit(0)'; echo $? >/tmp/ended; } |
			{ until [ -s /tmp/ended ]; do sleep 0.1; done; [ "$(wc -c)" -lt 4000000 ] && cat /tmp/ended; }`}, 0, "0\n", ""},
		{"and not what is left when it ends by itself", nil, []string{"sh", "-c", `node -e 'process.stdout.write("x".repeat(4e6))' | wc -c`}, 0, "4000000\n", ""},
		{"R is ended by SIGTERM without on.exit", nil,
			[]string{"Rscript", "-e", "f <- function() { on.exit(cat('cleaned')); tools::pskill(Sys.getpid(), 15); Sys.sleep(60) }; invisible(f())"}, 143, "", ""},
		{"Perl dies with the number of the last error", nil,
			[]string{"perl", "-e", "open(my $f, '<', '/nofile') or die \"cannot open\\n\""}, 2, "", "cannot open\n"},
		{"a shell's trap waits for the program that runs", nil,
			[]string{"sh", "-c", `trap 'echo trapped; exit 143' TERM; sh -c 'kill -TERM $PPID; sleep 1; echo worked'`}, 143, "worked\ntrapped\n", ""},
		{"a shell's set -e says nothing", nil, []string{"sh", "-ec", "false; echo on"}, 1, "", ""},
		{"Java's heap is a quarter of the memory limit", []string{"--memory", "512m"},
			[]string{"java", "-Xlog:gc+heap+exit=off", "-XX:+PrintFlagsFinal", "-version"}, 0, "= 134217728 ", "openjdk"},
		{"and with MaxRAMPercentage what that says", []string{"--memory", "512m"},
			[]string{"java", "-XX:MaxRAMPercentage=75", "-XX:+PrintFlagsFinal", "-version"}, 0, "= 402653184 ", "openjdk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, d, 3)
			out := b.run(append(tt.flags, "--entrypoint", "/nth"), debianImage, append([]string{"run", "--log-level", "error", "--"}, tt.command...)...)
			if out.Code != tt.code {
				t.Errorf("exit code %d, want %d", out.Code, tt.code)
			}
			for name, o := range map[string]struct{ got, want string }{"stdout": {out.Stdout, tt.stdout}, "stderr": {said(out.Stderr), tt.stderr}} {
				if !strings.Contains(o.got, o.want) || o.want == "" && o.got != "" {
					t.Errorf("%s is %q, want %q", name, o.got, o.want)
				}
			}
		})
	}
}

// said is stderr without nth's own lines.
func said(stderr string) (text string) {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, `{"level":`) {
			text += line
		}
	}
	return text
}

// musl: a dynamic program of another libc, in an image with busybox, as Alpine is.
func musl(t *testing.T, d *servers.Docker) {
	b := newBox(t, d, 4)
	write(t, b.data+"/4", "four\n")
	if out := b.run(user, muslImage, "/nth", "run", "--", "/app/worker", "/data/<<.Index>>"); out.Code != 0 || out.Stdout != "4: four\n" || !b.done() {
		t.Errorf("%+v, a marker: %v", out, b.done())
	}
	b = newBox(t, d, 5)
	if out := b.run(user, muslImage, "/nth", "run", "--", "/app/worker", "/data/<<.Index>>"); out.Code != 1 || b.done() {
		t.Errorf("%+v, a marker: %v", out, b.done())
	}
	b.says("exit code 1", "worker: /data/5: No such file or directory")
}

// zombies: nth is PID 1, and reaps what a program leaves behind that waits for nobody.
func zombies(t *testing.T, d *servers.Docker) {
	const orphans = `
import os, time
assert os.getppid() == 1 and open("/proc/1/comm").read() == "nth\n"
def state(pid):
    try: return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError: return ""
for _ in range(20):
    child = os.fork()
    if child == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
while any(state(p) == "Z" for p in os.listdir("/proc") if p.isdigit()): time.sleep(0.05)
print("all reaped")`
	b := newBox(t, d, 6)
	if out := b.run(user, debianImage, "/nth", "run", "--", "python3", "-c", orphans); out.Code != 0 || out.Stdout != "all reaped\n" {
		t.Errorf("%+v", out)
	}
}

// memory: what the kernel kills for memory is told as that, and what a runtime says of its
// own limit is the reason.
func memory(t *testing.T, d *servers.Docker) {
	const java = `public class Eat {
		static void deep(int n) { if (n == 0) throw new IllegalStateException("too deep"); deep(n - 1); }
		public static void main(String[] a) {
			if (a.length > 0) deep(300);
			var all = new java.util.ArrayList<byte[]>();
			for (;;) all.add(new byte[1 << 20]);
		}
	}`
	source := t.TempDir() + "/Eat.java"
	write(t, source, java)
	classes := build(t, "ecj", "-proc:none", "-source", "17", "-target", "17", "-d", "classes", source)
	const limit = "96m"
	for _, tt := range []struct {
		name, how, reason string
		code              int
		stdout            string
		command           []string
	}{
		{"Python", "killed by SIGKILL: out of memory", "", 137, "", []string{"python3", "-c", "x = b'x' * 2**30"}},
		{"Node", "killed by SIGKILL: out of memory", "", 137, "", []string{"node", "-e", "const all = []; for (;;) all.push(Buffer.alloc(2**20, 1))"}},
		{"Node's own limit", "killed by SIGABRT", "Allocation failed - JavaScript heap out of memory", 134, "",
			[]string{"node", "--max-old-space-size=16", "-e", "const all = []; for (;;) all.push([1.5])"}},
		{"Perl", "killed by SIGKILL: out of memory", "", 137, "", []string{"perl", "-e", "my $x = 'x' x 2**30"}},
		{"R", "exit code 1", "Error: cannot allocate vector of size 7450.6 Gb", 1, "", []string{"Rscript", "-e", "x <- numeric(1e12)"}},
		{"Java", "exit code 1", `Exception in thread "main" java.lang.OutOfMemoryError: Java heap space`, 1, "", []string{"java", "-Xmx16m", "-cp", "/classes", "Eat"}},
		{"Java with a stack longer than what is kept", "exit code 1", `Exception in thread "main" java.lang.IllegalStateException: too deep`, 1, "", []string{"java", "-Xmx16m", "-cp", "/classes", "Eat", "deep"}},
		{"Java that exits says so on stdout", "exit code 3", "", 3, "Terminating due to java.lang.OutOfMemoryError: Java heap space\n",
			[]string{"java", "-Xmx16m", "-XX:+ExitOnOutOfMemoryError", "-cp", "/classes", "Eat"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, d, 7)
			flags := append(user, "--memory", limit, "--memory-swap", limit, "-v", classes+":/classes:ro")
			out := b.run(flags, debianImage, append([]string{"/nth", "run", "--"}, tt.command...)...)
			if out.Code != tt.code || out.Stdout != tt.stdout {
				t.Errorf("exit code %d, stdout %q: want %d and %q\n%s", out.Code, out.Stdout, tt.code, tt.stdout, out.Stderr)
			}
			b.says(tt.how, tt.reason)
		})
	}
}
