package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

func TestURL(t *testing.T) {
	getenv := func(name string) string { return map[string]string{"REDISCLI_AUTH": "from-env"}[name] }
	for _, tt := range []struct {
		url  string
		want settings
	}{
		{"redis://?queue=q", settings{server.Settings{Address: "127.0.0.1:6379", Password: "from-env"}, "q", "LPOP"}},
		{"redis://host?queue=q&pop=left", settings{server.Settings{Address: "host:6379", Password: "from-env"}, "q", "LPOP"}},
		{"redis://host:7000/?queue=q", settings{server.Settings{Address: "host:7000", Password: "from-env"}, "q", "LPOP"}},
		{"redis://user:p%40ss@host/3?queue=a%20b&pop=right", settings{server.Settings{Address: "host:6379", User: "user", Password: "p@ss", DB: 3}, "a b", "RPOP"}},
		{"redis://only@host?queue=q", settings{server.Settings{Address: "host:6379", Password: "only"}, "q", "LPOP"}},
		{"redis://:only@host?queue=q", settings{server.Settings{Address: "host:6379", Password: "only"}, "q", "LPOP"}},
		{"redis://user:@host?queue=q", settings{server.Settings{Address: "host:6379", User: "user", Password: "from-env"}, "q", "LPOP"}},
		{"rediss://[::1]:1/?queue=q&db=15", settings{server.Settings{Address: "[::1]:1", Secure: true, Password: "from-env", DB: 15}, "q", "LPOP"}},
		{"redis+sentinel://host/mymaster?queue=q", settings{server.Settings{Address: "mymaster of the sentinels host:26379", Password: "from-env",
			Master: "mymaster", Sentinels: []string{"host:26379"}}, "q", "LPOP"}},
		{"rediss+sentinel://u:p%40@h:1,[::1]:2,[::2],i/my%20master/3?queue=q&sentinel_username=su&sentinel_password=s%26", settings{server.Settings{
			Address: "my master of the sentinels h:1 [::1]:2 [::2]:26379 i:26379", Secure: true, User: "u", Password: "p@", DB: 3, Master: "my master",
			Sentinels: []string{"h:1", "[::1]:2", "[::2]:26379", "i:26379"}, SentinelUser: "su", SentinelPassword: "s&"}, "q", "LPOP"}},
	} {
		u, err := server.URL(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(u, getenv)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(settings{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.url, err, diff)
		}
	}
}

func TestURLErrors(t *testing.T) {
	for in, want := range map[string]string{
		"redis://user:canary@host":                  "add ?queue=NAME",
		"redis://canary@host/?queue=":               "add ?queue=NAME",
		"redis://host/canary?queue=q":               "a database is a number from 0",
		"redis://host/0/1?queue=q":                  "a database is a number from 0",
		"redis://host/-1?queue=q":                   "a database is a number from 0",
		"redis://host?queue=q&db=canary":            "the parameter db: a database is a number from 0",
		"redis://host/1?queue=q&db=1":               "the database is said twice",
		"redis://host?queue=q&pop=canary":           "the parameter pop: it is left or right",
		"redis://host?queue=q&password=canary&db=1": "unknown parameter password; there are queue, pop, db",

		"redis://:canary@a:1,b:2/0?queue=q&sentinel=mymaster":       "of the form that is understood",
		"redis-sentinel://canary@a:1/0?queue=q&sentinelMasterId=m":  "of the form that is understood",
		"sentinel://:canary@a:1/0;sentinel://:canary@b:2/0?queue=q": "of the form that is understood",
		"redis+sentinel://canary@a:1,b:2?queue=q":                   "the URL doesn't name the master",
		"redis+sentinel://canary@a:1,b:2/?queue=q":                  "the URL doesn't name the master",
		"redis+sentinel://canary@a,,b/m?queue=q":                    "a host of the URL is malformed",
		"redis+sentinel://canary@a:canary,b/m?queue=q":              "a host of the URL is malformed",
		"redis+sentinel://canary@a/m/x?queue=q":                     "a database is a number from 0",
		"redis://host?queue=q&sentinel_password=canary":             "the parameter sentinel_password: it is for redis+sentinel://",
	} {
		u, err := server.URL(in)
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

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"redis://host?queue=q":                          "0/q",
		"redis://user:pw@host:7000/0?queue=q&pop=right": "0/q",
		"rediss://host/5?queue=queue_5":                 "5/queue_5",
		"redis://host?queue=queue_5&db=5":               "5/queue_5",
		"redis+sentinel://a,b/mymaster/5?queue=queue_5": "5/queue_5",
	} {
		u, err := server.URL(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Name(u); got != want {
			t.Errorf("%s is named %s, want %s", in, got, want)
		}
	}
}
