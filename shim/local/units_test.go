package local

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/screen"
	"nth/shim/task"
)

func TestRender(t *testing.T) {
	tests := []struct {
		name  string
		t     tally
		width int
		rate  float64
		color bool
		want  string
	}{
		{"all of it", tally{50, 2, 100, 4}, 79, 2, false, "[##############--------------] 52/100  52%  2 failed  4 running  2.0/s  ETA 24s"},
		{"narrow", tally{50, 2, 100, 4}, 40, 2, false, "52/100  52%  2 failed  4 running  2.0/s"},
		{"narrower", tally{50, 2, 100, 4}, 12, 2, false, "52/100  52%"},
		{"nothing fits", tally{50, 2, 100, 4}, 3, 2, false, "52/"},
		{"no width", tally{50, 2, 100, 4}, 0, 2, false, ""},
		{"negative", tally{50, 2, 100, 4}, -1, 2, false, ""},
		{"colour", tally{50, 2, 100, 4}, 30, 0, true, "52/100  52%  \x1b[31m2 failed\x1b[0m"},
		{"slow", tally{1, 0, 100_000, 4}, 60, 0.01, false, "[-----------] 1/100000  0%  4 running  0.6/min  ETA 2777h45m"},
		{"the end", tally{100, 0, 100, 0}, 60, 9, false, "[##########################] 100/100  100%  0 running  9.0/s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, cols := tt.t.bar(tt.rate).Render(tt.width, tt.color)
			if d := cmp.Diff(tt.want, string(text)); d != "" {
				t.Error(d)
			}
			if cols > max(0, tt.width) {
				t.Errorf("%d columns", cols)
			}
		})
	}
}

func TestRateForgets(t *testing.T) {
	var m screen.Meter
	at := time.Unix(0, 0)
	m.Sample(at, 1000) // a thousand were done already
	for i := range int64(100) {
		at = at.Add(time.Second)
		m.Sample(at, 1000+2*(i+1))
	}
	if got := m.Rate(at, 1200); got != 2 {
		t.Error(got)
	}
}

// TestBacklog: the bar of a queue, by what it was told when.
func TestBacklog(t *testing.T) {
	workers := tally{0, 0, 8, 4}
	for _, tt := range []struct {
		name   string
		counts []task.Counts // a second apart
		gone   bool          // the last one failed
		want   string
	}{
		{"not counted yet", nil, false, "0/8  0%  4 running"},
		{"at the beginning", []task.Counts{{Left: 100, Dead: 7}}, false, "0/100  0%  100 tasks left  4 running"},
		{"on the way", []task.Counts{{Left: 100, Dead: 7}, {Left: 90, Dead: 7}, {Left: 80, Dead: 8}}, false, "20/100  20%  80 tasks left  1 put aside  4 running  10.0/s  ETA 8s"},
		{"filled meanwhile", []task.Counts{{Left: 100}, {Left: 500}, {Left: 400}}, false, "100/500  20%  400 tasks left  4 running  50.0/s  ETA 8s"},
		{"empty from the first", []task.Counts{{}}, false, "0/8  0%  4 running"},
		{"all done", []task.Counts{{Left: 2}, {}}, false, "2/2  100%  0 tasks left  4 running  2.0/s"},
		{"not counted any more", []task.Counts{{Left: 2}}, true, "0/8  0%  4 running"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b backlog
			at := time.Unix(1000, 0)
			for i, c := range tt.counts {
				at = time.Unix(1000+int64(i), 0)
				b.counted(at, c)
			}
			b.known = b.known && !tt.gone
			text, _ := b.bar(at, workers.bar(0)).Render(85, false)
			_, line, _ := strings.Cut(string(text), "] ")
			if line == "" {
				line = string(text)
			}
			if d := cmp.Diff(tt.want, line); d != "" {
				t.Error(d)
			}
		})
	}
}
