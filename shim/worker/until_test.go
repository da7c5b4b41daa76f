package worker

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"nth/shim/config"
)

// TestUntil: tasks are taken until shortly before the job ends, where the platform tells when
// that is; what --max-runtime says goes before it, and 0 is without end there too.
func TestUntil(t *testing.T) {
	in := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) } // synctest's clock has whole seconds
	for _, tt := range []struct {
		name string
		ends func() string
		told *time.Duration
		want until
		says string
	}{
		{"nothing", func() string { return "" }, nil, until{}, ""},
		{"an hour", func() string { return in(time.Hour) }, nil, until{59 * time.Minute, "SLURM_JOB_END_TIME"}, "tasks are taken until shortly before the job's end"},
		{"a minute", func() string { return in(time.Minute) }, nil, until{54 * time.Second, "SLURM_JOB_END_TIME"}, `"until":"2000-01-01T00:00:54Z"`},
		{"no limit is a year", func() string { return in(365 * 24 * time.Hour) }, nil, until{365*24*time.Hour - time.Minute, "SLURM_JOB_END_TIME"}, ""},
		{"it is over", func() string { return in(-time.Second) }, nil, until{}, "SLURM_JOB_END_TIME is over, and ignored"},
		{"it is over now", func() string { return in(0) }, nil, until{}, "SLURM_JOB_END_TIME is over, and ignored"},
		{"a date", func() string { return "2026-11-28T13:47:32" }, nil, until{}, `SLURM_JOB_END_TIME is ignored`},
		{"milliseconds", func() string { return in(time.Hour) + "000" }, nil, until{}, `is no Unix time`},
		{"--max-runtime", func() string { return in(time.Hour) }, new(10 * time.Minute), until{10 * time.Minute, "--max-runtime"}, ""},
		{"--max-runtime beyond it", func() string { return in(time.Minute) }, new(10 * time.Minute), until{10 * time.Minute, "--max-runtime"}, ""},
		{"--max-runtime 0", func() string { return in(time.Minute) }, new(time.Duration(0)), until{0, "--max-runtime"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := placeOf(nil, config.Tasks{MaxRuntime: tt.told}).worker
				value := tt.ends()
				w.LookupEnv = func(name string) (string, bool) { return value, name == "SLURM_JOB_END_TIME" }
				var log bytes.Buffer
				w.Log = zerolog.New(&log)
				got := w.ends()
				if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(until{}), cmpopts.EquateEmpty()); diff != "" {
					t.Error(diff)
				}
				if !strings.Contains(log.String(), tt.says) || strings.Contains(log.String(), `"warn"`) != (tt.want.by == "" && tt.says != "") {
					t.Errorf("the log says %q, want %q", log.String(), tt.says)
				}
				w.until = got
				if tt.want.most == 0 {
					return
				}
				time.Sleep(tt.want.most - time.Second)
				early := w.enough(0)
				time.Sleep(time.Second)
				if late := w.enough(0); early != "" || late != tt.want.by {
					t.Errorf("%q a second before that, and %q then", early, late)
				}
			})
		})
	}
}
