package store_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// TestProbe: each store says whether it honours its conditions, and keeps nothing.
func TestProbe(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t))
			if err := s.Probe(t.Context(), "probe.json"); p.replaces {
				must(t, "probe", err)
			} else {
				wantKind(t, "probe", err, contract.Unsupported)
			}
			wantEmpty(t, s)
		})
	}
}

func wantEmpty(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, "list", s.List(context.Background(), "", func(key string, _ int64, _ time.Time) error {
		t.Errorf("%s is left", key)
		return nil
	}))
}

// TestProbeMisbehaving: a server that accepts what it should refuse is found out,
// and what it wrote is removed, also when the caller has no time left.
func TestProbeMisbehaving(t *testing.T) {
	server := gcsServer(t)
	// The n-th write is sent without its condition, or answered by nobody.
	at := func(n int, action servers.Action) *store.Store {
		writes := 0
		s, _ := gcsThrough(t, server, func(_ int, r *http.Request) servers.Action {
			if r.Method != http.MethodPost {
				return nil
			}
			if writes++; writes == n {
				return action
			}
			return nil
		})
		return s
	}
	overwrite := func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Del("ifGenerationMatch")
		r.URL.RawQuery = q.Encode()
		servers.Pass(f, w, r)
	}
	for name, c := range map[string]struct {
		s    *store.Store
		kind contract.Kind
	}{
		"create again is accepted":     {at(2, overwrite), contract.Unsupported},
		"an outdated one is replaced":  {at(4, overwrite), contract.Unsupported},
		"no answer to the replacement": {at(3, servers.LoseReply), contract.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			wantKind(t, "probe", c.s.Probe(t.Context(), "probe.json"), c.kind)
			wantEmpty(t, c.s)
		})
	}
	s := at(3, servers.Stall)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	wantKind(t, "probe", s.Probe(ctx, "probe.json"), contract.Unreachable)
	wantEmpty(t, s)
}
