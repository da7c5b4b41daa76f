package proc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/proc"
	"nth/shim/proc/guard"
)

// host is a process that runs a command with streams, as nth does: this test's own program.
type host struct {
	Args       []string
	Feed       *source `json:",omitempty"`
	Take       *sink   `json:",omitempty"`
	Timeout    time.Duration
	StopGrace  time.Duration
	OwnGrace   time.Duration
	SweepGrace time.Duration
	TakeGrace  time.Duration
	Runs       int // one after the other; 0: 1
}

// told is what a host tells of its last run.
type told struct {
	Error      string // why there was no command
	ExitCode   int
	Signal     int
	Stop       int
	TimedOut   bool
	Leftovers  int
	Fed, Taken string
	Untaken    bool

	Read, Written  int64 // bytes, by the reader and the sink
	ReadSum, Sum   uint32
	Closed         int64  // how often the reader was, in all runs
	Head           string // of what the sink got
	FDs, MoreFDs   int    // before the runs, and how many more there are after them
	MoreGoroutines int
}

const hostSpec = "STREAM_HOST"

// hosts tells whether this process is a host, or what one starts, and has come to its end.
func hosts() bool {
	switch os.Args[0] {
	case proc.WatcherName:
		proc.WatcherMain()
		return true
	case guard.Name:
		guard.Main(os.Args[1:])
		return true
	}
	if name := os.Getenv(partsSpec); name != "" {
		partsHost(name)
		return true
	}
	path := os.Getenv(hostSpec)
	if path == "" {
		return false
	}
	var h host
	body, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(body, &h)
	}
	if err != nil {
		panic(err)
	}
	proc.Catch()
	body, err = json.Marshal(h.run(proc.Watch(proc.SignalConfig{Stop: []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}})))
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(path), "told.tmp"), body, 0o644)
	}
	if err == nil {
		err = os.Rename(filepath.Join(filepath.Dir(path), "told.tmp"), filepath.Join(filepath.Dir(path), "told"))
	}
	if err != nil {
		panic(err)
	}
	return true
}

func (h host) run(s *proc.Signals) (t told) {
	runs := max(h.Runs, 1)
	for i := range runs {
		if i == min(1, runs-1) { // what the first run makes for all, isn't lost
			t.FDs, t.MoreFDs, t.MoreGoroutines = descriptors(), -descriptors(), -runtime.NumGoroutine()
		}
		if i > 0 && !s.Again() {
			break
		}
		h.once(s, &t)
	}
	for deadline := time.Now().Add(time.Minute); t.MoreGoroutines+runtime.NumGoroutine() > 0 && runs > 1 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	t.MoreFDs += descriptors()
	t.MoreGoroutines += runtime.NumGoroutine()
	return t
}

