package proc_test

import (
	"hash/crc32"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTake: all that the command and what it leaves behind have written comes, in its
// order, and nothing of it on nth's own stdout.
func TestTake(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		code   int
	}{
		"nothing":                  {`: >DIR/copy; exit 4`, 4},
		"a line":                   {`echo line | tee DIR/copy`, 0},
		"more than a pipe holds":   {`head -c 3000001 /dev/urandom | tee DIR/copy`, 0},
		"and then it is closed":    {`echo line | tee DIR/copy; exec >&-; exit 4`, 4},
		"of what it leaves behind": {`sh -c 'trap "echo swept; exit 0" TERM; echo ready >DIR/ready; while :; do sleep 0.05; done' & while ! [ -s DIR/ready ]; do sleep 0.01; done; echo now; printf 'now\nswept\n' >DIR/copy`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := hosted(t, pid1, host{Args: []string{"sh", "-c", tt.script}, Take: &sink{Bytes: -1}, SweepGrace: patience})
				p.begin()
				got, copied := p.tells(), p.read("copy")
				if got.Taken != "" || got.ExitCode != tt.code || got.Written != int64(len(copied)) || got.Sum != crc32.ChecksumIEEE([]byte(copied)) {
					t.Errorf("%d bytes were written: %+v", len(copied), got)
				}
			})
		})
	}
}

// TestTakeWaits: a sink that is slow makes the command wait, and when that has ended, what
// the pipe holds comes all the same.
func TestTakeWaits(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := hosted(t, pid1, host{Args: []string{"perl", "-e", fill, "1", "DIR/written"}, Take: &sink{Bytes: -1, After: "DIR/written"}})
		p.begin()
		got := p.tells()
		if want, _ := strconv.ParseInt(p.read("written"), 10, 64); got.Taken != "" || got.Written != want || want < 64<<10 || want > 4<<20 {
			t.Errorf("%d bytes were written: %+v", want, got)
		}
	})
}

// TestTakeRest: what the pipe holds comes too when the command has ended while the sink was
// still at what came before.
func TestTakeRest(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := hosted(t, pid1, host{Args: []string{"sh", "-c", `echo first; echo $$ >DIR/pid.new; mv DIR/pid.new DIR/pid; head -c 60000 /dev/zero; : >DIR/written`}, Take: &sink{Bytes: -1, After: "DIR/go"}})
		p.begin()
		eventually(t, "the last words", func() bool { return p.has("written") })
		time.Sleep(200 * time.Millisecond) // it ends, and that is seen: else nothing is shown here, nor is it wrong
		if err := os.WriteFile(p.dir+"/go", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := p.tells(); got.Taken != "" || got.Written != int64(len("first\n")+60000) {
			t.Errorf("%+v", got)
		}
	})
}

// TestTakeFails: a sink that takes no more stops the command, which neither hangs nor dies
// of what it still writes.
func TestTakeFails(t *testing.T) {
	for name, tt := range map[string]struct {
		script string
		sink   sink
		signal syscall.Signal
		code   int
		says   string
	}{
		"at once":                     {`echo line; exec sleep 600`, sink{Then: "fail"}, syscall.SIGTERM, 143, "bucket is gone"},
		"while it writes":             {`exec cat /dev/zero`, sink{Bytes: 300_000, Then: "fail"}, syscall.SIGTERM, 143, "bucket is gone"},
		"it says goodbye":             {`trap "head -c 3000000 /dev/zero; echo bye; : >DIR/end; exit 5" TERM; echo line; while :; do sleep 0.01; done`, sink{Then: "fail"}, 0, 5, "bucket is gone"},
		"it has ended by itself":      {`trap "" TERM; echo line`, sink{Then: "fail"}, 0, 0, "bucket is gone"}, // whether it is told to, or is faster
		"it doesn't heed SIGTERM":     {`trap "" TERM; exec cat /dev/zero`, sink{Then: "fail"}, syscall.SIGKILL, 137, "bucket is gone"},
		"it took less and said so":    {`echo line; exec sleep 600`, sink{Bytes: 3, Then: "short"}, syscall.SIGTERM, 143, "short write"},
		"it is after the command's":   {`exec cat /dev/zero`, sink{Bytes: 3 << 20, Then: "fail"}, syscall.SIGTERM, 143, "bucket is gone"},
		"what it leaves behind wrote": {`(sleep 0.05; exec cat /dev/zero) & exit 6`, sink{Then: "fail"}, 0, 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				h := host{Args: []string{"sh", "-c", tt.script}, Take: &tt.sink, SweepGrace: patience}
				if tt.signal == syscall.SIGKILL {
					h.OwnGrace = 500 * time.Millisecond
				}
				p := hosted(t, pid1, h)
				p.begin()
				got := p.tells()
				if tt.says == "" { // it may have been ended before it wrote
					got.Taken = ""
				}
				if got.Taken != tt.says || syscall.Signal(got.Signal) != tt.signal || got.ExitCode != tt.code || got.Untaken || got.Stop != 0 || got.Written != max(tt.sink.Bytes, 0) {
					t.Errorf("%+v", got)
				}
				if strings.Contains(tt.script, "DIR/end") && !p.has("end") {
					t.Error("the command died of its last words")
				}
			})
		})
	}
}

