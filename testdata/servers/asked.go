package servers

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"nth/testdata/harness"
)

// Asked gives how many entries scripts asked the server for while something was done, as
// the server itself tells it (MONITOR): without a count, that is as many as there may be.
func (r *Redis) Asked(t testing.TB, do func()) (entries int) {
	t.Helper()
	c, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Do("MONITOR"); err != nil {
		t.Fatal(err)
	}
	do()
	r.Do(t, "ECHO", "the end")
	commands := 0
	for {
		line, err := redis.String(redis.ReceiveWithTimeout(c, harness.Patience))
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.Contains(line, `"the end"`) && commands == 0:
			t.Fatal("no script asked for anything")
		case strings.Contains(line, `"the end"`):
			return entries
		case strings.Contains(line, " lua] "):
			_, words, _ := strings.Cut(line, " lua] ")
			commands++
			entries += examined(strings.Fields(strings.ToLower(strings.ReplaceAll(words, `"`, ""))))
		}
	}
}

// unbounded is more than any test has.
const unbounded = 1 << 30

// counts are where commands that look at more than one entry say at how many: the place of
// the number, after that of a word before it. Those without a place never say it.
var counts = map[string]struct {
	word  string
	place int
}{
	"xpending": {"", 5}, "xrevrange": {"count", 1}, "zrangebyscore": {"limit", 2}, "zrangebylex": {"limit", 2},
	"zrange": {"", 0}, "hkeys": {"", 0}, "hvals": {"", 0}, "hgetall": {"", 0},
}

// examined is how many entries a command may make the server look at.
func examined(words []string) int {
	c, many := counts[words[0]]
	if !many {
		return 1
	}
	at := c.place
	if c.word != "" {
		at += slices.Index(words, c.word)
	}
	if at >= len(words) || slices.Contains(words, "idle") { // XPENDING IDLE looks until it has found enough
		return unbounded
	}
	n, err := strconv.Atoi(words[at])
	if err != nil {
		return unbounded
	}
	return n
}