func (h host) once(s *proc.Signals, t *told) {
	cmd := proc.Command{Args: h.Args, Env: os.Environ(), Timeout: h.Timeout, StopGrace: h.StopGrace, OwnStopGrace: h.OwnGrace,
		SweepGrace: h.SweepGrace, TakeGrace: h.TakeGrace, Log: zerolog.New(os.Stderr)}
	if h.Feed != nil {
		h.Feed.begin()
		cmd.Feed = h.Feed
	}
	if h.Take != nil {
		h.Take.begin()
		cmd.Take = h.Take
	}
	res, err := s.Run(cmd)
	if err != nil {
		t.Error = err.Error()
	}
	t.ExitCode, t.Signal, t.Stop, t.TimedOut, t.Leftovers = res.ExitCode, int(res.Signal), int(res.Stop), res.TimedOut, res.Leftovers
	t.Fed, t.Taken, t.Untaken = text(res.Fed), text(res.Taken), errors.Is(res.Taken, proc.ErrUntaken)
	if f := h.Feed; f != nil {
		t.Closed += f.closes.Load()
		if !f.Deaf {
			t.Read, t.ReadSum = f.at, f.sum
		}
	}
	if k := h.Take; k != nil {
		k.mu.Lock()
		t.Written, t.Sum, t.Head = k.at, k.sum, string(k.head)
		k.mu.Unlock()
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func descriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(list)
}

// source gives so many bytes, and then what it is told to.
type source struct {
	Bytes  int64  // negative: without end
	Then   string // "": the end; "hang"; all else: how reading fails (endings)
	After  string // a file that is there before it does so
	Told   string // a file that is made when it is closed
	Deaf   bool   // that it is closed doesn't end a read
	Plain  bool   // what it gives is of no matter
	rand   *rand.ChaCha8
	at     int64
	sum    uint32
	closed chan struct{}
	closes *atomic.Int64
}

// endings are errors that are no end of a file.
var endings = map[string]error{
	"reset":      errors.New("connection reset"),
	"wrapped":    fmt.Errorf("read the object: %w", io.EOF),
	"unexpected": io.ErrUnexpectedEOF,
}

func (s *source) begin() {
	s.rand, s.at, s.sum, s.closed = rand.NewChaCha8([32]byte{1}), 0, 0, make(chan struct{})
	s.closes = new(atomic.Int64)
}

func (s *source) Read(p []byte) (int, error) {
	if s.Bytes < 0 || s.at < s.Bytes {
		if s.Bytes >= 0 {
			p = p[:min(int64(len(p)), s.Bytes-s.at)]
		}
		if s.Plain {
			s.at += int64(len(p))
			return len(p), nil
		}
		n, _ := s.rand.Read(p)
		s.at, s.sum = s.at+int64(n), crc32.Update(s.sum, crc32.IEEETable, p)
		return n, nil
	}
	for s.After != "" {
		if _, err := os.Stat(s.After); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	switch s.Then {
	case "":
		return 0, io.EOF
	case "hang":
		if s.Deaf {
			select {}
		}
		<-s.closed
		return 0, os.ErrClosed
	}
	return 0, endings[s.Then]
}

func (s *source) Close() error {
	if s.closes.Add(1) == 1 {
		close(s.closed)
		if s.Told != "" {
			_ = os.WriteFile(s.Told, nil, 0o644)
		}
	}
	return nil
}

// sink takes so many bytes, and then does what it is told to.
type sink struct {
	Bytes   int64  // negative: all
	Then    string // "fail"; "hang"; "short": it takes less and says nothing
	After   string // a file that is there before it takes anything
	Deaf    bool   // Abort doesn't end a write
	Plain   bool   // what it gets is of no matter
	mu      *sync.Mutex
	at      int64
	sum     uint32
	head    []byte
	aborted chan struct{}
	once    *sync.Once
}

func (k *sink) begin() {
	k.at, k.sum, k.head, k.aborted, k.once, k.mu = 0, 0, nil, make(chan struct{}), new(sync.Once), new(sync.Mutex)
}

func (k *sink) Write(p []byte) (int, error) {
	if k.Plain {
		return len(p), nil
	}
	for k.After != "" {
		if _, err := os.Stat(k.After); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	whole := len(p)
	if k.Bytes >= 0 {
		p = p[:min(int64(len(p)), k.Bytes-k.at)]
	}
	k.mu.Lock()
	k.at, k.sum = k.at+int64(len(p)), crc32.Update(k.sum, crc32.IEEETable, p)
	k.head = append(k.head, p[:min(len(p), 4096-len(k.head))]...)
	k.mu.Unlock()
	switch {
	case len(p) == whole || k.Then == "short":
		return len(p), nil
	case k.Then == "fail":
		return len(p), errors.New("bucket is gone")
	case k.Deaf:
		select {}
	}
	<-k.aborted
	return len(p), errors.New("aborted")
}

func (k *sink) Abort() { k.once.Do(func() { close(k.aborted) }) }

// hosted prepares a host, plainly or as process 1, and a folder that its words name as
// "DIR": its own.
func hosted(t testing.TB, pid1 bool, h host) *program {
	t.Helper()
	p := &program{t: t, dir: t.TempDir(), pid1: pid1}
	body, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	spec := filepath.Join(p.dir, "spec")
	if err := os.WriteFile(spec, bytes.ReplaceAll(body, []byte("DIR"), []byte(p.dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	words := []string{self}
	if pid1 {
		words = append([]string{"unshare", "-pf", "--mount-proc", "--kill-child"}, self)
	}
	p.cmd = exec.Command(words[0], words[1:]...)
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), hostSpec + "=" + spec}
	p.cmd.Stdout, p.cmd.Stderr = p.file("stdout"), p.file("stderr")
	return p
}

// tells waits for the host's end, and gives what it told.
func (p *program) tells() (got told) {
	p.t.Helper()
	p.ends(0)
	if err := json.Unmarshal([]byte(p.read("told")), &got); err != nil {
		p.t.Fatalf("%v; stderr:\n%s", err, p.read("stderr"))
	}
	if p.read("stdout") != "" {
		p.t.Errorf("on the host's own stdout: %q", last(p.read("stdout")))
	}
	return got
}

// has tells whether a file is there.
func (p *program) has(name string) bool {
	_, err := os.Stat(filepath.Join(p.dir, name))
	return err == nil
}
