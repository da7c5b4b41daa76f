package proc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"nth/shim/proc"
)

// partsSpec names what a process does that has several commands, each going its own way: this
// test's own program.
const partsSpec = "PARTS_HOST"

// attended names the one whose stop signals another one tells of.
const attended = "an end before it is told"

// fact is how a command of a part came out.
type fact struct {
	Code      int
	Stop      int    `json:",omitempty"`
	Error     string `json:",omitempty"`
	Out       string `json:",omitempty"`
	Err       string `json:",omitempty"`
	TimedOut  bool   `json:",omitempty"`
	Cancelled bool   `json:",omitempty"`
	Left      bool   `json:",omitempty"` // there were leftovers
}

// crew are the parts of a host.
type crew struct {
	*proc.Parts
	cfg proc.SignalConfig
}

// words are what a command wrote.
type words struct {
	sync.Mutex
	bytes.Buffer
}

func (t *words) Write(p []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	return t.Buffer.Write(p)
}

func (t *words) String() string {
	t.Lock()
	defer t.Unlock()
	return t.Buffer.String()
}

// run runs a script in a place.
func (c crew) run(place int, script string, more func(*proc.Command), freed func()) fact {
	s := c.Part(place, c.cfg, freed)
	defer c.Leave(s)
	return c.in(s, script, more)
}

func (c crew) in(s *proc.Signals, script string, more func(*proc.Command)) fact {
	var out, errs words
	cmd := proc.Command{Args: []string{"sh", "-c", script}, Env: os.Environ(), Out: &out, Err: &errs, StderrTail: 100, SweepGrace: time.Minute, Log: zerolog.New(os.Stderr)}
	if more != nil {
		more(&cmd)
	}
	res, err := s.Run(cmd)
	f := fact{Code: res.ExitCode, Stop: int(res.Stop), Out: out.String(), Err: errs.String(), TimedOut: res.TimedOut, Cancelled: res.Cancelled, Left: res.Leftovers > 0}
	switch {
	case errors.Is(err, proc.ErrStopped):
		f.Error = "stopped"
	case err != nil:
		f.Error = err.Error()
	case string(res.Stderr) != f.Err && len(f.Err) <= 100:
		f.Error = fmt.Sprintf("the end of stderr is %q", res.Stderr)
	}
	return f
}

// together runs these at the same time, one in each place.
func (c crew) together(scripts []string, more ...func(*proc.Command)) []fact {
	facts := make([]fact, len(scripts))
	var all sync.WaitGroup
	for i, script := range scripts {
		var change func(*proc.Command)
		if i < len(more) {
			change = more[i]
		}
		all.Go(func() { facts[i] = c.run(i, script, change, nil) })
	}
	all.Wait()
	return facts
}

// await waits for a file, and gives what is in it.
func await(name string) string {
	for {
		if body, err := os.ReadFile(name); err == nil && len(body) > 0 {
			return strings.TrimSpace(string(body))
		}
		time.Sleep(time.Millisecond)
	}
}

func note(name string) {
	if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
		panic(err)
	}
}

// alive tells whether a process runs whose number is in a file.
func alive(name string) bool {
	pid, err := strconv.Atoi(await(name))
	if err != nil {
		panic(err)
	}
	return !gone(pid)
}

// stray leaves a process behind of which nobody can tell whose it is.
const stray = `(setsid env -i PATH="$PATH" sh -c 'echo $$ >stray; exec sleep 600' &); until test -s stray; do sleep 0.01; done`

// told by a command that it is there; it ends when it is told to.
const until = `until test -s %s; do sleep 0.01; done`

