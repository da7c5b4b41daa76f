package sqs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
)

func TestURL(t *testing.T) {
	env := map[string]string{}
	lab := filepath.Join(t.TempDir(), "config")
	must(t, "write the profile", os.WriteFile(lab, []byte("[default]\nregion = eu-north-1\nendpoint_url = http://lab:1\n"), 0o666))
	for _, c := range []struct {
		url, variable string    // NAME=value
		want          [4]string // queue, dead, endpoint, region
	}{
		{"sqs://sqs.eu-west-1.amazonaws.com/1/q", "", [4]string{"https://sqs.eu-west-1.amazonaws.com/1/q", "", "https://sqs.eu-west-1.amazonaws.com/", "eu-west-1"}},
		{"sqs://sqs.eu-west-1.amazonaws.com/1/q?dead=d", "AWS_REGION=us-west-2", [4]string{"https://sqs.eu-west-1.amazonaws.com/1/q", "https://sqs.eu-west-1.amazonaws.com/1/d", "https://sqs.eu-west-1.amazonaws.com/", "eu-west-1"}},
		{"sqs://mq.example.com/a/b/q.fifo", "AWS_REGION=us-west-2", [4]string{"https://mq.example.com/a/b/q.fifo", "", "https://mq.example.com/", "us-west-2"}},
		{"sqs://mq.example.com/a/q?region=x-1", "AWS_ENDPOINT_URL_SQS=http://localhost:1/path", [4]string{"https://mq.example.com/a/q", "", "http://localhost:1/path", "x-1"}},
		{"sqs://localhost:9324/queue/q?endpoint=http://localhost:9324", "AWS_ENDPOINT_URL=http://other", [4]string{"http://localhost:9324/queue/q", "", "http://localhost:9324/", "us-east-1"}},
		{"sqs://mq.example.com/a/q", "AWS_CONFIG_FILE=" + lab, [4]string{"https://mq.example.com/a/q", "", "http://lab:1/", "eu-north-1"}},
	} {
		clear(env)
		name, value, _ := strings.Cut(c.variable, "=")
		env[name] = value
		opened, err := Open(parsed(t, c.url), task.Options{Lease: time.Minute, Getenv: func(name string) string { return env[name] }})
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		s := opened.(*source)
		if diff := cmp.Diff(c.want, [4]string{s.queue, s.dead, s.endpoint.String(), s.region}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
	}
}

func TestWrongURL(t *testing.T) {
	for address, says := range map[string]string{
		"sqs://key:canary@host/1/q":                        "credentials",
		"sqs://host/q":                                     "sqs://HOST/ACCOUNT/QUEUE",
		"sqs:///1/q":                                       "sqs://HOST/ACCOUNT/QUEUE",
		"sqs://host/1/":                                    "a queue's name",
		"sqs://host/1/q%20canary":                          "a queue's name",
		"sqs://host/1%3Fcanary/q":                          "the account",
		"sqs://host/1/q?dead=a/canary":                     "the parameter dead",
		"sqs://host/1/q?dead=q":                            "dead= is the queue itself",
		"sqs://host/1/q?settle=canary":                     "the parameter settle",
		"sqs://host/1/q?secret=canary":                     "unknown parameter secret",
		"sqs://host/1/q?endpoint=http://a:canary@b":        "credentials",
		"sqs://host/1/q?endpoint=canary://b":               "the endpoint",
		"sqs://host/1/q?region=a%0Acanary":                 "the region",
		"sqs://sqs.eu-west-1.amazonaws.com/1/q?region=x-1": "the host's",
	} {
		_, err := Open(parsed(t, address), task.Options{Lease: time.Minute})
		wantKind(t, address, err, contract.Invalid)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", address, err)
		}
	}
	_, err := Open(parsed(t, "sqs://host/1/q"), task.Options{Lease: 12 * time.Hour})
	wantKind(t, "a long lease", err, contract.Invalid)
}

// TestName: one queue has one name, by whichever host it is asked.
func TestName(t *testing.T) {
	for address, want := range map[string]string{
		"sqs://sqs.eu-west-1.amazonaws.com/1/q?dead=d":                      "eu-west-1/1/q",
		"sqs://sqs-fips.us-east-1.amazonaws.com/1/q":                        "us-east-1/1/q",
		"sqs://vpce-1-2.sqs.eu-west-1.vpce.amazonaws.com/1/q":               "eu-west-1/1/q",
		"sqs://eu-west-1.queue.amazonaws.com/1/q":                           "eu-west-1/1/q",
		"sqs://queue.amazonaws.com/1/q":                                     "us-east-1/1/q",
		"sqs://sqs.cn-north-1.amazonaws.com.cn/1/q":                         "cn-north-1/1/q",
		"sqs://sqs.eu-west-1.api.aws/1/q":                                   "eu-west-1/1/q",
		"sqs://localhost:9324/000000000000/q?endpoint=http://localhost:932": "000000000000/q",
		"sqs://sqs.amazonaws.com/1/q":                                       "1/q",
	} {
		if got := Name(parsed(t, address)); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
