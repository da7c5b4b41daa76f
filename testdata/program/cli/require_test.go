package cli

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestRequiredServer: a server that must be there. Only its own 404 is a wrong mapping.
func TestRequiredServer(t *testing.T) {
	tasks := `{"url": "http://SERVER/tasks/5", "host": "SERVER"}`
	api := httptest.NewUnstartedServer(nil)
	address := api.Listener.Addr().String()
	var asked atomic.Int64
	api.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Authorization"])+len(r.Header["Cookie"]) > 0 || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		switch r.URL.Path {
		case "/tasks/5", "/in/a%b":
			w.WriteHeader(http.StatusAccepted)
		case "/item/5":
			_, _ = w.Write([]byte(strings.ReplaceAll(tasks, "SERVER", address)))
		case "/item/6":
			_, _ = w.Write([]byte(`{"url": "http://a:b@` + address + `/", "name": "a%b"}`))
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/denied":
			w.WriteHeader(http.StatusForbidden)
		case "/login":
			http.Redirect(w, r, "/tasks/5", http.StatusFound)
		case "/late":
			if asked.Add(1) == 1 {
				http.Redirect(w, r, "/login", http.StatusTemporaryRedirect)
			}
		case "/ill":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			http.NotFound(w, r)
		}
	})
	api.Start()
	defer api.Close()
	closed := servers.Address(t)
	item := "--tasks=http://" + address + "/item/<<.Index>>"
	for _, tt := range []struct {
		require string
		flags   []string
		code    int
		says    string
	}{
		{"http://SERVER/tasks/<<.Index>>", nil, 0, ""},
		{"http://SERVER/tasks/<<add .Index 1>>", nil, 66, "/tasks/6: it does not exist"},
		{"http://SERVER/gone", nil, 66, "index 5 is mapped to an input that isn't there"},
		{"http://SERVER/gone", []string{"--require-wait=1ms"}, 69, "still missing after 1ms"},
		{"http://SERVER/denied", nil, 77, "status 403 (--require sends no credentials"},
		{"http://SERVER/login", nil, 69, "status 302 (no redirect is followed"}, // it may be starting
		{"http://SERVER/late", []string{"--store-wait=1h"}, 0, "status 307; trying again"},
		{"udp://SERVER", nil, 64, "udp://" + address + `: \"udp\" is the scheme of neither a store nor a server (write tcp://host:port, http://host/path or https://`},
		{"http://SERVER/ill", nil, 69, "reach the required server http://" + address + "/ill: status 500 (is it up?"},
		{"http://" + closed + "/", nil, 69, "connection refused (is it up?"},
		{"http://SERVER/#x", nil, 64, "%23"},
		{"http://user:hidden@SERVER/", nil, 64, "it names a user"},
		{"http:///x", nil, 64, "malformed"},
		{"tcp://SERVER", nil, 0, ""},
		{"tcp://" + closed, nil, 69, "reach the required server tcp://" + closed + ": connect: connection refused (is it up?"},
		{"tcp://127.0.0.1", nil, 64, "it has no port (write tcp://host:port"},
		{"tcp://127.0.0.1:99999", nil, 64, "its port isn't one of"},
		{"https://SERVER/", nil, 69, "it speaks no TLS there: write http://"},
		{"tcp://SERVER/x", nil, 64, "more than a host and a port"},
		{"<<.Task.url>>", []string{item}, 0, ""},
		{"<<.Task.url>>", []string{item, "--index=6"}, 65, "it names a user"},
		{"http://SERVER/in/<<.Task.name>>", []string{item, "--index=6"}, 0, ""},
	} {
		args := append([]string{"run", "--index=5", "--store-wait=1s", "--require=" + strings.ReplaceAll(tt.require, "SERVER", address)}, tt.flags...)
		out, stderr, code := program.Nth(t, nil, append(args, "--", "echo", "ran")...)
		if code != tt.code || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "hidden") || (out == "ran\n") != (code == 0) {
			t.Errorf("%s %q: %d, %q, %s", tt.require, tt.flags, code, out, stderr)
		}
	}
}

// TestLateServer: a sidecar is up later than nth; --require-wait is longer than
// --store-wait.
func TestLateServer(t *testing.T) {
	address := servers.Address(t)
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	var stderr program.Buffer
	cmd := exec.Command(nth, "run", "--index=5", "--store-wait=1ms", "--require-wait=1h", "--require=tcp://"+address, "--", "true")
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr.Await(t, "connection refused")
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &stderr)
	}
}

// TestBlocked: a file where a directory should be, or a directory in a blob's place, is
// there to stay: nobody waits for it.
func TestBlocked(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(dir+"/file", nil, 0o666), os.MkdirAll(dir+"/rows.csv", 0o777)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		flag string
		code int
		says string
	}{
		{"--done-if=file://" + dir + "/file/x", 65, "not a directory (" + dir + "/file is a file, where a directory should be)"},
		{"--done-if=file://" + dir + "/rows.csv", 65, "it is a directory (a blob is a file"},
		{"--require=file://" + dir + "/file/x", 66, "it does not exist"}, // as for a path
		{"--require=" + dir + "/file/x", 66, "it does not exist"},
		{"--require=file://" + dir + "/rows.csv", 0, ""},
		{"--require=" + dir + "/rows.csv", 0, ""},
		{"--tasks=file://" + dir + "/rows.csv", 69, "it is a directory"},
		{"--markers=file://" + dir + "/file", 69, dir + "/file is a file, where a directory should be"},
	} {
		_, stderr, code := program.Nth(t, nil, "run", "--index=0", "--store-wait=1s", tt.flag, "--", "true")
		if code != tt.code || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "trying again") {
			t.Errorf("%s: %d: %s", tt.flag, code, stderr)
		}
	}
}