// acts are what hosts do, by name, and what must come of it.
var acts = map[string]struct {
	do   func(c crew) []fact
	want []fact
}{
	"one's time and one's end are no other's": {func(c crew) []fact {
		cancel := make(chan struct{})
		var ended sync.WaitGroup
		ended.Add(2)
		go func() { await("here"); close(cancel); ended.Wait(); note("over") }()
		facts := make([]fact, 3)
		var all sync.WaitGroup
		all.Go(func() {
			defer ended.Done()
			facts[0] = c.run(0, "exec sleep 600", func(cmd *proc.Command) { cmd.Timeout = 50 * time.Millisecond }, nil)
		})
		all.Go(func() {
			defer ended.Done()
			facts[1] = c.run(1, "echo x >here; exec sleep 600", func(cmd *proc.Command) { cmd.Cancel = cancel }, nil)
		})
		all.Go(func() { facts[2] = c.run(2, fmt.Sprintf(until, "over")+"; echo untouched", nil, nil) })
		all.Wait()
		return facts
	}, []fact{{Code: 143, TimedOut: true}, {Code: 143, Cancelled: true}, {Out: "untouched\n"}}},

	"each has its own code and words": {func(c crew) (wrong []fact) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for place := range 4 {
			all.Go(func() {
				for n := range 40 {
					k := place*40 + n
					got := c.run(place, fmt.Sprintf("echo out %d; echo err %d >&2; exit %d", k, k, k), nil, nil)
					if want := (fact{Code: k, Out: fmt.Sprintf("out %d\n", k), Err: fmt.Sprintf("err %d\n", k)}); got != want {
						mu.Lock()
						wrong = append(wrong, got)
						mu.Unlock()
					}
				}
			})
		}
		all.Wait()
		return wrong
	}, nil},

	"a place is free before its verdict": {func(c crew) (wrong []fact) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for n := range 50 {
			free := make(chan struct{})
			all.Go(func() {
				got := c.run(0, fmt.Sprintf("(sleep 600; echo late) & echo out %d; head -c 70000 /dev/zero | tr '\\0' x >&2", n), nil, func() { close(free) })
				got.Err = strings.ReplaceAll(got.Err, strings.Repeat("x", 70000), "all")
				if want := (fact{Out: fmt.Sprintf("out %d\n", n), Err: "all", Left: true}); got != want {
					mu.Lock()
					wrong = append(wrong, got)
					mu.Unlock()
				}
			})
			<-free
		}
		all.Wait()
		return wrong
	}, nil},

	"a pipe that its command has made larger": {func(c crew) []fact {
		large := c.run(0, `exec perl -e 'fcntl(STDOUT, 1031, 1 << 20) or die "$!"; syswrite(STDOUT, "x" x 900_000) == 900_000 or die "$!"'`, nil, nil)
		large.Out = strings.ReplaceAll(large.Out, strings.Repeat("x", 900_000), "all\n")
		return []fact{large, c.run(0, "echo next", nil, nil)}
	}, []fact{{Out: "all\n"}, {Out: "next\n"}}},

	"what doesn't start": {func(c crew) (facts []fact) {
		note("plain")
		for _, args := range [][]string{{"nowhere"}, {"./plain"}, {"sh", "-c", "true", strings.Repeat("x", 3<<20)}, {"true"}} {
			f := c.run(0, "", func(cmd *proc.Command) { cmd.Args = args }, nil)
			for _, why := range []string{"not found", "permission denied", "one word is limited"} {
				if strings.Contains(f.Error, why) {
					f.Error = why
				}
			}
			facts = append(facts, f)
		}
		return facts
	}, []fact{{Error: "not found"}, {Error: "permission denied"}, {Error: "one word is limited"}, {}}},

	"signals are for all": {func(c crew) []fact {
		go func() {
			for _, name := range []string{"a", "b"} {
				await(name)
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			for _, name := range []string{"a1", "b1"} {
				await(name)
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}()
		early := c.Part(2, c.cfg, nil)
		script := func(name string) string {
			return fmt.Sprintf(`trap 'echo usr1; echo x >%s1' USR1; trap 'echo term; exit 0' TERM; echo x >%s; while :; do sleep 0.01; done`, name, name)
		}
		facts := c.together([]string{script("a"), script("b")})
		facts = append(facts, c.in(early, "echo ran", nil))
		c.Leave(early)
		return append(facts, c.run(0, "echo ran", nil, nil))
	}, []fact{{Stop: 15, Out: "usr1\nterm\n"}, {Stop: 15, Out: "usr1\nterm\n"}, {Error: "stopped"}, {Error: "stopped"}}},

	// A batch system signals all of a job's processes: a command may have answered before it is told.
	attended: {func(c crew) []fact {
		return []fact{c.run(0, "kill -TERM $PPID; sleep 0.2", nil, nil)}
	}, []fact{{Stop: 15}}},

	"one is told alone": {func(c crew) []fact {
		s := c.Part(0, c.cfg, nil)
		go func() {
			await("a")
			await("b")
			s.Tell(syscall.SIGTERM)
		}()
		facts := make([]fact, 2)
		var all sync.WaitGroup
		all.Go(func() {
			defer note("over")
			facts[0] = c.in(s, `trap 'exit 3' TERM; echo x >a; while :; do sleep 0.01; done`, nil)
			c.Leave(s)
		})
		all.Go(func() {
			facts[1] = c.run(1, `trap 'echo term' TERM; echo x >b; `+fmt.Sprintf(until, "over"), nil, nil)
		})
		all.Wait()
		return facts
	}, []fact{{Code: 3, Stop: 15}, {}}},

	"one drains": {func(c crew) []fact {
		go func() {
			await("a")
			await("b")
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		}()
		return c.together([]string{
			`trap 'exit 3' TERM; echo x >a; ` + fmt.Sprintf(until, "held") + `; echo to its end`,
			`trap 'exit 4' TERM; echo x >b; while :; do sleep 0.01; done`,
		}, func(cmd *proc.Command) { cmd.Drain, cmd.OnStop = time.Hour, func() { note("held") } })
	}, []fact{{Out: "to its end\n"}, {Code: 4, Stop: 15}}},

	"leftovers are told apart": {func(c crew) (facts []fact) {
		done := make(chan fact)
		go func() {
			done <- c.run(1, `setsid sleep 600 & echo $! >other; `+fmt.Sprintf(until, "over")+`; kill -0 $(cat other) && echo its own was left alone`, nil, nil)
		}()
		await("other")
		facts = append(facts, c.run(0, `setsid sleep 600 & echo $! >mine; exit 5`, nil, nil))
		if alive("mine") {
			facts = append(facts, fact{Error: "it is left"})
		}
		note("over")
		facts = append(facts, <-done)
		if alive("other") {
			facts = append(facts, fact{Error: "the other is left"})
		}
		return facts
	}, []fact{{Code: 5, Left: true}, {Out: "its own was left alone\n", Left: true}}},

	"a stray is ended by who is alone": {func(c crew) []fact {
		f := c.run(0, stray, nil, nil)
		if alive("stray") {
			f.Error = "it is left"
		}
		return []fact{f}
	}, []fact{{Left: true}}},

	"a stray is no other's, and ended at last": {func(c crew) (facts []fact) {
		done := make(chan fact)
		go func() { done <- c.run(1, "echo x >here; "+fmt.Sprintf(until, "over"), nil, nil) }()
		await("here")
		facts = append(facts, c.run(0, stray, nil, nil))
		if !alive("stray") {
			facts = append(facts, fact{Error: "it may have been the other's"})
		}
		note("over")
		return append(facts, <-done)
	}, []fact{{}, {Left: true}}},

	"threads end": {func(c crew) []fact { // and with one all that it has started (PR_SET_PDEATHSIG)
		return []fact{c.run(0, fmt.Sprintf(until, "over")+"; echo to its end", func(cmd *proc.Command) {
			cmd.OnStart = func() {
				var all sync.WaitGroup
				for range 100 {
					all.Go(runtime.LockOSThread) // whose goroutine ends so, its thread does
				}
				all.Wait()
				note("over")
			}
		}, nil)}
	}, []fact{{Out: "to its end\n"}}},

	"killed": {func(c crew) []fact {
		s := c.Part(0, c.cfg, nil)
		defer c.Leave(s)
		go func() { await("here"); s.Kill() }()
		return []fact{c.in(s, `trap "" TERM; echo x >here; exec sleep 600`, nil)}
	}, []fact{{Code: 137}}},

	"for ever": {func(c crew) []fact { // until this process is killed
		const there = `trap "" TERM; (exec setsid sleep 600) & echo $$ $! >%s; while :; do sleep 1; done`
		return c.together([]string{fmt.Sprintf(there, "a"), fmt.Sprintf(there, "b")})
	}, nil},
}

// partsHost does what it is told, and tells what came of it.
func partsHost(name string) {
	proc.Catch()
	cfg := proc.SignalConfig{Stop: []syscall.Signal{syscall.SIGTERM}}
	var s *proc.Signals
	if name == attended {
		proc.Answer(os.Stderr)
		s, _ = proc.Attend()
	} else {
		s = proc.Watch(cfg)
	}
	before := descriptors()
	parts, err := s.Divide(4, time.Minute, time.Minute, zerolog.New(os.Stderr))
	if err != nil {
		panic(err)
	}
	facts := acts[name].do(crew{parts, cfg})
	parts.End()
	if body, err := os.ReadFile("stray"); err == nil {
		if pid, _ := strconv.Atoi(strings.TrimSpace(string(body))); !gone(pid) {
			facts = append(facts, fact{Error: "a stray is left at the end"})
		}
	}
	const ofGo = 8 // what Go itself opens; a leak of each command, of dozens, is more
	for end := time.Now().Add(time.Minute); descriptors() > before+ofGo && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if more := descriptors() - before; more > ofGo {
		facts = append(facts, fact{Error: fmt.Sprintf("%d descriptors are left", more)})
	}
	if len(children(os.Getpid())) > 0 {
		facts = append(facts, fact{Error: fmt.Sprint("children are left: ", children(os.Getpid()))})
	}
	body, err := json.Marshal(facts)
	if err == nil {
		err = os.WriteFile("told", body, 0o644)
	}
	if err != nil {
		panic(err)
	}
}

// startParts starts a host of parts, in a folder of its own.
func startParts(t *testing.T, pid1 bool, name string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, dir: t.TempDir(), pid1: pid1}
	words := []string{self}
	if pid1 {
		words = append([]string{"unshare", "-pf", "--mount-proc", "--kill-child"}, self)
	}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Dir, p.cmd.Env = p.dir, []string{"PATH=" + os.Getenv("PATH"), partsSpec + "=" + name}
	p.cmd.Stdout, p.cmd.Stderr = p.file("stdout"), p.file("stderr")
	p.begin()
	return p
}

