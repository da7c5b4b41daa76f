package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// secrets are the files that only one store may read.
var secrets = []string{"AWS_SHARED_CREDENTIALS_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_FEDERATED_TOKEN_FILE", "SSL_CERT_FILE"}

// TestUnused: a store that isn't used costs nothing: its credentials are not read,
// and authorities are not for whoever needs no TLS. Those of the one that is used
// are, which shows that the test can see it.
func TestUnused(t *testing.T) {
	for _, tt := range []struct {
		name, markers string
		read          []string
	}{
		{"no marker", "", nil},
		{"file", "file:///tmp?x=1", nil}, // refused after it was parsed
		{"file", "file://" + t.TempDir(), nil},
		{"s3", "s3://bucket/m?region=us-east-1&endpoint=http://127.0.0.1:1", secrets[:1]},
		{"gs", "gs://bucket/m", secrets[1:2]},
		{"azblob", "azblob://container/m?storage_account=nth", secrets[2:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.read, reads(t, tt.markers)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// reads gives the secrets that a run opens. Each is a FIFO, which can be opened for
// writing just when somebody reads.
func reads(t *testing.T, markers string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a run that waits for a secret
	defer cancel()
	args := []string{"run", "--index=1", "--log-level=error", "--store-wait=1ms"}
	if markers != "" {
		args = append(args, "--markers", markers)
	}
	cmd := exec.CommandContext(ctx, released(t), append(args, "--", "true")...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AZURE_TENANT_ID=tenant", "AZURE_CLIENT_ID=client"}
	dir := t.TempDir()
	var opened [8]atomic.Bool
	var over atomic.Bool
	done := make(chan struct{}, len(secrets))
	for i, name := range secrets {
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, name+"="+path)
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil || over.Load() {
					return
				}
				opened[i].Store(true)
				f.Close()
			}
		}()
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%v: %s", err, out)
	over.Store(true)
	for _, name := range secrets {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	for range secrets {
		<-done
	}
	var list []string
	for i, name := range secrets {
		if opened[i].Load() {
			list = append(list, name)
		}
	}
	return list
}
