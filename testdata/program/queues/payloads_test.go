//go:build linux

package queues

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"nth/shim/marker"
	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// work runs a worker to its end.
func (s *scene) work(flags []string, command ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	args := slices.Concat([]string{"run", "--markers=" + s.markers}, s.flags, flags, []string{"--"}, command)
	return program.Nth(s.t, append(program.Secrets, "JOB_COMPLETION_INDEX=0"), args...)
}

// read gives every document below a folder of the markers.
func (s *scene) read(folder string) (documents [][]byte) {
	s.t.Helper()
	err := filepath.WalkDir(s.path("markers/"+folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		documents = append(documents, body)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return documents
}

// payloads are what tasks may be made of, and a bad one.
var payloads = []struct {
	name string
	do   func(t *testing.T, q *filledQueue)
}{
	{"long", longPayload},
	{"control characters", controlCharacters},
	{"not of the form", badForm},
	{"on one machine", onOneMachine},
	{"never shown", neverShown},
	{"fails for ever", failsForEver},
}

func TestQueuePayloads(t *testing.T) {
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			q := kind.start(t)
			for _, p := range payloads {
				t.Run(p.name, func(t *testing.T) { p.do(t, q) })
			}
		})
	}
}

// longPayload: of 10 MiB, which no variable holds.
func longPayload(t *testing.T, q *filledQueue) {
	payload := bytes.Repeat([]byte("0123456789abcde\n"), 10<<20/16)
	if q.text {
		payload = payload[:200<<10]
	}
	s := newScene(t, q)
	q.fill(string(payload))
	stdout, stderr, code := s.work([]string{"--task-stdin"}, "sh", "-c", `sha256sum <"$NTH_ITEM_TASK_FILE"; sha256sum; echo "${NTH_ITEM_TASK-not set}"`)
	sum := sha256.Sum256(payload)
	want := fmt.Sprintf("%x  -\n%x  -\nnot set\n", sum, sum)
	if diff := cmp.Diff(want, stdout); diff != "" || code != 0 {
		t.Errorf("exit code %d (-want +got):\n%s%s", code, diff, stderr)
	}
	s.done(1)
}

// controlCharacters: all bytes, in some order, and a line break at the end.
func controlCharacters(t *testing.T, q *filledQueue) {
	payload := "\t\"<&>' $(x) \\ ä\u2028 \r\n"
	if !q.text {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		payload = string(all) + payload
	}
	s := newScene(t, q)
	q.fill(payload)
	stdout, stderr, code := s.work([]string{"--task-stdin"}, "cat")
	if diff := cmp.Diff([]byte(payload), []byte(stdout)); diff != "" || code != 0 {
		t.Errorf("exit code %d (-want +got):\n%s%s", code, diff, stderr)
	}
	s.done(1)
}

// buried: the tasks that were put aside since then.
func (s *scene) buried(before, want int) {
	s.t.Helper()
	if n, left := s.q.dead()-before, s.q.left()-s.q.dead(); n != want || left != 0 {
		s.t.Errorf("%d tasks are dead, want %d; %d others are left", n, want, left)
	}
}

