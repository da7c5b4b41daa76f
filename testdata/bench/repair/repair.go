// Package repair measures what is done to very many indexes at once: nth plan, nth status of
// a million markers that a server makes up, beside the requests alone, and nth mark and nth
// reset on a real S3 server beside rclone, which puts and deletes as many objects.
package repair

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"nth/testdata/bench/bare"
	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "repair", About: "nth plan and status of a million indexes; mark and reset beside rclone",
	Needs: []string{"minio (./testdata/test status installs it)", "rclone (apt-get install rclone)"}, Measure: measure,
}

// How many there are: of those that are planned and looked at, and of those that are changed.
const indexes, changed = 1_000_000, 100_000

func measure(b *rounds.Bench) {
	n := b.Items(indexes)
	b.Measure(rounds.Table{Title: fmt.Sprintf("a plan of %s indexes", rounds.Count(n)), Columns: []rounds.Column{rounds.Rate, rounds.CPUItem, rounds.Peak}, Ways: []rounds.Way{
		{Name: "nth plan", Nth: true, Do: func(nth string) rounds.Sample {
			return rounds.Command{Argv: []string{nth, "plan", "--completions", strconv.Itoa(n), "--", "process_file", "/data/file_<<.Index>>.txt"}, Sink: true}.Run().Items(n)
		}},
	}})
	madeUp(b, n)
	onS3(b, b.Items(changed))
}

// madeUp lists markers that are nowhere.
func madeUp(b *rounds.Bench, n int) {
	e := servers.StartMarkers(b, n)
	var mu sync.Mutex
	var asked []string
	through := servers.StartFault(b, strings.TrimPrefix(e.URL, "http://"), func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.RequestURI())
		return nil
	})
	status := func(nth, url string) rounds.Sample {
		return rounds.Command{Argv: []string{nth, "status", "--completions", strconv.Itoa(n), "--markers", strings.Replace(e.Place(), e.URL, url, 1)}}.Run().Sample()
	}
	status(b.Nth, through.URL)
	same := b.Fresh()
	rounds.Check(os.WriteFile(same, []byte(strings.Join(asked, "\n")), 0o600))
	b.Measure(rounds.Table{Title: fmt.Sprintf("%s markers that a server makes up", rounds.Count(n)), Columns: []rounds.Column{rounds.Seconds, rounds.CPU, rounds.Peak}, Ways: []rounds.Way{
		{Name: "nth status", Nth: true, Do: func(nth string) rounds.Sample { return status(nth, e.URL) }},
		{Name: "the same requests alone", Do: func(string) rounds.Sample {
			return rounds.Command{Argv: bare.Requests(strings.TrimPrefix(e.URL, "http://"), same)}.Run().Sample()
		}},
	}})
}

// onS3 writes and deletes one small object for each index.
func onS3(b *rounds.Bench, n int) {
	minio := servers.StartMinIO(b)
	minio.Bucket(b, "bench")
	from := b.TempDir()
	for i := range n {
		body := fmt.Sprintf(`{"version": 1, "index": %d, "run_id": "20260101t000000z-0123456789abcdef", "command": [], "outcome": "done", "source": "mark", "marked_by": "bench"}`, i)
		rounds.Check(os.WriteFile(fmt.Sprintf("%s/%d.json", from, i), []byte(body), 0o600))
	}
	rclone := func(words ...string) rounds.Sample {
		env := []string{"RCLONE_CONFIG_B_TYPE=s3", "RCLONE_CONFIG_B_PROVIDER=Minio", "RCLONE_CONFIG_B_ENV_AUTH=true", "RCLONE_CONFIG_B_REGION=us-east-1", "RCLONE_CONFIG_B_ENDPOINT=http://" + minio.Address}
		argv := append([]string{"rclone", "--config", os.DevNull, "--transfers=64", "--checkers=64", "--s3-no-head", "--no-check-dest"}, words...)
		return rounds.Command{Argv: argv, Env: env}.Run().Items(n)
	}
	columns := []rounds.Column{rounds.Rate, rounds.CPUItem, rounds.Peak}
	places := map[string]string{} // of each build
	for _, nth := range []string{b.Nth, b.Against} {
		places[nth] = minio.URL("bench", fmt.Sprintf("m%d", len(places)))
	}
	mark := func(nth string) rounds.Sample {
		return rounds.Command{Argv: []string{nth, "mark", "--completions", strconv.Itoa(n), "--all", "--yes", "--reason", "bench", "--markers", places[nth]}}.Run().Items(n)
	}
	reset := func(nth string) rounds.Sample {
		return rounds.Command{Argv: []string{nth, "reset", "--all", "--yes", "--markers", places[nth]}}.Run().Items(n)
	}
	put := func() rounds.Sample { return rclone("copy", from, "b:bench/rclone") }
	remove := func() rounds.Sample { return rclone("delete", "b:bench/rclone") }
	b.Measure(rounds.Table{Title: fmt.Sprintf("%s markers by hand on S3", rounds.Count(n)), Columns: columns, Ways: []rounds.Way{
		{Name: "nth mark", Nth: true, Do: func(nth string) rounds.Sample {
			defer reset(nth)
			return mark(nth)
		}},
		{Name: "rclone copy", Do: func(string) rounds.Sample {
			defer remove()
			return put()
		}},
	}, Aims: []rounds.Aim{{Of: "nth mark", Over: "rclone copy", Times: 1.1}}})
	b.Measure(rounds.Table{Title: fmt.Sprintf("%s markers deleted on S3", rounds.Count(n)), Columns: columns, Ways: []rounds.Way{
		{Name: "nth reset", Nth: true, Do: func(nth string) rounds.Sample {
			mark(nth)
			return reset(nth)
		}},
		{Name: "rclone delete", Do: func(string) rounds.Sample {
			put()
			return remove()
		}},
	}, Aims: []rounds.Aim{{Of: "nth reset", Over: "rclone delete", Times: 1.1}}})
}