// TestStreamsHang: what hangs for ever holds up neither a signal nor a limit of time, nor
// nth's end.
func TestStreamsHang(t *testing.T) {
	const reads, writes = `echo ready >&2; exec cat >/dev/null`, `echo line; echo ready >&2; exec cat /dev/zero`
	for name, tt := range map[string]struct {
		host host
		term bool // nth gets it
		want told
	}{
		"a reader":                        {host{Args: []string{"sh", "-c", reads}, Feed: &source{Then: "hang"}}, true, told{Signal: 15, ExitCode: 143, Stop: 15}},
		"a deaf one":                      {host{Args: []string{"sh", "-c", reads}, Feed: &source{Then: "hang", Deaf: true}}, true, told{Signal: 15, ExitCode: 143, Stop: 15}},
		"a sink":                          {host{Args: []string{"sh", "-c", writes}, Take: &sink{Then: "hang"}}, true, told{Signal: 15, ExitCode: 143, Stop: 15, Untaken: true}},
		"a deaf sink":                     {host{Args: []string{"sh", "-c", writes}, Take: &sink{Then: "hang", Deaf: true}}, true, told{Signal: 15, ExitCode: 143, Stop: 15, Untaken: true}},
		"a reader, and a limit":           {host{Args: []string{"sh", "-c", reads}, Feed: &source{Then: "hang"}, Timeout: 100 * time.Millisecond}, false, told{Signal: 15, ExitCode: 143, TimedOut: true}},
		"a sink, and a limit":             {host{Args: []string{"sh", "-c", writes}, Take: &sink{Then: "hang"}, Timeout: 3 * time.Second}, false, told{Signal: 15, ExitCode: 143, TimedOut: true, Untaken: true}},
		"a sink, and SIGTERM isn't heard": {host{Args: []string{"sh", "-c", `trap "" TERM; ` + writes}, Take: &sink{Then: "hang"}, StopGrace: 300 * time.Millisecond}, true, told{Signal: 9, ExitCode: 137, Stop: 15, Untaken: true}},
		"both": {host{Args: []string{"sh", "-c", `echo line; echo ready >&2; exec cat`}, Feed: &source{Bytes: -1}, Take: &sink{Then: "hang"}}, true,
			told{Signal: 15, ExitCode: 143, Stop: 15, Untaken: true}},
		// What it wrote counts, for it may be a success: nth waits, but not for ever.
		"it ends well": {host{Args: []string{"sh", "-c", `echo line`}, Take: &sink{Then: "hang"}, TakeGrace: 300 * time.Millisecond}, false, told{Untaken: true}},
		"it ends well at SIGTERM": {host{Args: []string{"sh", "-c", `trap "exit 0" TERM; echo line; echo ready >&2; while :; do sleep 0.01; done`},
			Take: &sink{Then: "hang"}, StopGrace: 300 * time.Millisecond}, true, told{Stop: 15, Untaken: true}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := hosted(t, pid1, tt.host)
				p.begin()
				if tt.term {
					p.logs("ready")
					p.send(syscall.SIGTERM)
				}
				got := p.tells()
				want := tt.want
				if got.ExitCode != want.ExitCode || got.Signal != want.Signal || got.Stop != want.Stop || got.TimedOut != want.TimedOut || got.Untaken != want.Untaken || got.Fed != "" {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestThroughStreams: what goes through a command comes out of it.
func TestThroughStreams(t *testing.T) {
	const bytes = 100 << 20
	both(t, func(t *testing.T, pid1 bool) {
		p := hosted(t, pid1, host{Args: []string{"cat"}, Feed: &source{Bytes: bytes}, Take: &sink{Bytes: -1}})
		p.begin()
		if got := p.tells(); got.Fed != "" || got.Taken != "" || got.ExitCode != 0 || got.Read != bytes || got.Written != bytes || got.Sum != got.ReadSum {
			t.Errorf("%+v", got)
		}
	})
}

// TestStreamsLeaveNothing: whatever became of a command, no descriptor and no goroutine of
// its streams is left, and its reader is closed.
func TestStreamsLeaveNothing(t *testing.T) {
	const runs = 20
	for name, h := range map[string]host{
		"there is no such command": {Args: []string{"no-such-command"}, Feed: &source{Bytes: -1}, Take: &sink{Bytes: -1}},
		"it can't be executed":     {Args: []string{"DIR"}, Feed: &source{Bytes: -1}, Take: &sink{Bytes: -1}},
		"the kernel refuses it":    {Args: []string{"DIR/told.bad"}, Feed: &source{Bytes: -1}, Take: &sink{Bytes: -1}},
		"all goes well":            {Args: []string{"cat"}, Feed: &source{Bytes: 1000}, Take: &sink{Bytes: -1}},
		"it has had enough":        {Args: []string{"head", "-c", "1"}, Feed: &source{Bytes: -1}, Take: &sink{Bytes: -1}},
		"stdin breaks off":         {Args: []string{"cat"}, Feed: &source{Bytes: 1000, Then: "reset"}, Take: &sink{Bytes: -1}},
		"the sink fails":           {Args: []string{"cat"}, Feed: &source{Bytes: -1}, Take: &sink{Bytes: 1000, Then: "fail"}},
		"a reader hangs":           {Args: []string{"true"}, Feed: &source{Then: "hang"}},
		"a sink hangs":             {Args: []string{"echo"}, Take: &sink{Then: "hang"}, TakeGrace: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			h.Runs = runs
			p := hosted(t, false, h)
			if err := os.WriteFile(p.dir+"/told.bad", []byte("\x7fELF\x02\x01\x01"), 0o755); err != nil {
				t.Fatal(err)
			}
			p.begin()
			got := p.tells()
			closed := int64(runs)
			if h.Feed == nil {
				closed = 0
			}
			if got.MoreFDs != 0 || got.MoreGoroutines > 0 || got.Closed != closed {
				t.Errorf("%+v", got)
			}
		})
	}
}