// badForm: a field is wanted of what has none; the others are done.
func badForm(t *testing.T, q *filledQueue) {
	s, before := newScene(t, q, "--max-attempts=1"), q.dead()
	q.fill("[1]", `{"x": 2}`, "x")
	stdout, stderr, code := s.work(nil, "echo", "<<.Task.x>>")
	if code != 65 || stdout != "2\n" || !strings.Contains(stderr, "no JSON object") || !strings.Contains(stderr, "2 put aside for failing too often") {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
	s.buried(before, 2)
	if done, failed := len(s.read("done/tasks")), len(s.read("failed/tasks")); done != 1 || failed != 2 {
		t.Errorf("%d markers and %d failures, want 1 and 2", done, failed)
	}
}

// failsForEver: it gets all its attempts, and leaves a record that says why.
func failsForEver(t *testing.T, q *filledQueue) {
	s, before := newScene(t, q, "--max-attempts=2"), q.dead()
	q.fill("bad", "good")
	stdout, stderr, code := s.work(nil, "sh", "-c", `echo <<.Task>>; test <<.Task>> = good || { echo "no such genome" >&2; exit 3; }`)
	lines := strings.Fields(stdout)
	slices.Sort(lines)
	if diff := cmp.Diff([]string{"bad", "bad", "good"}, lines); diff != "" || code != 65 {
		t.Errorf("exit code %d (-want +got):\n%s%s", code, diff, stderr)
	}
	s.buried(before, 1)
	failed := s.read("failed/tasks")
	if len(failed) != 1 || len(s.read("done/tasks")) != 1 {
		t.Fatalf("%d failures, want 1", len(failed))
	}
	var f marker.Failure
	if err := json.Unmarshal(failed[0], &f); err != nil {
		t.Fatal(err)
	}
	if !f.Dead || f.ExitCode != 3 || f.CommandCode == nil || *f.CommandCode != 3 || f.Stderr != "no such genome\n" || f.Failures != 2 ||
		f.Task == nil || f.Task.Attempt != 2 || !strings.Contains(f.Message, "exit code 3") {
		t.Errorf("the record is %s", failed[0])
	}
	told, stderr, code := program.Nth(t, program.Secrets, "status", "--markers="+s.markers, "--reason=exit-3")
	if code != 1 {
		t.Errorf("nth status ends with %d: %s", code, stderr)
	}
	for _, want := range []string{"1 done, 0 skipped, 1 failed, 1 of them put aside", f.Task.ID, "exit code 3, put aside", "no such genome"} {
		if !strings.Contains(told, want) {
			t.Errorf("nth status doesn't tell of %q: %s%s", want, told, stderr)
		}
	}
}

// onOneMachine: nth local hands its flags on to each worker.
func onOneMachine(t *testing.T, q *filledQueue) {
	s := newScene(t, q)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("task-", 10+i))
	}
	q.fill(want...)
	args := append([]string{"local", "--completions=4", "--parallelism=4", "--markers=" + s.markers}, s.flags...)
	stdout, stderr, code := program.Nth(t, program.Secrets, append(args, "--", "echo", "<<.Task>>")...)
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		fields := strings.Fields(line)
		got = append(got, fields[len(fields)-1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || code != 0 {
		t.Errorf("exit code %d (-want +got):\n%s%s", code, diff, stderr)
	}
	s.done(20)
}

// neverShown: what opens the queue is in no output, no record, and not in what nth
// gives the command to know.
func neverShown(t *testing.T, q *filledQueue) {
	s := newScene(t, q, "--log-level=debug", "--record-start", "--max-attempts=1")
	l := newLine(t, q.address) // so that it also says that the queue is away
	before := q.dead()
	q.fill("bad", "good")
	var flags, env []string
	for _, f := range s.flags {
		name, value, _ := strings.Cut(f, "=")
		if name == "--tasks" {
			env = append(env, "NTH_TASKS="+value)
			continue
		}
		flags = append(flags, f)
	}
	s.flags = flags
	command := []string{"sh", "-c", `env | grep ^NTH_; tr '\0' '\n' <"/proc/$PPID/cmdline"; test <<.Task>> = good`}
	for i, f := range s.flags {
		s.flags[i] = strings.ReplaceAll(f, q.address, l.address)
	}
	l.cut()
	for n, v := range env {
		env[n] = strings.ReplaceAll(v, q.address, l.address)
	}
	args := slices.Concat([]string{"run", "--markers=" + s.markers}, s.flags, []string{"--store-wait=1s", "--"}, command)
	all := slices.Concat(program.Secrets, env, []string{"JOB_COMPLETION_INDEX=0"})
	stdout, stderr, code := program.Nth(t, all, args...)
	if code != 69 {
		t.Errorf("away: exit code %d: %s", code, stderr)
	}
	said := stdout + stderr
	l.mend()
	stdout, stderr, code = program.Nth(t, all, slices.Concat([]string{"run", "--markers=" + s.markers}, s.flags, []string{"--"}, command)...)
	if code != 65 || !strings.Contains(stdout, "NTH_ITEM_TASK=good") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	said += stdout + stderr
	for _, document := range s.read("") {
		said += string(document)
	}
	if i := strings.Index(said, "canary"); i >= 0 {
		t.Errorf("a secret is shown: %s", said[max(0, i-300):min(len(said), i+100)])
	}
	s.buried(before, 1)
}

// TestQueueRefusals: what is wrong with a queue is told from an empty one, and from one
// that is away; no secret is told.
func TestQueueRefusals(t *testing.T) {
	r := servers.StartRedis(t, "requirepass redis-canary")
	p := servers.StartPostgres(t)
	p.Exec(t, postgres.Schema)
	maria := servers.StartMariaDB(t)
	maria.Exec(t, mysql.Schema)
	a := servers.StartTasksAPI(t)
	a.Queue("q")
	a.Token = "the-token"
	m := servers.StartSQS(t)
	strict := servers.StartFault(t, m.Address, func(int, *http.Request) servers.Action {
		return func(_ *servers.Fault, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}`)
		}
	})
	api := func(queue, token string) []string {
		return []string{"--tasks=" + a.URL(queue, "take"), "--keep-url=" + a.URL(queue, "tasks/{id}/keep"), "--done-url=" + a.URL(queue, "tasks/{id}/done"),
			"--fail-url=" + a.URL(queue, "tasks/{id}/fail"), "--http-header=Authorization=Bearer " + token}
	}
	tasks := func(url string) []string { return []string{"--tasks=" + url} }
	mq := servers.SharedRabbitMQ(t)
	for _, queue := range []string{"plain", "readable", "nameless"} {
		mq.Queue(t, queue, false, nil)
	}
	mq.Publish(t, "nameless", amqp.Publishing{Body: []byte("x")})
	as := func(user, queue string) []string {
		return tasks("amqp://" + user + "@" + mq.Address + "/" + queue)
	}
	const nth, reader = "nth:" + servers.RabbitMQPassword, "reader:" + servers.RabbitMQPassword
	for _, tt := range []struct {
		name  string
		flags []string
		code  int
	}{
		{"redis, no password", tasks("redis://" + r.Address + "/0?queue=q"), 77},
		{"redis, a wrong one", tasks("redis://:wrong-canary@" + r.Address + "/0?queue=q"), 77},
		{"redis, no such database", tasks("redis://:redis-canary@" + r.Address + "/99?queue=q"), 78},
		{"redis, not a list", tasks("redis://:redis-canary@" + r.Address + "/0?queue=text"), 78},
		{"redis, no such stream", tasks("redis://:redis-canary@" + r.Address + "/0?stream=nothing&group=g"), 78},
		{"postgres, no such table", tasks(p.URL("&table=nothing")), 78},
		{"postgres, no such database", tasks(strings.Replace(p.URL(""), "/postgres?", "/nothing?", 1)), 78},
		{"postgres, a wrong password", tasks("postgres://postgres:wrong-canary@" + p.Address + "/postgres?sslmode=disable"), 77},
		{"mariadb, no such table", tasks(maria.URL("&table=nothing")), 78},
		{"mariadb, no such database", tasks(strings.Replace(maria.URL(""), "/work?", "/nothing?", 1)), 78},
		{"mariadb, a wrong password", tasks("mysql://worker:wrong-canary@" + maria.Address + "/work"), 77},
		{"mariadb, no database", tasks("mariadb://worker:wrong-canary@" + maria.Address), 78},
		{"mariadb, a parameter that isn't there", tasks(maria.URL("&tabel=canary")), 78},
		{"sqs, no such queue", tasks(m.URL(m.Address, "nothing")), 78},
		{"sqs, wrong keys", tasks(m.URL(strings.TrimPrefix(strict.URL, "http://"), "q")), 77},
		{"rabbitmq, no such queue", as(nth, "?queue=nothing"), 78},
		{"rabbitmq, no such queue of dead=", as(nth, "?queue=plain&dead=nothing"), 78},
		{"rabbitmq, no such virtual host", as(nth, "nothing?queue=plain"), 78},
		{"rabbitmq, another's virtual host", as(reader, "other?queue=plain"), 77},
		{"rabbitmq, a wrong password", as("nth:wrong-canary", "?queue=plain"), 77},
		{"rabbitmq, another's queue", as(reader, "?queue=plain"), 77},
		{"rabbitmq, only attempts", append(as(nth, "?queue=plain"), "--max-attempts=2"), 78},
		{"rabbitmq, messages without names", as(nth, "?queue=nameless"), 78},
		{"rabbitmq, no TLS there", tasks("amqps://" + nth + "@" + mq.Address + "/?queue=plain"), 69},
		{"rabbitmq, TLS of an unknown authority", tasks("amqps://" + nth + "@" + mq.Secure + "/?queue=plain"), 69},
		{"rabbitmq, TLS there", tasks("amqp://" + nth + "@" + mq.Secure + "/?queue=plain"), 69},
		{"rabbitmq, no RabbitMQ", append(tasks("amqp://"+nth+"@"+r.Address+"/?queue=plain"), "--store-timeout=1s"), 69},
		{"http, no such queue", api("nothing", "the-token"), 78},
		{"http, a wrong token", api("q", "wrong-canary"), 77},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.name, "not a list") {
				r.Do(t, "SET", "text", "x")
			}
			args := append(append([]string{"run", "--store-wait=0s"}, tt.flags...), "--", "echo", "ran")
			stdout, stderr, code := program.Nth(t, append(program.Secrets, "JOB_COMPLETION_INDEX=0"), args...)
			if code != tt.code || stdout != "" || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d: %s%s", code, tt.code, stdout, stderr)
			}
		})
	}
}