// TestParts: several commands of a process at the same time, each going its own way.
func TestParts(t *testing.T) {
	for name, act := range acts {
		if act.want == nil && name == "for ever" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, pid1 bool) {
				if pid1 && (strings.Contains(name, "stray") || name == attended) { // as process 1 it is told by nobody else, and nobody else is signalled
					return
				}
				p := startParts(t, pid1, name)
				p.ends(0)
				var got []fact
				if err := json.Unmarshal([]byte(p.read("told")), &got); err != nil {
					t.Fatalf("%v: %s", err, p.read("stderr"))
				}
				if diff := cmp.Diff(act.want, got); diff != "" {
					t.Errorf("%s\n%s", diff, last(p.read("stderr")))
				}
			})
		})
	}
}

// TestPartsDieWithNth: nothing is left of the commands of a process that is killed.
func TestPartsDieWithNth(t *testing.T) {
	p := startParts(t, false, "for ever")
	for _, name := range []string{"a", "b"} {
		eventually(t, name+" is there", func() bool { return strings.Count(p.read(name), "\n") == 1 })
	}
	p.send(syscall.SIGKILL)
	_ = p.cmd.Wait()
	for _, name := range []string{"a", "b"} {
		for _, word := range strings.Fields(p.read(name)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, filepath.Join(name, word)+" has ended", func() bool { return gone(pid) })
		}
	}
}
