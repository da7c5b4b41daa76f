package rounds

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bench is one of two builds, which measures what it is told: each round is slower than the
// last one, for all alike.
func bench() (*Bench, *bytes.Buffer, func(cost ...float64) func(string) Sample) {
	var out bytes.Buffer
	b := &Bench{Nth: "new", Against: "old", Rounds: 3, out: &out, subject: "sums"}
	costs := func(cost ...float64) func(string) Sample {
		turn := map[string]float64{}
		return func(nth string) Sample {
			turn[nth]++
			c := cost[0]
			if nth == "old" {
				c = cost[1]
			}
			return Sample{"s": c * turn[nth], "MB": c}
		}
	}
	return b, &out, costs
}

func TestMeasure(t *testing.T) {
	b, out, costs := bench()
	b.Measure(Table{
		Title: "3 sums", Columns: []Column{{Name: "s", Digits: 1}, {Name: "MB", Show: Most}},
		Ways: []Way{
			{Name: "nth", Nth: true, Do: costs(2, 5000)},
			{Name: "nth --new", Nth: true, Known: func(nth string) bool { return nth == "new" }, Do: costs(1)},
			{Name: "peer", Turns: 2, Do: costs(4), Once: func(string) Sample { return Sample{"MB": 7} }},
		},
		Aims: []Aim{{Of: "nth", Times: 0.5}, {Of: "nth", Over: "peer", Times: 0.4}, {Of: "nth", Over: "nobody", Times: 1}},
	})
	want := strings.TrimLeft(`
left out: nth --new (against), which this build doesn't know
sums: 3 sums
                                         s     MB     × nth  × its time now
  nth                          2.0/4.0/6.0      2      1.00
  nth (against)  5,000.0/10,000.0/15,000.0  5,000  2,500.00        2,500.00
  nth --new                    1.0/2.0/3.0      1      0.50
  peer                         4.0/8.0/8.0      7      2.00
  aim met: nth takes 0.000 times as long as nth (against), at most 0.500
  aim MISSED: nth takes 0.500 times as long as peer, at most 0.400

`, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestRate: where more is better, a ratio is one of times all the same.
func TestRate(t *testing.T) {
	b, _, _ := bench()
	b.Against = ""
	rate := func(n float64) func(string) Sample { return func(string) Sample { return Sample{Rate.Name: n} } }
	b.Measure(Table{Columns: []Column{Rate, Peak}, Base: "b", Ways: []Way{{Name: "a", Do: rate(100)}, {Name: "b", Do: rate(50)}}})
	r := b.Results[0]
	if r.Base != "b" || r.Rows[0].Times.Median != 0.5 || r.Rows[0].Cells[1] != nil {
		t.Errorf("%+v", r.Rows[0])
	}
}

// TestPublish: what is measured again is replaced, another build's figures aren't kept,
// and the page keeps what isn't measured.
func TestPublish(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(Page, "# Speed\n<!-- bench: sums -->\nold\n<!-- bench end -->\nwords\n<!-- bench: other -->\n<!-- bench end -->\n")
	write(Figures, `[{"subject": "sums", "title": "of long ago"}, {"subject": "hidden", "title": "not on the page"}]`)
	b, _, costs := bench()
	b.Measure(Table{Title: "3 <sums> & more", Chart: true, Columns: []Column{{Name: "s"}}, Ways: []Way{{Name: "nth", Nth: true, Do: costs(2, 4)}, {Name: "peer", Do: costs(3)}},
		Aims: []Aim{{Of: "nth", Times: 1}}})
	r := b.Results[0]
	r.Date, r.CPUs, r.System = "2026-01-02", 2, "Linux"
	for range 2 {
		if err := Publish(root, b.Results); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) string {
		body, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	want := strings.TrimLeft(`
# Speed
<!-- bench: sums -->
3 <sums> & more (2 cores, Linux, one machine, 2026-01-02):

|  | s | × nth |
| --- | ---: | ---: |
| nth | 4 | 1.00 |
| peer | 6 | 1.50 |
<!-- bench end -->
words
<!-- bench: other -->
<!-- bench end -->
`, "\n")
	if diff := cmp.Diff(want, read(Page)); diff != "" {
		t.Error(diff)
	}
	results, err := Read(filepath.Join(root, Figures))
	if err != nil || len(results) != 2 || len(results[1].Rows) != 2 || len(results[1].Aims) != 0 || results[0].Subject != "hidden" {
		t.Errorf("%v %+v", err, results)
	}
	if drawing := read(Drawing); !strings.Contains(drawing, "3 &lt;sums&gt; &amp; more") || strings.Contains(drawing, "against") {
		t.Error(drawing)
	}
}
