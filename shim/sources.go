package shim

import (
	"net/url"

	"nth/shim/task"
	"nth/shim/task/redis"
)

// source is a kind of queue.
type source struct {
	kind     string // as it stands in the markers
	open     task.Open
	name     func(*url.URL) string // what of the URL is the queue's name, wherever it is
	attempts int                   // of a task, where --max-attempts doesn't say
}

// defaultAttempts is for queues that have no rule of their own.
const defaultAttempts = 5

// sources are the queues that tasks can be taken from, by their URLs' schemes.
var sources = map[string]source{
	"redis":  {"redis", redis.Open, redis.Name, defaultAttempts},
	"rediss": {"redis", redis.Open, redis.Name, defaultAttempts},
}

const sourceHint = "write redis://host/0?queue=name"
