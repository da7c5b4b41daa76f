package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nth/testdata/harness"
)

// Server is a real server of a test's own, as a process.
type Server struct {
	Address string // host:port
	command func() *exec.Cmd

	mu    sync.Mutex // a test may start and stop it from several goroutines
	cmd   *exec.Cmd
	ended chan struct{} // the server's process has
}

// Program gives the path of a server's program: in PATH, or where go install puts
// it. A machine without it fails the test.
func Program(t testing.TB, name, install string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := filepath.Join(goEnv(t, "GOPATH"), "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: %s", name, install)
	}
	return path
}

// start starts a server that listens on the address, and stops it when the test ends.
func start(t testing.TB, address string, command func() *exec.Cmd) *Server {
	t.Helper()
	s := &Server{Address: address, command: command}
	t.Cleanup(s.Stop)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Start starts the server, again after a Stop, with what it keeps on disk, and
// waits until it answers.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := s.command()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for deadline := time.After(harness.Patience); ; {
		if c, err := net.Dial("tcp", s.Address); err == nil {
			c.Close()
			select {
			case <-ended: // it is somebody else's
			default:
				return nil
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("%s ended at %s: %s", cmd.Path, s.Address, end(log.String()))
		case <-deadline:
			return fmt.Errorf("%s doesn't answer at %s", cmd.Path, s.Address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end is that of a server's log, so that it doesn't hide what has failed.
func end(log string) string {
	const most = 2000
	if len(log) <= most {
		return log
	}
	log = log[len(log)-most:]
	return "…" + log[strings.IndexByte(log, '\n')+1:]
}

// Stop kills the server.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
		s.cmd = nil
	}
}

// Getenv gives the lookup of an environment that has just these variables.
func Getenv(env []string) func(string) string {
	values := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}
