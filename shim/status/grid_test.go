package status

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nth/shim/identity"
	"nth/shim/screen"
)

func TestPerCell(t *testing.T) {
	for _, tt := range []struct{ n, cells, want int64 }{
		{1, 1, 1}, {1000, 1000, 1}, {1001, 1000, 2}, {3000, 1000, 5}, {100_000, 1260, 100}, {10_000_000, 1200, 10_000}, {7, 1, 10},
	} {
		if got := perCell(tt.n, tt.cells); got != tt.want {
			t.Errorf("%d in %d cells: %d in each, want %d", tt.n, tt.cells, got, tt.want)
		}
	}
}

func TestDraw(t *testing.T) {
	for of, want := range map[string]string{
		"d": "#", "f": "X", "r": ">", "b": "o", "s": "s", ".": ".",
		"dddd": "#", "ddds": "#", "sssd": "s", "dddf": "x", "dfff": "X", "ffdd": "X", "ddr.": ">", "ddb.": "o", "....": ".",
		"d...": "-", "dd..": "=", "ddd.": "+", "sd..": "=",
	} {
		if got := draw([]State(of)).ascii; got != want {
			t.Errorf("%s is %q, want %q", of, got, want)
		}
	}
}

func snapOf(states string, first int64) *Snapshot {
	n := int64(len(states))
	of, err := identity.ParseList(fmt.Sprintf("%d-%d", first, first+n-1))
	if err != nil {
		panic(err)
	}
	return &Snapshot{At: time.Unix(1e9, 0), Of: of, Len: n, States: []State(states), Settled: make([]int64, n), Failures: map[int64]time.Time{}}
}

func TestGrid(t *testing.T) {
	got := newGrid(snapOf(strings.Repeat("d", 23)+"f.", 98), 15, 9).lines(style{})
	want := []string{" 98 ##########", "108 ##########", "118 ###X."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStill: a line for a log is written where something has changed, and time is nothing.
func TestStill(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	v := view{out: out}
	f := &frame{snap: snapOf("dddd....", 0)}
	f.counts = f.snap.Counts()
	draw := func() {
		t.Helper()
		if err := v.draw(f); err != nil {
			t.Fatal(err)
		}
	}
	for i := range f.snap.Settled[:4] {
		f.snap.Settled[i] = f.snap.At.Unix() - 10
	}
	for range 3 { // the rate differs each time
		draw()
		f.snap.At = f.snap.At.Add(time.Minute)
	}
	f.trouble = "no answer"
	draw()
	f.trouble = ""
	draw()
	body, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(body), "\n"); got != 3 {
		t.Errorf("%d lines, want one, one for the trouble and one for its end:\n%s", got, body)
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestFrame: whatever there is to show, and however small the terminal is, no line is
// too wide and none too many, and colours change nothing but the colours.
func TestFrame(t *testing.T) {
	for _, n := range []int{1, 10, 1000, 100_000} {
		states := strings.Repeat("d", n*6/10) + strings.Repeat("f", n/100) + strings.Repeat("s", n/100)
		states += strings.Repeat(".", n-len(states))
		snap := snapOf(states, 0)
		for _, trouble := range []string{"", "no answer: " + strings.Repeat("x\x1b[2J\n", 100)} {
			f := &frame{markers: "s3://bucket/日本/a\x1b]0;x\ay", snap: snap, counts: snap.Counts(), trouble: trouble, says: []string{"pods of 1: ImagePullBackOff", "and more\nand more"}}
			for cols := range 100 {
				for _, rows := range []int{1, 2, 3, 5, 10, 24} {
					plain, color := f.lines(cols, rows, style{unicode: true}), f.lines(cols, rows, style{unicode: true, color: true})
					if len(plain) > rows {
						t.Fatalf("%d lines at %dx%d", len(plain), cols, rows)
					}
					for i, line := range plain {
						if w := columns(line); w > max(1, cols-1) {
							t.Fatalf("%q has %d columns at %dx%d", line, w, cols, rows)
						}
						if diff := cmp.Diff(line, sgr.ReplaceAllString(color[i], "")); diff != "" {
							t.Fatal(diff)
						}
						if screen.Clean(line) != line || strings.Contains(line, "\n") || !utf8.ValidString(line) {
							t.Fatalf("hostile: %q", line)
						}
					}
				}
			}
		}
	}
	if got := (&frame{markers: "m", trouble: "down"}).lines(80, 24, style{}); !cmp.Equal(got, []string{"nth status m", "down; looking again"}) {
		t.Errorf("%q", got)
	}
}

func columns(s string) (n int) {
	for _, r := range s {
		n += wide(r)
	}
	return n
}

// TestFrameShows: the picture is of these indexes.
func TestFrameShows(t *testing.T) {
	snap := snapOf(strings.Repeat("d", 6000)+strings.Repeat(".", 3000)+"f"+strings.Repeat("b", 999), 0)
	f := &frame{markers: "m", snap: snap, counts: snap.Counts()}
	want := `nth status m
6000/10000  60%  1 failed  999 started
a cell is 100 indexes
   0 ##############################
3000 ##############################
6000 ..............................
9000 xooooooooo
# done  X failed  x some failed
failed 9000`
	if diff := cmp.Diff(want, strings.Join(f.lines(40, 10, style{}), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestOver(t *testing.T) {
	for states, want := range map[string]bool{"dds": true, "dd.": false, "ddb": false, "ddr": false, "ddf": true} {
		snap := snapOf(states, 0)
		snap.Failures[2] = snap.At.Add(-time.Hour)
		if got := (&frame{snap: snap, counts: snap.Counts()}).over(); got != want {
			t.Errorf("%s: %v", states, got)
		}
	}
	snap := snapOf("ddf", 0)
	snap.Failures[2] = snap.At.Add(-time.Second) // it may be tried again
	if (&frame{snap: snap, counts: snap.Counts()}).over() {
		t.Error("over a second after a failure")
	}
}

func TestRate(t *testing.T) {
	const now = int64(1e9)
	settled := func(n int, from, step int64) (s []int64) {
		for i := range int64(n) {
			s = append(s, from+i*step)
		}
		return s
	}
	for _, tt := range []struct {
		name    string
		settled []int64
		want    float64
	}{
		{"nothing", []int64{0, 0}, 0},
		{"one a second", settled(600, now-599, 1), 1},
		{"ten a second, from 10 s on", append(settled(50, now-9, 0), settled(50, now, 0)...), 10},
		{"a store whose clock is ahead", settled(600, now+3600-599, 1), 1},
		{"slow", settled(60, now-590, 10), 0.1},
		{"long ago", settled(60, now-9000, 1), 0},
		{"many were done before", append(settled(1000, now-90000, 1), settled(120, now-59, 0)...), 2},
	} {
		snap := &Snapshot{At: time.Unix(now, 0), Settled: tt.settled}
		if got := snap.Rate(); got < tt.want*0.9 || got > tt.want*1.1 {
			t.Errorf("%s: %g, want %g", tt.name, got, tt.want)
		}
	}
}
