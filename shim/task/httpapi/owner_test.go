package httpapi

import (
	"errors"
	"slices"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

func unfinished(t *testing.T, s task.Source, want bool) {
	t.Helper()
	if got, err := s.Unfinished(t.Context()); got != want || err != nil {
		t.Errorf("unfinished: %v, %v; want %v", got, err, want)
	}
}

// TestOwner: an API that can't tell who took a task last. A worker believes a task that
// it gave back to be its own until, with the delay over, there is none to take.
func TestOwner(t *testing.T) {
	const delay = 5 * time.Second
	type step struct {
		do   string
		want bool // unfinished then
	}
	for name, steps := range map[string][]step{
		"done":                     {{"none", false}, {"fill", false}, {"take", true}, {"none", true}, {"keep", true}, {"done", false}},
		"dead":                     {{"fill", false}, {"take", true}, {"dead", false}},
		"failed, and taken again":  {{"fill", false}, {"take", true}, {"fail", true}, {"none", true}, {"wait", true}, {"take", true}, {"none", true}, {"done", false}},
		"failed, and done by him":  {{"fill", false}, {"take", true}, {"fail", true}, {"wait", true}, {"other", true}, {"none", false}},
		"failed, and another one":  {{"fill", false}, {"take", true}, {"fail", true}, {"fill", true}, {"take", true}, {"done", true}, {"none", true}, {"wait", true}, {"other", true}, {"none", false}},
		"released":                 {{"fill", false}, {"take", true}, {"release", true}, {"other", true}, {"none", false}},
		"released, and his again":  {{"fill", false}, {"take", true}, {"release", true}, {"take", true}, {"none", true}, {"done", false}},
		"lost, and done by him":    {{"fill", false}, {"take", true}, {"lose", true}, {"other", true}, {"lost", true}, {"none", false}},
		"lost, and nobody's since": {{"fill", false}, {"take", true}, {"lose", true}, {"lost", true}, {"take", true}, {"done", false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := servers.StartTasksAPI(t)
			api.Queue("q")
			lease := time.Minute
			if slices.ContainsFunc(steps, func(s step) bool { return s.do == "lose" }) {
				lease = 400 * time.Millisecond
			}
			mine := settings(api.Address, "q", 0)
			mine.Unfinished = ""
			s := mustOpen(t, mine, task.Options{RunID: "a", Lease: lease, MaxAttempts: 9})
			other := mustOpen(t, settings(api.Address, "q", 1), task.Options{RunID: "b", Lease: time.Minute})
			var one *task.Task
			take := func(s task.Source) (got *task.Task) {
				t.Helper()
				got, err := s.Take(t.Context())
				if err != nil || got == nil {
					t.Fatalf("took %+v, %v", got, err)
				}
				return got
			}
			does := map[string]func() error{
				"fill": func() error { api.Fill("q", []byte("x")); return nil },
				"take": func() error { one = take(s); return nil },
				"none": func() error {
					if got, err := s.Take(t.Context()); got != nil || err != nil {
						t.Errorf("took %+v, %v", got, err)
					}
					return nil
				},
				"keep":    func() error { return s.Keep(t.Context(), one) },
				"done":    func() error { return s.Done(t.Context(), one) },
				"release": func() error { return s.Release(t.Context(), one) },
				"fail": func() error {
					_, err := s.Fail(t.Context(), one, task.Failure{After: delay})
					return err
				},
				"dead": func() error {
					last := *one
					last.Attempt = 9
					_, err := s.Fail(t.Context(), &last, task.Failure{})
					return err
				},
				"wait":  func() error { time.Sleep(delay + 20*time.Millisecond); return nil },
				"lose":  func() error { time.Sleep(lease + 20*time.Millisecond); return nil },
				"other": func() error { return other.Done(t.Context(), take(other)) },
				"lost": func() error {
					if err := s.Keep(t.Context(), one); outcome(err) != "lost" {
						t.Errorf("keep: %v", err)
					}
					return nil
				},
			}
			for _, step := range steps {
				if err := does[step.do](); err != nil {
					t.Fatalf("%s: %v", step.do, err)
				}
				unfinished(t, s, step.want)
			}
		})
	}
}

// TestNoFail: without a URL for failures, the lease's end gives a task back.
func TestNoFail(t *testing.T) {
	api := servers.StartTasksAPI(t)
	api.Queue("q")
	api.Fill("q", []byte("x"))
	const lease = 300 * time.Millisecond
	mine := settings(api.Address, "q", 0)
	mine.Fail, mine.Unfinished = "", ""
	s := mustOpen(t, mine, task.Options{RunID: "a", Lease: lease})
	for attempt := 1; attempt <= 2; attempt++ {
		got, err := s.Take(t.Context())
		if err != nil || got == nil || got.Attempt != attempt {
			t.Fatalf("took %+v, %v", got, err)
		}
		if attempt == 1 {
			if dead, err := s.Fail(t.Context(), got, task.Failure{Reason: "bad"}); dead || !untold(err) {
				t.Errorf("fail: %v, %v", dead, err)
			}
		} else if err := s.Release(t.Context(), got); !untold(err) {
			t.Errorf("release: %v", err)
		}
		unfinished(t, s, true)
		time.Sleep(lease + 20*time.Millisecond)
	}
}

// untold tells whether an error says that there is no way to tell the API.
func untold(err error) bool {
	e, ok := errors.AsType[*contract.Error](err)
	return ok && e.Kind == contract.Invalid && e.Error() == "nobody can be told without --fail-url"
}
