package status

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"nth/shim/identity"
	"nth/testdata/servers"
)

// TestMemory: a look holds ten bytes an index, on a store that lists by pages and on a
// directory, and meanwhile a few pages, or a part of a directory's names, besides.
func TestMemory(t *testing.T) {
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	for _, tt := range []struct {
		name      string
		n         int
		place     func(t *testing.T, n int) string
		meanwhile int64 // bytes
		requests  int   // at most
	}{
		// Some 290 of a listing that is shared out while hands are free, and 526 if they always were.
		{"s3", 200_000, func(t *testing.T, n int) string { return servers.StartMarkers(t, n).Place() }, 48 << 20, 526},
		{"file", 130_000, linked, 18 << 20, 138},
	} {
		s := open(t, tt.place(t, tt.n))
		whole := identity.Whole(int64(tt.n))
		if _, err := Scan(t.Context(), s, identity.Whole(1), once, nil); err != nil { // connections, and what is made once
			t.Fatal(err)
		}
		before := live()
		quit, most := make(chan struct{}), make(chan int64)
		go func() {
			for peak := int64(0); ; peak = max(peak, live()) {
				select {
				case <-quit:
					most <- peak
					return
				default:
				}
			}
		}()
		snap, err := Scan(t.Context(), s, whole, once, nil)
		close(quit)
		peak := <-most
		if err != nil || snap.Counts().Done != int64(tt.n) {
			t.Fatalf("%s: %v, %+v", tt.name, err, snap.Counts())
		}
		kept, held := live()-before, peak-before
		t.Logf("%s: %.1f bytes an index are kept; at most %d were held; %d requests", tt.name, float64(kept)/float64(tt.n), held, snap.Requests)
		if kept > int64(10*tt.n)+256<<10 || held > int64(10*tt.n)+tt.meanwhile {
			t.Errorf("%s: %d bytes are kept of %d indexes, and at most %d were held", tt.name, kept, tt.n, held)
		}
		if snap.Requests > tt.requests {
			t.Errorf("%s: %d requests, want at most %d", tt.name, snap.Requests, tt.requests)
		}
		runtime.KeepAlive(snap)
	}
}

// live is what the heap holds, in bytes, as the collector has found it: what is garbage since is
// no part of it, however long this goroutine waits for a CPU.
func live() int64 {
	runtime.GC()
	of := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(of)
	return int64(of[0].Value.Uint64())
}

// linked is a directory of markers that are links to few files, which takes a tenth of the
// time and no inodes.
func linked(t *testing.T, n int) string {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/done", 0o777); err != nil {
		t.Fatal(err)
	}
	const links = 30_000 // ext4 has 65,000 of a file
	first := ""
	for i := range n {
		path := fmt.Sprintf("%s/done/%d.json", dir, i)
		err := error(nil)
		if i%links == 0 {
			first, err = path, os.WriteFile(path, []byte("{}"), 0o666)
		} else {
			err = os.Link(first, path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}
