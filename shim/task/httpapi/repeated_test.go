package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/task"
)

// TestRepeated: an API that doesn't know the Idempotency-Key answers a call that is repeated,
// for its answer was lost, with what it says of a task that nobody holds. That is the call's
// own doing: a task whose last failure was told so is dead. Net/http repeats what an old
// connection lost by itself. Without a call before, or with one that was refused, it is lost.
func TestRepeated(t *testing.T) {
	abort := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	says := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
	}
	for name, tt := range map[string]struct {
		first func(http.ResponseWriter)
		old   bool   // is the connection
		want  string // of keep, done, the last failure, one before, a release
	}{
		"lost":                      {abort, false, "lost, <nil>, dead, back, back"},
		"lost on an old connection": {abort, true, "lost, <nil>, dead, back, back"},
		"a gateway's":               {says(http.StatusGatewayTimeout), false, "lost, <nil>, dead, back, back"},
		"cut short":                 {cut, false, "<nil>, <nil>, dead, back, back"},
		"refused":                   {says(http.StatusForbidden), false, "lost, lost, lost, lost, lost"},
		"no call before":            {says(http.StatusConflict), false, "lost, lost, lost, lost, lost"},
	} {
		for _, status := range []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				var got []string
				for _, call := range []string{"keep", "done", "last", "fail", "release"} {
					var asked atomic.Int32
					s, server := scripted(t, func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, "/take") {
							attempt := map[string]int{"last": 3}[call]
							fmt.Fprintf(w, `{"id": 7, "payload": "x", "attempt": %d}`, max(attempt, 1))
							return
						}
						if asked.Add(1) == 1 {
							tt.first(w)
							return
						}
						w.WriteHeader(status)
					})
					one, err := s.Take(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if !tt.old {
						s.(*source).client.CloseIdleConnections()
					}
					said := ""
					for range 2 {
						switch call {
						case "keep":
							said = outcome(s.Keep(t.Context(), one))
						case "done":
							said = outcome(s.Done(t.Context(), one))
						case "release":
							said = outcome(s.Release(t.Context(), one))
							said = map[bool]string{true: "back", false: said}[said == "<nil>"]
						default:
							dead, err := s.Fail(t.Context(), one, task.Failure{Reason: "exit code 1"})
							said = outcome(err)
							if err == nil {
								said = map[bool]string{true: "dead", false: "back"}[dead]
							}
						}
						if said != "unreachable" && said != "denied" {
							break
						}
					}
					got = append(got, said)
					server.Close()
				}
				want := tt.want
				if gone := status == http.StatusNotFound || status == http.StatusGone; gone && name == "refused" { // a task that is gone is done, whoever did it
					want = "lost, <nil>, lost, lost, lost"
				}
				if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}
