package check

import (
	"errors"
	"slices"
	"sort"

	"nth/shim/failure"
)

// Status is how a probe ended.
type Status string

// How a probe ends: well, with an error, or before it was asked.
const (
	OK      Status = "ok"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Result is the answer to one question.
type Result struct {
	ID           string       `json:"id"`
	What         string       `json:"what"`
	Needed       bool         `json:"needed"` // markers can't do without
	Status       Status       `json:"status"`
	Milliseconds float64      `json:"ms"` // of the try that went well, else of all
	Tries        int          `json:"tries"`
	Code         failure.Code `json:"code,omitempty"`
	Why          string       `json:"why,omitempty"`
	Hint         string       `json:"hint,omitempty"`
	Permission   string       `json:"permission,omitempty"` // the usual name of what is missing
}

// Use is something that nth does with a store, and whether this one can serve it.
type Use struct {
	Name string `json:"name"`
	Yes  bool   `json:"yes"`
	Why  string `json:"why,omitempty"` // if not
}

// Report is all that was found out.
type Report struct {
	URL       string   `json:"url"`
	Results   []Result `json:"results"`
	Uses      []Use    `json:"uses"`
	Missing   []string `json:"missing"`       // permissions
	RoundTrip float64  `json:"round_trip_ms"` // the median of single requests
	Left      []Left   `json:"left"`
	Made      bool     `json:"made"` // the directory, which was not there
	ExitCode  int      `json:"exit_code"`

	err       error
	listTells bool // who may not list gets a refusal for an absent key
}

// Left is a probe that could not be removed.
type Left struct {
	URL string `json:"url"`
	Why string `json:"why"`
}

// uses are what a store can serve, with the probes that must have gone well.
var uses = []struct {
	name  string
	needs []string
}{
	{"--markers", nil}, // and those that are needed
	{"--on-change=rerun", []string{"replace", "replace-outdated"}},
	{"--record-start and failure records", []string{"overwrite"}},
	{"--claim", []string{"replace", "replace-outdated"}},
	{"server-side copy", []string{"copy"}},
}

// Err is nil when all that markers need goes well, else a failure with the exit
// code that a run would end with.
func (r *Report) Err() error { return r.err }

func (r *Report) result(id string) *Result {
	for i := range r.Results {
		if r.Results[i].ID == id {
			return &r.Results[i]
		}
	}
	return nil
}

func (r *Report) conclude(stopped error) {
	markers := ""
	for _, p := range probes {
		if p.needed && markers == "" {
			markers = r.lacks(p.id)
		}
	}
	r.Uses = []Use{}
	for _, u := range uses {
		why := markers
		for _, id := range u.needs {
			if why == "" {
				why = r.lacks(id)
			}
		}
		r.Uses = append(r.Uses, Use{Name: u.name, Yes: why == "", Why: why})
	}
	r.Missing = r.missing()
	r.RoundTrip = r.median()
	r.err = r.failure(stopped)
	if r.err != nil {
		r.ExitCode = int(failure.From(r.err).Code)
	}
}

// lacks tells what a use can't do; "" if it can.
func (r *Report) lacks(id string) string {
	switch x := r.result(id); {
	case x == nil:
		return whatOf(id) + ": not asked"
	case x.Status != OK:
		return x.What + ": " + string(x.Status)
	}
	return ""
}

// missing names the permissions that were refused. What is said of an absent key
// is said of the right to list as well, and the other probes tell which it is.
func (r *Report) missing() []string {
	names := []string{}
	list := r.result("list")
	for _, x := range r.Results {
		if x.Permission == "" || x.ID == first && r.listTells && list != nil && list.Permission != "" {
			continue
		}
		if !slices.Contains(names, x.Permission) {
			names = append(names, x.Permission)
		}
	}
	return names
}

func (r *Report) median() float64 {
	var all []float64
	for _, x := range r.Results {
		if x.Status == OK && slices.Contains(oneCall, x.ID) {
			all = append(all, x.Milliseconds)
		}
	}
	if len(all) == 0 {
		return 0
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all[len(all)/2]
}

func (r *Report) failure(stopped error) error {
	if stopped != nil {
		f := *failure.From(stopped)
		f.On = r.URL
		return &f
	}
	for _, x := range r.Results {
		if x.Needed && x.Status == Failed {
			return &failure.Failure{Code: x.Code, Tried: "check the store", On: r.URL,
				Cause: errors.New(x.What + ": " + x.Why), Hint: x.Hint}
		}
	}
	return nil
}
