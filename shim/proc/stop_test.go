package proc_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// deaf gives the URL of an S3 server that takes connections and never answers.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return bucket("http://" + l.Addr().String())
}

func bucket(server string) string {
	return "s3://bucket/prefix?use_path_style=true&endpoint=" + server
}

// TestStopBeforeTheCommand: nth is held in each of its own steps, and then told to
// stop: the command is never run.
func TestStopBeforeTheCommand(t *testing.T) {
	for _, tt := range []struct {
		step  string
		flags []string
	}{
		{"look", []string{"--markers", deaf(t)}},
		{"done-if", []string{"--done-if", deaf(t)}},
		{"require", []string{"--require", "/missing", "--require-wait", "10m"}},
		{"require", []string{"--require", deaf(t)}},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
			t.Run(tt.step+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				p := start(t, sig == syscall.SIGTERM, append(append([]string{"--log-level", "debug"}, tt.flags...), "--", "echo", "ran")...)
				p.logs(`"step":"` + tt.step + `"`)
				p.send(sig)
				p.ends(128 + int(sig))
				if p.read("stdout") != "" {
					t.Error("the command was run")
				}
				if !strings.Contains(p.read("stderr"), "nothing was run") {
					t.Errorf("stderr doesn't say so:\n%s", p.read("stderr"))
				}
			})
		}
	}
}

func TestOtherSignalsBeforeTheCommandAreKept(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		input := filepath.Join(t.TempDir(), "input")
		// Blocked from its first instruction on, as a program may leave them to its
		// start: what came before main has nothing to do with nth.
		p := prepare(t, pid1, "--log-level", "debug", "--require", input, "--require-wait", "10m", "--",
			"env", "--block-signal=USR1,USR2,WINCH,PIPE", "sh", "-c", "grep SigPnd /proc/self/status; grep ShdPnd /proc/$$/status; kill -KILL $$")
		p.begin()
		p.logs(`"step":"require"`)
		for _, sig := range []syscall.Signal{syscall.SIGWINCH, syscall.SIGPIPE, syscall.SIGUSR1} {
			p.send(sig)
		}
		if err := os.WriteFile(input, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		// Delivered before env could block it, it kills; else it is pending.
		err := p.cmd.Wait()
		code := p.cmd.ProcessState.ExitCode()
		pending := strings.Contains(p.read("stdout"), "ShdPnd:\t0000000000000200")
		if code != 128+int(syscall.SIGUSR1) && !(code == 137 && pending) {
			t.Errorf("%v: the command did not get SIGUSR1 alone:\n%s", err, p.read("stdout"))
		}
	})
}

// slowStore is an S3 server that has nothing, and whose writes wait for release.
func slowStore(t *testing.T) (url string, writing, release chan struct{}) {
	t.Helper()
	writing, release = make(chan struct{}, 100), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			w.Header().Set("Content-Type", "application/xml")
			if strings.Contains(r.URL.RawQuery, "list-type") {
				_, _ = io.WriteString(w, `<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>`)
				return
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		writing <- struct{}{}
		select {
		case <-release:
			w.Header().Set("ETag", `"1"`)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return bucket(s.URL), writing, release
}

// TestStopWhileTheMarkerIsWritten: the work is done; a stop must not lose it.
func TestStopWhileTheMarkerIsWritten(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout string
		release bool
		code    int
	}{
		{"the store answers", "10m", true, 0},
		{"it never does", "1s", false, 73},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				url, writing, release := slowStore(t)
				p := start(t, pid1, "--markers", url, "--marker-timeout", tt.timeout, "--store-timeout", tt.timeout, "--", "true")
				<-writing
				for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM} {
					p.send(sig)
				}
				if tt.release {
					close(release)
				}
				p.ends(tt.code)
			})
		})
	}
}

// TestStopDuringTheSweep: it reaches what the command left behind.
func TestStopDuringTheSweep(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, "--sweep-grace", "10m", "--", "sh", "-c",
			`perl -e '$| = 1; $SIG{TERM} = sub { print "swept\n" }; $SIG{INT} = sub { print "stopped\n"; exit }; print "ready\n"; sleep 1 while 1' &
			while ! [ -s "$0" ]; do sleep 0.01; done; exit 4`, filepath.Join(t.TempDir(), "go"))
		p.sees("ready\n")
		if err := os.WriteFile(p.cmd.Args[len(p.cmd.Args)-1], []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		p.sees("swept\n")
		p.send(syscall.SIGINT)
		p.ends(4)
		if !strings.Contains(p.read("stdout"), "stopped") {
			t.Error("the leftover got no SIGINT")
		}
	})
}
