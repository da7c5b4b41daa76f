//go:build linux

package local

import (
	"strings"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestLook: what refuses every index is told at once, and nothing is started; what lets
// them is not in their way.
func TestLook(t *testing.T) {
	s3, azure, redis := servers.StartS3(t), servers.StartAzurite(t), servers.StartRedis(t)
	s3.Bucket(t, "bucket")
	azure.Container(t, "bucket")
	redis.Do(t, "ACL", "SETUSER", "worker", "reset", "on", ">right", "~*", "+@all")
	program.QueueOf(t, redis, "tasks", "a", "b")
	wrong := []string{"AWS_ACCESS_KEY_ID=nobody", "AWS_SECRET_ACCESS_KEY=canary"}
	azureEnv := servers.AzureEnv(azure.Address)
	queue := func(password string) []string {
		return []string{"--tasks", "redis://worker:" + password + "@" + redis.Address + "/0?queue=tasks"}
	}
	for name, tt := range map[string]struct {
		env, flags []string
		code       int
		says       string
	}{
		"a bucket":          {servers.S3Env(), []string{"--markers", s3.URL("bucket", "m")}, 0, "2 of 2 succeeded"},
		"another key":       {wrong, []string{"--markers", s3.URL("bucket", "m")}, 77, "look for markers in s3://bucket/m/: "},
		"no such bucket":    {servers.S3Env(), []string{"--markers", s3.URL("none", "m")}, 69, "(create the bucket, "},
		"a container":       {azureEnv, []string{"--markers", "azblob://bucket/m"}, 0, "2 of 2 succeeded"},
		"no such container": {azureEnv, []string{"--markers", "azblob://none/m"}, 69, "(create the container, "},
		"a queue":           {nil, queue("right"), 0, "2 of 2 workers succeeded"},
		"another password":  {nil, queue("canary"), 77, "look into the queue redis://" + redis.Address + "/0?queue=tasks: "},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"local", "--completions", "2"}, tt.flags...)
			stdout, stderr, code := program.Nth(t, tt.env, append(args, "--", "echo", "<<.Index>> began")...)
			if code != tt.code || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d with %q: %s", code, tt.code, tt.says, stderr)
			}
			if began := strings.Contains(stdout, "began"); began != (tt.code == 0) || !began && strings.Count(stderr, "\n") != 1 {
				t.Errorf("something was started, or nothing: %s%s", stdout, stderr)
			}
		})
	}
}
