package shim

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/httpapi"
	"nth/shim/task/postgres"
	"nth/shim/task/redis"
	"nth/shim/task/redisstream"
	"nth/shim/task/sqs"
)

// queueKind is a kind of queue.
type queueKind struct {
	kind     string // as it stands in the markers
	open     task.Open
	name     func(*url.URL) string // what of the URL is the queue's name, wherever it is
	attempts int                   // of a task, where --max-attempts doesn't say
}

// defaultAttempts is for queues that have no rule of their own.
const defaultAttempts = 5

// queues are what tasks can be taken from, by the URLs' schemes. An HTTP API needs more
// than a URL.
func (r *run) queues() map[string]queueKind {
	api := queueKind{"http", r.openAPI, httpapi.Name, defaultAttempts}
	if r.FailURL == "" { // where nobody can be told, the API must see to it
		api.attempts = 0
	}
	table := queueKind{"postgres", postgres.Open, postgres.Name, defaultAttempts}
	if r.TakeSQL != "" {
		table.open = r.openStatements
		if r.FailSQL == "" {
			table.attempts = 0
		}
	}
	return map[string]queueKind{
		"redis":      {"redis", openRedis, nameRedis, defaultAttempts},
		"rediss":     {"redis", openRedis, nameRedis, defaultAttempts},
		"sqs":        {"sqs", sqs.Open, sqs.Name, 0},
		"postgres":   table,
		"postgresql": table,
		"http":       api,
		"https":      api,
	}
}

// openRedis opens a list or a stream, by which of the two the URL names.
func openRedis(u *url.URL, o task.Options) (task.Source, error) {
	list, stream := u.Query().Has("queue"), u.Query().Has("stream")
	if list == stream {
		return nil, &contract.Error{Kind: contract.Other, Cause: errors.New("the URL names a list or a stream, and not both"),
			Hint: "?queue=NAME is for a list, ?stream=NAME&group=NAME for a stream"}
	}
	if stream {
		return redisstream.Open(u, o)
	}
	return redis.Open(u, o)
}

func nameRedis(u *url.URL) string {
	if u.Query().Has("stream") {
		return redisstream.Name(u)
	}
	return redis.Name(u)
}

const queueHint = "write redis://host/0?queue=name or ?stream=name&group=name, sqs://host/account/queue, postgres://host/database?table=name, or an http(s) URL with --keep-url and --done-url"

// openAPI opens a queue behind an HTTP API, whose further URLs and headers are flags.
func (r *run) openAPI(u *url.URL, o task.Options) (task.Source, error) {
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	m := r.mapping
	s := httpapi.Settings{Take: u.String(), Keep: x.expand("--keep-url", m.keepURL).value, Done: x.expand("--done-url", m.doneURL).value,
		Fail: x.expand("--fail-url", m.failURL).value, Unfinished: x.expand("--unfinished-url", m.unfinishedURL).value, OwnID: r.TaskID != "", Headers: http.Header{}}
	for _, h := range m.headers {
		s.Headers.Set(h.name, x.expand("--http-header "+h.name, h.Template).value)
	}
	r.item.secrets = append(r.item.secrets, x.secrets...)
	if x.err != nil {
		return nil, x.err
	}
	if s.Keep == "" || s.Done == "" {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: "--tasks", Cause: errors.New("an HTTP API needs --keep-url and --done-url"), Hint: "{id} in them is the task's"}
	}
	return httpapi.New(s, o)
}

// header reads NAME=TEMPLATE.
func (p *parser) header(assignment string) namedTemplate {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok || name == "" {
		p.fail("--http-header", errors.New("it is not NAME=TEMPLATE"), "write --http-header 'Authorization=Bearer <<secret \"TOKEN\">>'")
	}
	return namedTemplate{name, p.one("--http-header "+name, value)}
}
