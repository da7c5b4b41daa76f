package docker

import (
	"io"
	"strings"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// dockerLogs: containers that are killed with SIGKILL leave their output in a bucket,
// and one that ends after them adds its own.
func dockerLogs(t *testing.T, d *servers.Docker) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	url := s3.URL("bucket", "logs/<<.Job>>")
	stored := strings.Replace(url, "<<.Job>>", "resize", 1)
	flags := []string{"--network", "host", "--read-only", "--user", "12345", "--cap-drop", "ALL", "-e", "NTH_JOB=resize", "-e", "NTH_LOGS=" + url}
	for _, e := range servers.S3Env() {
		flags = append(flags, "-e", e)
	}
	const script = `echo "$1: out"; echo "$1: err" >&2; echo ready; if [ "$1" = last ]; then exit 7; fi; sleep 1000`
	for _, name := range []string{"first", "second"} {
		c := newContainer(t, d)
		c.start(flags, shellImage, "--", "sh", "-c", script, "sh", name)
		program.AwaitText(t, "upload while it runs", func() string { return program.Log(t, stored, index) }, name+": err")
		c.Output(t, "kill", "--signal", "KILL", c.id)
		c.expect(c.wait(), 137)
		got := program.Log(t, stored, index)
		if !strings.Contains(got, name+": out\n") || !strings.Contains(got, name+": err\n") {
			t.Errorf("the log of a killed container is %q", got)
		}
	}
	c := newContainer(t, d)
	c.start(flags, shellImage, "--", "sh", "-c", script, "sh", "last")
	c.expect(c.wait(), 7)
	if got := program.Log(t, stored, index); !strings.Contains(got, "last: err\n") {
		t.Errorf("the newest log is %q", got)
	}
	if n := program.CopyLog(t, stored, index, io.Discard); n != 3 {
		t.Errorf("%d logs, want 3", n)
	}
	if f := c.failure(); !strings.HasPrefix(f.Log, "s3://bucket/logs/resize/5/") {
		t.Errorf("the record names the log %q", f.Log)
	}
}
