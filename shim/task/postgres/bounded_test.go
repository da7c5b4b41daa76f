package postgres

import (
	"encoding/json"
	"testing"
	"time"

	"nth/testdata/servers"
)

// plan is a part of what the server tells of how it carried out a statement.
type plan struct {
	Rows    float64 `json:"Actual Rows"`
	Removed float64 `json:"Rows Removed by Filter"`
	Loops   float64 `json:"Actual Loops"`
	Plans   []plan
}

func (p plan) examined() (rows int) {
	rows = int((p.Rows + p.Removed) * p.Loops)
	for _, part := range p.Plans {
		rows += part.examined()
	}
	return rows
}

// TestBounded: however many tasks are delayed, held, or have a lease that ended, a take
// looks at a few rows, and so does the look for unfinished ones.
func TestBounded(t *testing.T) {
	const most = 50
	server := servers.StartPostgres(t)
	for name, crowd := range map[string][]string{
		"delayed, its own":      {"'ready', 1, now() + interval '1 day', 'r', 1"},
		"delayed, another's":    {"'ready', 1, now() + interval '1 day', 'r', 2"},
		"held by others":        {"'running', 1, now() + interval '1 day', 'r', 2"},
		"their leases ended":    {"'running', 1, now() - interval '1 day', 'r', 2"},
		"their last ones ended": {"'running', 3, now() - interval '1 day', 'r', 2"},
		"done":                  {"'done', 1, now(), 'r', 1"},
		"delayed and held":      {"'ready', 1, now() + interval '1 day', 'r', 1", "'running', 1, now() + interval '1 day', 'r', 2"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, server)
			for _, each := range crowd {
				server.Exec(t, "INSERT INTO "+q.table+" (payload, state, attempt, due, run_id, worker) SELECT 'x', "+each+" FROM generate_series(1, 50000)")
			}
			server.Exec(t, "ANALYZE "+q.table)
			sql := statementsFor(q.table)
			for what, call := range map[string][]any{
				"take":       {sql.take, micros(time.Minute), "a", int64(1), int64(3), false},
				"take again": {sql.take, micros(time.Minute), "a", int64(1), int64(3), true},
				"unfinished": {sql.unfinished, int64(1)},
			} {
				var text []byte
				if err := server.DB.QueryRow("EXPLAIN (ANALYZE, FORMAT JSON) "+call[0].(string), call[1:]...).Scan(&text); err != nil {
					t.Fatal(err)
				}
				var whole []struct{ Plan plan }
				if err := json.Unmarshal(text, &whole); err != nil || len(whole) != 1 {
					t.Fatalf("%v: %s", err, text)
				}
				if n := whole[0].Plan.examined(); n > most {
					t.Errorf("%s: %d rows were looked at: %s", what, n, text)
				}
			}
		})
	}
}
