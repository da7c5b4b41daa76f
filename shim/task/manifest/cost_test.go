package manifest

import (
	"iter"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/servers"
)

// weighed counts what is sent, before it is: who has read it finds it counted.
type weighed struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (w weighed) Write(p []byte) (int, error) {
	w.sent.Add(int64(len(p)))
	return w.ResponseWriter.Write(p)
}

// weighing gives an S3 server with a file, which counts the bytes that it sends.
func weighing(t *testing.T, name, content string) (*s3, *atomic.Int64) {
	t.Helper()
	s, sent := startS3(t), &atomic.Int64{}
	s.decide = func(r *http.Request) servers.Action {
		if r.Method != http.MethodGet {
			return nil
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) { servers.Pass(f, weighed{w, sent}, r) }
	}
	s.Put(t, "data", "in/"+name, []byte(content))
	return s, sent
}

// TestCostOfParts: as TestCost, of readers that share the rows out.
func TestCostOfParts(t *testing.T) {
	text := body(manyRows)
	const batch, readers = 10_000, 3
	parts := func(rows int64) iter.Seq[Part] {
		return func(yield func(Part) bool) {
			for i := range int64(readers) {
				if !yield(Part{rows * i / readers, rows * (i + 1) / readers}) {
					return
				}
			}
		}
	}
	for name, content := range map[string]string{"a.csv": forms["a.csv"](text), "many.csv.gz": forms["many.csv.gz"](text), "small.csv": "id\n" + "1\n2\n3\n"} {
		t.Run(name, func(t *testing.T) {
			s, sent := weighing(t, name, content)
			foreteller, _ := opened(t, s.url("in/"+name), nil)
			cost, err := foreteller.CostOfParts(t.Context(), batch, parts)
			if err != nil {
				t.Fatal(err)
			}
			read := func(markers *store.Store) int64 {
				before := sent.Load()
				for part := range parts(cost.Rows) {
					m, _ := opened(t, s.url("in/"+name), markers)
					if n, err := m.Len(t.Context()); err != nil || n != cost.Rows {
						t.Fatal(n, err)
					}
					if _, err := m.Row(t.Context(), part.From); err != nil {
						t.Fatal(err)
					}
					for from := part.From; from < part.To; from = (from/batch + 1) * batch {
						if err := m.Rows(t.Context(), from, min((from/batch+1)*batch, part.To), func(int64, Row) error { return nil }); err != nil {
							t.Fatal(err)
						}
					}
				}
				return sent.Load() - before
			}
			first, _ := opened(t, s.url("in/"+name), s.markers())
			if _, err := first.Len(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := Cost{Size: int64(len(content)), Rows: cost.Rows, Kept: name != "small.csv", Indexed: read(s.markers()), Scanned: read(nil)}
			if diff := cmp.Diff(want, cost); diff != "" || want.Scanned == 0 {
				t.Error(diff)
			}
		})
	}
}

// TestCost: what is foretold is what readers read.
func TestCost(t *testing.T) {
	text := body(manyRows)
	readers := []int64{0, 999, 1000, 5500, 12_344}
	for name, content := range map[string]string{"a.csv": forms["a.csv"](text), "many.csv.gz": forms["many.csv.gz"](text), "small.csv": "id\n" + "1\n2\n3\n"} {
		t.Run(name, func(t *testing.T) {
			s, sent := weighing(t, name, content)
			foreteller, _ := opened(t, s.url("in/"+name), nil)
			rows := slices.Values(append(slices.Clone(readers), manyRows)) // and one that is beyond the end
			cost, err := foreteller.Cost(t.Context(), rows)
			if err != nil {
				t.Fatal(err)
			}
			there := slices.DeleteFunc(slices.Clone(readers), func(i int64) bool { return i >= cost.Rows })
			first, _ := opened(t, s.url("in/"+name), s.markers())
			if _, err := first.Len(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent.Store(0)
			for _, i := range there {
				m, _ := opened(t, s.url("in/"+name), s.markers())
				if _, err := m.Row(t.Context(), i); err != nil {
					t.Fatal(err)
				}
			}
			want := Cost{Size: int64(len(content)), Rows: manyRows, Kept: true, Indexed: sent.Load(), Scanned: cost.Scanned}
			if name == "small.csv" {
				want = Cost{Size: want.Size, Rows: 3, Indexed: sent.Load(), Scanned: sent.Load()}
			}
			if diff := cmp.Diff(want, cost); diff != "" || sent.Load() == 0 {
				t.Errorf("%d bytes were sent: %s", sent.Load(), diff)
			}
			last, err := foreteller.Cost(t.Context(), slices.Values([]int64{cost.Rows - 1}))
			if err != nil || last.Scanned != cost.Size {
				t.Errorf("to scan up to the last row is %d of %d bytes, %v", last.Scanned, cost.Size, err)
			}
		})
	}
}
