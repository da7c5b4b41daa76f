package proc_test

import (
	"hash/crc32"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// whole is what a command does that takes its end of file for the end of its work.
const whole = `cat >DIR/got; echo done >DIR/end`

// TestFeed: the command sees the end of the file when all has come, and what was read is
// what it gets.
func TestFeed(t *testing.T) {
	for name, bytes := range map[string]int64{"nothing": 0, "a byte": 1, "a piece": 256 << 10, "more than a pipe holds": 3<<20 + 1} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := hosted(t, pid1, host{Args: []string{"sh", "-c", whole}, Feed: &source{Bytes: bytes}})
				p.begin()
				got := p.tells()
				if got.Fed != "" || got.ExitCode != 0 || got.Closed != 1 || got.Read != bytes || !p.has("end") {
					t.Errorf("%+v", got)
				}
				if body := p.read("got"); int64(len(body)) != bytes || crc32.ChecksumIEEE([]byte(body)) != got.ReadSum {
					t.Errorf("%d bytes came, and not the %d that were read", len(body), bytes)
				}
			})
		})
	}
}

// TestFeedBreaksOff: a command whose stdin can't be read to its end never sees an end of
// it, and is stopped.
func TestFeedBreaksOff(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		source source
		signal syscall.Signal
	}{
		"at once":                         {whole, source{Then: "reset"}, syscall.SIGTERM},
		"in the middle":                   {whole, source{Bytes: 100_000, Then: "reset"}, syscall.SIGTERM},
		"after more than a pipe holds":    {whole, source{Bytes: 3 << 20, Then: "reset"}, syscall.SIGTERM},
		"with an end that is not its own": {whole, source{Bytes: 5000, Then: "wrapped"}, syscall.SIGTERM},
		"with an unexpected end":          {whole, source{Bytes: 5000, Then: "unexpected"}, syscall.SIGTERM},
		"and it doesn't heed SIGTERM":     {`trap "" TERM; : >DIR/ready; ` + whole, source{Bytes: 100_000, After: "DIR/ready", Then: "reset"}, syscall.SIGKILL},
		"and it doesn't read yet":         {`exec sleep 600`, source{Then: "reset"}, syscall.SIGTERM},
		"and it has stopped itself":       {`kill -STOP $$; ` + whole, source{Bytes: 1, Then: "reset"}, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := hosted(t, pid1, host{Args: []string{"sh", "-c", tt.script}, Feed: &tt.source, OwnGrace: 500 * time.Millisecond})
				if tt.signal == syscall.SIGTERM {
					p = hosted(t, pid1, host{Args: []string{"sh", "-c", tt.script}, Feed: &tt.source, SweepGrace: patience})
				}
				p.begin()
				got := p.tells()
				if want := endings[tt.source.Then].Error(); got.Fed != want || syscall.Signal(got.Signal) != tt.signal || got.Stop != 0 || got.TimedOut || got.Closed != 1 {
					t.Errorf("want %q: %+v", want, got)
				}
				if p.has("end") {
					t.Error("the command saw an end of the file")
				}
			})
		})
	}
}

// TestFeedIsEnough: a command that has had enough is left to itself, and nothing more is
// read for it: the reader is closed while the command still runs.
func TestFeedIsEnough(t *testing.T) {
	const closed = `; while ! [ -e DIR/closed ]; do sleep 0.01; done; exit 3`
	for name, tt := range map[string]struct {
		script string
		source source
	}{
		"it reads a little":               {`head -c 10 >DIR/got; exec <&-` + closed, source{Bytes: -1}},
		"it closes it at once":            {`exec <&-` + closed, source{Bytes: -1}},
		"while a read hangs":              {`exec <&-` + closed, source{Then: "hang"}},
		"while a read hangs in the end":   {`head -c 10 >DIR/got; exec <&-` + closed, source{Bytes: 20, Then: "hang"}},
		"and what it didn't want is lost": {`exec <&-; : >DIR/go` + closed, source{After: "DIR/go", Then: "reset"}},
		"it ends":                         {`exit 3`, source{Bytes: -1}},
		"it ends while a read hangs":      {`exit 3`, source{Then: "hang"}},
		"it ends, and closing is no help": {`exit 3`, source{Then: "hang", Deaf: true}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				source := tt.source
				source.Told = "DIR/closed"
				p := hosted(t, pid1, host{Args: []string{"sh", "-c", tt.script}, Feed: &source})
				p.begin()
				if got := p.tells(); got.Fed != "" || got.ExitCode != 3 || got.Closed != 1 || !p.has("closed") {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestFeedOfADescendant: who still reads when the command has ended, gets more until the
// sweep ends it, sees no end that isn't one, and holds nobody up.
func TestFeedOfADescendant(t *testing.T) {
	const daemon = `exec 3<&0; (trap "" HUP; setsid sh -c 'cat >DIR/got; echo done >DIR/end' <&3 3<&- & ) ; while ! [ -s DIR/got ]; do sleep 0.01; done; exit 0`
	for name, source := range map[string]source{
		"without end":     {Bytes: -1},
		"a read hangs":    {Bytes: 10, Then: "hang"},
		"it breaks off":   {Bytes: 10, After: "DIR/got", Then: "reset"},
		"and nobody ends": {Bytes: 10, Then: "hang", Deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := hosted(t, pid1, host{Args: []string{"sh", "-c", daemon}, Feed: &source, SweepGrace: patience})
				p.begin()
				got := p.tells()
				if p.has("end") || got.Leftovers == 0 && got.Fed == "" {
					t.Errorf("an end was seen: %v: %+v", p.has("end"), got)
				}
			})
		})
	}
}

// TestHeldByAStranger: a process that is no descendant, and has the command's stdin and
// stdout open, reads and writes there without end, holds nobody up.
func TestHeldByAStranger(t *testing.T) {
	p := hosted(t, false, host{Args: []string{"sh", "-c", `echo $$ >DIR/pid.new; mv DIR/pid.new DIR/pid; while ! [ -e DIR/go ]; do sleep 0.01; done; echo its last words`},
		Feed: &source{Bytes: -1}, Take: &sink{Bytes: -1}})
	p.begin()
	eventually(t, "the command", func() bool { return p.has("pid") })
	fds := "/proc/" + strings.TrimSpace(p.read("pid")) + "/fd/"
	stdin, err := os.Open(fds + "0")
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := os.OpenFile(fds+"1", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	if err := os.WriteFile(p.dir+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its end", func() bool { _, err := os.Stat(fds); return err != nil })
	go func() {
		for err := error(nil); err == nil; {
			_, err = stdout.WriteString("a stranger's\n")
		}
	}()
	go func() {
		for err := error(nil); err == nil; {
			_, err = stdin.Read(make([]byte, 4096))
		}
	}()
	if got := p.tells(); got.Fed != "" || got.Taken != "" || got.Closed != 1 || !strings.HasPrefix(got.Head, "its last words\n") {
		t.Errorf("%+v", got)
	}
}
