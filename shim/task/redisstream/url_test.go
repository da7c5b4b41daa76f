package redisstream

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

func TestURL(t *testing.T) {
	for in, want := range map[string]settings{
		"redis://?stream=s&group=g":                    {server.Settings{Address: "127.0.0.1:6379"}, "s", "g"},
		"redis://u:p@host/3?stream=s%20x&group=g":      {server.Settings{Address: "host:6379", User: "u", Password: "p", DB: 3}, "s x", "g"},
		"rediss://pw@host:7000?stream=s&group=g&db=15": {server.Settings{Address: "host:7000", Secure: true, Password: "pw", DB: 15}, "s", "g"},
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(u, nil)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(settings{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", in, err, diff)
		}
	}
}

func TestURLErrors(t *testing.T) {
	for in, want := range map[string]string{
		"redis://user:canary@host":                      "add ?stream=NAME",
		"redis://canary@host/?stream=&group=g":          "add ?stream=NAME",
		"redis://canary@host/?stream=s":                 "add &group=NAME",
		"redis://canary@host/?stream=s&group=":          "add &group=NAME",
		"redis://host/canary?stream=s&group=g":          "a database is a number from 0",
		"redis://host/1?stream=s&group=g&db=1":          "the database is said twice",
		"redis://host?stream=s&group=g&pop=canary":      "unknown parameter pop; there are stream, group, db",
		"redis://host?stream=s&group=g&password=canary": "unknown parameter password",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(u, task.Options{})
		e, ok := errors.AsType[*contract.Error](err)
		if !ok || e.Kind != contract.Invalid || !strings.Contains(e.Error(), want) || strings.Contains(e.Error()+e.Hint, "canary") {
			t.Errorf("%s: %v; want %s", in, err, want)
		}
	}
}

// TestName: it has nothing of where the stream is, and two groups have two.
func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"redis://host?stream=s&group=g":               "0/s?group=g",
		"rediss://user:pw@host:1/5?group=h&stream=s":  "5/s?group=h",
		"redis://host?stream=queue_5&group=g&db=5":    "5/queue_5?group=g",
		"redis://other:7000/0?stream=a%20b&group=g+h": "0/a b?group=g h",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Name(u); got != want {
			t.Errorf("%s is named %s, want %s", in, got, want)
		}
	}
}
