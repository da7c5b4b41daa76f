package source

import (
	"errors"
	"net/url"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/httpapi"
	"nth/shim/task/mysql"
	"nth/shim/task/postgres"
	"nth/shim/task/rabbitmq"
	"nth/shim/task/redis"
	"nth/shim/task/redis/server"
	"nth/shim/task/redisstream"
	"nth/shim/task/sqs"
)

// kind is a kind of queue.
type kind struct {
	name     string // as it stands in the markers
	open     task.Open
	queue    func(*url.URL) string // what of the URL is the queue's name, wherever it is
	attempts int                   // of a task, where --max-attempts doesn't say
	ofDead   int                   // the same, where the URL has a place for dead tasks (dead=)
}

// defaultAttempts is for queues that have no rule of their own.
const defaultAttempts = 5

// kinds are what tasks can be taken from, by the URLs' schemes. An HTTP API and tables of
// one's own need more than a URL.
func (o *opener) kinds() map[string]kind {
	api := kind{"http", o.openAPI, httpapi.Name, defaultAttempts, 0}
	if o.Config.API.FailURL == "" { // where nobody can be told, the API must see to it
		api.attempts = 0
	}
	table := kind{"postgres", postgres.Open, postgres.Name, defaultAttempts, 0}
	ofMySQL := kind{"mysql", mysql.Open, mysql.Name, defaultAttempts, 0}
	if o.Config.SQL.TakeSQL != "" {
		table.open, ofMySQL.open = o.openStatements, o.openStatements
		if o.Config.SQL.FailSQL == "" {
			table.attempts, ofMySQL.attempts = 0, 0
		}
	}
	ofRedis := kind{"redis", openRedis, nameRedis, defaultAttempts, 0}
	ofRabbit := kind{"rabbitmq", rabbitmq.Open, rabbitmq.Name, 0, defaultAttempts}
	return map[string]kind{
		"redis":           ofRedis,
		"rediss":          ofRedis,
		"redis+sentinel":  ofRedis,
		"rediss+sentinel": ofRedis,
		"redis-sentinel":  ofRedis, // other clients', refused with the right one
		"sentinel":        ofRedis, // "
		"sqs":             {"sqs", sqs.Open, sqs.Name, 0, 0},
		"amqp":            ofRabbit,
		"amqps":           ofRabbit,
		"postgres":        table,
		"postgresql":      table,
		"mysql":           ofMySQL,
		"mariadb":         ofMySQL,
		"http":            api,
		"https":           api,
	}
}

// openRedis opens a list or a stream, by which of the two the URL names.
func openRedis(u *url.URL, o task.Options) (task.Source, error) {
	if _, err := server.Sentinels(u); err != nil {
		return nil, err
	}
	list, stream := u.Query().Has("queue"), u.Query().Has("stream")
	if list == stream {
		why := "the URL doesn't say whether it is a list or a stream"
		if list {
			why = "the URL names both, and it is a list or a stream"
		}
		return nil, &contract.Error{Kind: contract.Other, Cause: errors.New(why),
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

const hint = "write redis://host/0?queue=name or ?stream=name&group=name, sqs://host/account/queue, amqp://host/vhost?queue=name, postgres:// or mysql://user@host/database?table=name, or an http(s) URL with --keep-url and --done-url"
