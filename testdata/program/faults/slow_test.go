//go:build linux

package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nth/testdata/hung"
	"nth/testdata/matrix"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// A piece comes far sooner than slowTimeout, and the whole takes far longer.
const (
	slowTimeout = 2 * time.Second
	slowPause   = 300 * time.Millisecond
	slowPieces  = 16
)

// slowFlags give a run one try, which takes what it takes.
var slowFlags = []string{"--store-timeout", slowTimeout.String(), "--store-wait", slowTimeout.String(), "--log-format", "json"}

// slowRows has so many rows that each piece of the file is a sign of life.
func slowRows(size int) (text string, rows int) {
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "row %d %s\n", rows, strings.Repeat("x", 100))
		rows++
	}
	return b.String(), rows
}

// lastRow runs the last row of a file.
func lastRow(t *testing.T, env []string, url string, rows int) (stdout, stderr string, code int) {
	t.Helper()
	return program.Nth(t, env, append(append([]string{"run", "--index", strconv.Itoa(rows - 1), "--tasks", url}, slowFlags...), "--", "echo", "<<.Task>>")...)
}

// TestSlowRows: a file of rows takes longer than --store-timeout and --store-wait, and comes
// in pieces. One that stalls is given up.
func TestSlowRows(t *testing.T) {
	text, rows := slowRows(1 << 20)
	check := func(t *testing.T, env []string, url string) {
		t.Helper()
		stdout, stderr, code := lastRow(t, env, url, rows)
		if want := fmt.Sprintf("row %d ", rows-1); code != 0 || !strings.HasPrefix(stdout, want) {
			t.Errorf("exit code %d, stdout %.20q, want %q:\n%s", code, stdout, want, stderr)
		}
	}
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		if err := place.Open(t, "in").Put(t.Context(), "rows.txt", []byte(text)); err != nil {
			t.Fatal(err)
		}
		for name, action := range map[string]servers.Action{"pieces": servers.Pieces(slowPieces, slowPause), "stall": servers.StallAfter(slowPieces)} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := place.Fault(t, func(_ int, r *http.Request) servers.Action {
					if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Range"), strconv.Itoa(len(text)-1)) {
						return action
					}
					return nil
				})
				url, env := place.Object(f.URL, "in", "rows.txt"), place.Env(f.URL)
				if name == "pieces" {
					check(t, env, url)
				} else if _, stderr, code := lastRow(t, env, url, rows); code != 69 || !strings.Contains(stderr, "--store-timeout") {
					t.Errorf("exit code %d:\n%s", code, stderr)
				}
			})
		}
	})
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		text, rows = slowRows(4 << 20)
		fs := hung.MountSlow(t, slowPause/2, map[string]string{"rows.txt": text})
		check(t, nil, "file://"+fs.Dir+"/rows.txt")
	})
}

// TestSlowDirectory: a directory of markers takes longer to list than --store-timeout and
// --store-wait.
func TestSlowDirectory(t *testing.T) {
	const n = 60
	markers := map[string]string{}
	for i := range n {
		markers[fmt.Sprintf("%d.json", i)] = "{}"
	}
	fs := hung.MountSlow(t, 50*time.Millisecond, markers)
	dir := t.TempDir()
	if err := os.Symlink(fs.Dir, filepath.Join(dir, "done")); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := program.Nth(t, nil, "status", "--markers", "file://"+dir, "--completions", strconv.Itoa(n),
		"--store-timeout", slowTimeout.String(), "--store-wait", slowTimeout.String(), "--list", "done")
	if code != 0 || stdout != "0-59\n" {
		t.Errorf("exit code %d, %q:\n%s", code, stdout, stderr)
	}
}

// TestSlowItem: an item of an HTTP API comes in pieces.
func TestSlowItem(t *testing.T) {
	item := strings.Repeat("x", 100<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(item)))
		for k := range slowPieces {
			time.Sleep(slowPause)
			_, _ = w.Write([]byte(item[k*len(item)/slowPieces : (k+1)*len(item)/slowPieces]))
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer server.Close()
	_, stderr, code := program.Nth(t, nil, append(append([]string{"run", "--index", "0", "--tasks", server.URL + "/item", "--task-stdin"}, slowFlags...), "--",
		"sh", "-c", `[ "$(wc -c)" -eq 102400 ]`)...)
	if code != 0 {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

// TestSlowPages: a listing of many pages takes longer than --store-timeout and --store-wait.
// The server is made to give two keys a page.
func TestSlowPages(t *testing.T) {
	var place *matrix.Place
	for row := range matrix.Stores {
		if matrix.Stores[row].Name == "gcs" {
			place = matrix.Start(t, row)
		}
	}
	want := ""
	for k := range 2 * slowPieces {
		line := fmt.Sprintf("line %d\n", k)
		if err := place.Open(t, "logs").PutText(t.Context(), fmt.Sprintf("7/run-%02d.log", k), []byte(line)); err != nil {
			t.Fatal(err)
		}
		want += line
	}
	f := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		q := r.URL.Query()
		if q.Get("prefix") != "logs/7/" {
			return nil
		}
		q.Set("maxResults", "2")
		r.URL.RawQuery = q.Encode()
		return servers.Delay(slowPause)
	})
	stdout, stderr, code := program.Nth(t, place.Env(f.URL), "status", "--markers", place.URL(f.URL, "m"), "--logs-url", place.URL(f.URL, "logs"), "--index", "7", "--logs",
		"--store-timeout", slowTimeout.String(), "--store-wait", slowTimeout.String())
	if code != 0 || stdout != want {
		t.Errorf("exit code %d, stdout %q:\n%s", code, stdout, stderr)
	}
	if n := len(f.Requests()); n < slowPieces {
		t.Errorf("only %d requests", n)
	}
}
