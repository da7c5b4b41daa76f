package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTogether(t *testing.T) {
	many := make([]ItemUsed, 200) // the last two are far above the others
	for i := range many {
		many[i] = ItemUsed{DurationS: 10, CPUS: float64(i+1) / 100, Memory: int64(i+1) << 20}
	}
	many[198].CPUS, many[199].CPUS = 100, 400
	for _, tt := range []struct {
		name string
		all  []ItemUsed
		want *DoneUsed
	}{
		{"none", nil, nil},
		{"only what was skipped", []ItemUsed{{DurationS: 1, CPUS: 1, Memory: 1 << 30, Skipped: true}}, nil},
		{"one", []ItemUsed{{DurationS: 2, CPUS: 3, Memory: 100 << 20}, {DurationS: 9, CPUS: 99, Memory: 1 << 40, Skipped: true}},
			&DoneUsed{1, Figures{2, 2, 2}, Figures{3, 3, 3}, &Figures{1.5, 1.5, 1.5}, &Figures{100 << 20, 100 << 20, 100 << 20}, Requests{"1500m", "152Mi"}}},
		{"rounded up", []ItemUsed{{DurationS: 3, CPUS: 1, Memory: 1}},
			&DoneUsed{1, Figures{3, 3, 3}, Figures{1, 1, 1}, &Figures{1. / 3, 1. / 3, 1. / 3}, &Figures{1, 1, 1}, Requests{"340m", "33Mi"}}},
		{"hardly any CPU", []ItemUsed{{DurationS: 1000}}, &DoneUsed{1, Figures{1000, 1000, 1000}, Figures{}, &Figures{}, nil, Requests{"10m", ""}}},
		{"what nobody measured", []ItemUsed{{DurationS: 1e-308, CPUS: 1e308}, {DurationS: 3, CPUS: 1, Memory: 1<<63 - 1}},
			&DoneUsed{1, Figures{3, 3, 3}, Figures{1, 1, 1}, &Figures{1. / 3, 1. / 3, 1. / 3}, nil, Requests{"340m", ""}}},
		{"nothing measured", []ItemUsed{{}}, &DoneUsed{1, Figures{}, Figures{}, nil, nil, Requests{}}},
		{"two in 200", many, &DoneUsed{200, Figures{10, 10, 10}, Figures{1.01, 1.98, 400}, &Figures{0.101, 0.198, 40}, &Figures{101 << 20, 198 << 20, 200 << 20}, Requests{"200m", "272Mi"}}},
	} {
		if diff := cmp.Diff(tt.want, together(tt.all)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
