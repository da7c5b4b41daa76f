package config

import (
	"strings"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task/manifest"
	"nth/shim/task/objects"
)

// Source is what --tasks names.
type Source int

// The index itself is the item; a queue, of which each index is a worker; an HTTP API
// that says what the index's one item is; or a file, of which it is a row, or many objects,
// of which it is one.
const (
	NoSource Source = iota
	Queue
	Item
	Rows
)

// Source tells what --tasks names: an HTTP URL with nothing to acknowledge its tasks at
// is no queue, and neither is a file whose name ends as one of rows does.
func (c *Config) Source() Source {
	http := strings.HasPrefix(c.Tasks.URL, "http")
	switch {
	case c.Tasks.URL == "":
		return NoSource
	case http && c.API.KeepURL == "" && c.API.DoneURL == "":
		return Item
	case !http && (c.Lists() || manifest.Is(c.Tasks.URL)):
		return Rows
	}
	return Queue
}

// Lists tells whether --tasks names many objects, which are listed.
func (c *Config) Lists() bool { return objects.Is(c.Tasks.URL) }

// excluded are what no listing is meant for, where --tasks-exclude says nothing: hidden names,
// as Unix and Hadoop have them, and what is still being written.
var excluded = []string{".*", "_*", "*.tmp", "*.part", "*.partial", "*.filepart", "*.crdownload"}

// excludeNone is what --tasks-exclude says to leave nothing out.
const excludeNone = "none"

// Excluded are the globs of objects that are left out.
func (c *Config) Excluded() []string {
	switch e := c.Tasks.Exclude; {
	case len(e) == 0:
		return excluded
	case len(e) == 1 && e[0] == excludeNone:
		return nil
	default:
		return e
	}
}

// What --tasks may be that is neither a queue nor a file.
const (
	noURL  = 1 + iota // such as rows.csv
	hosted            // a file's URL with two slashes
	noRows            // a file or an object, of another format
)

// tasks gives what is wrong with --tasks by the look of it; 0: nothing.
func tasks(t *Told) int {
	scheme, rest, ok := strings.Cut(t.Tasks.URL, "://")
	host, _, _ := strings.Cut(rest, "/")
	switch template := strings.Contains(scheme+host, "<<"); {
	case t.Tasks.URL == "" || ok && template || strings.HasPrefix(t.Tasks.URL, "<<"):
	case !ok:
		return noURL
	case scheme == "file" && host != "" && host != "localhost":
		return hosted
	case t.Source() == Queue && (scheme == "file" || scheme == "s3" || scheme == "gs" || scheme == "azblob"):
		return noRows
	}
	return 0
}

// tasksNoURL names --tasks with what it says, if that is no URL.
func tasksNoURL(t *Told) string {
	if tasks(t) != noURL {
		return ""
	}
	return strings.TrimSpace("--tasks " + contract.Plain(t.Tasks.URL))
}

// AtOnce is how many items of a shard, or tasks of a worker, run at the same time.
func (c *Config) AtOnce() int {
	if c.Mapping.Jobs == nil {
		return 1
	}
	return *c.Mapping.Jobs
}

// mostRuntime is what --max-runtime says; 0 where it isn't given, too.
func (t *Tasks) mostRuntime() time.Duration {
	if t.MaxRuntime == nil {
		return 0
	}
	return *t.MaxRuntime
}
