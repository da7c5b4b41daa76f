// Package queue measures workers of a list in Redis: nth's, with a lease, a marker and a
// record of each task, beside loops that have none of them.
package queue

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"nth/testdata/bench/rounds"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "queue", About: "tasks of a list in Redis beside --each, and beside loops in Python and sh without leases or records",
	Needs: []string{"redis-server (apt-get install redis-server)", "redis-cli (apt-get install redis-tools)", "python3 (apt-get install python3)"}, Measure: measure,
}

// items are the tasks of a round; what takes many times as long for one gets this part of
// them.
const (
	items = 10_000
	part  = 20
)

func measure(b *rounds.Bench) {
	// Once a second is Redis' own default for a server that keeps what it has.
	redis := servers.StartRedis(b, "appendfsync everysec")
	_, port, err := net.SplitHostPort(redis.Address)
	rounds.Check(err)
	n, few := b.Items(items), b.Items(items/part)
	program, err := exec.LookPath("true") // a shell has one of its own
	rounds.Check(err)
	filled := func(n int) (list string) {
		list = filepath.Base(b.Fresh())
		payloads := make([]string, n)
		for i := range payloads {
			payloads[i] = strconv.Itoa(i)
		}
		redis.Each(b, payloads, "RPUSH", list)
		return list
	}
	// worker is one of nth's.
	worker := func(nth, list, markers string, flags ...string) []string {
		argv := []string{nth, "run", "--log-level=warn", "--tasks=redis://" + redis.Address + "/0?queue=" + list + "&pop=left", "--markers=file://" + markers}
		return append(append(argv, flags...), "--", program, "<<.Task>>")
	}
	jobs := func(nth string) bool {
		argv := worker(nth, "none", b.Fresh(), "--index=0", "--jobs=2")
		return exec.Command(argv[0], argv[1:]...).Run() == nil // there are no tasks; one that can't refuses its flags
	}
	loops := func(script string, n int) rounds.Sample {
		s := rounds.Command{Argv: rounds.Shell(script)}.Run().Items(n)
		delete(s, rounds.Peak.Name) // it would be the shell's
		return s
	}
	b.Measure(rounds.Table{
		Title:   fmt.Sprintf("%s × true from Redis, 2 at a time", rounds.Count(n)),
		Columns: []rounds.Column{rounds.Rate, rounds.CPUItem, rounds.Peak}, Chart: true,
		Ways: []rounds.Way{
			{Name: "nth run --jobs 2, markers", Nth: true, Known: jobs, Do: func(nth string) rounds.Sample {
				return rounds.Command{Argv: worker(nth, filled(n), b.Fresh(), "--index=0", "--jobs=2")}.Run().Items(n)
			}},
			{Name: "nth run, two of them, markers", Nth: true, Do: func(nth string) rounds.Sample {
				list, markers := filled(few), b.Fresh()
				script := ""
				for index := range 2 {
					script += "'" + strings.Join(worker(nth, list, markers, fmt.Sprint("--index=", index)), "' '") + "' & "
				}
				return loops(script+"wait", few)
			}},
			{Name: "nth run --each, markers", Nth: true, Do: func(nth string) rounds.Sample {
				return rounds.Command{Argv: []string{nth, "run", "--log-level=warn", "--index=0", "--completions=1", "--each", "--items=" + strconv.Itoa(n),
					"--jobs=2", "--markers=file://" + b.Fresh(), "--", program, "<<.Item>>"}}.Run().Items(n)
			}},
			{Name: "Python, two loops", Do: func(string) rounds.Sample {
				loop := fmt.Sprintf("python3 %s %s %s %s & ", filepath.Join(harness.Root(), "testdata", "bench", "queue", "loop.py"), port, filled(n), program)
				return loops(loop+loop+"wait", n)
			}},
			{Name: "sh with redis-cli, two loops", Do: func(string) rounds.Sample {
				loop := fmt.Sprintf(`while t=$(redis-cli -p %s lpop %s) && [ -n "$t" ]; do %s "$t"; done & `, port, filled(few), program)
				return loops(loop+loop+"wait", few)
			}},
		},
		Aims: []rounds.Aim{
			{Of: "nth run --jobs 2, markers", Over: "nth run --each, markers", Times: 1 / 0.6},
			{Of: "nth run --jobs 2, markers", Over: "Python, two loops", Times: 1 / 1.2},
		},
	})
}
