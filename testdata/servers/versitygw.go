package servers

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The root user of every server of the tests.
const (
	accessKey = "test-access"
	secretKey = "test-secret-canary"
	region    = "us-east-1"
)

// S3 is a real S3 server of a test's own, versitygw, over a temporary folder.
type S3 struct {
	Address string // host:port
	dir     string
	cmd     *exec.Cmd
}

// StartS3 starts a server and stops it when the test ends. A machine without
// versitygw fails the test.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	s := &S3{Address: freeAddress(t), dir: t.TempDir()}
	t.Cleanup(s.Stop)
	s.Start(t)
	return s
}

// versitygw gives the server's path.
func versitygw(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path
	}
	path := filepath.Join(goEnv(t, "GOPATH"), "bin", "versitygw")
	if _, err := os.Stat(path); err != nil {
		t.Fatal("versitygw is missing: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	}
	return path
}

// Start starts the server, again after a Stop, with the blobs that it had.
func (s *S3) Start(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(versitygw(t), "--port", s.Address, "--region", region, "--quiet", "posix", s.dir)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
	var log bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", s.Address)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Stop()
			t.Fatalf("versitygw doesn't answer at %s: %v\n%s", s.Address, err, log.String())
		}
	}
}

// Stop kills the server; what it stored stays.
func (s *S3) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// freeAddress gives an address of this machine that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// S3Env gives the variables with the credentials of every server of the tests.
func S3Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_REGION=" + region}
}

// URL gives the store URL of a place in the server.
func (s *S3) URL(bucket, prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=http://%s&use_path_style=true", bucket, prefix, s.Address)
}

func (s *S3) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: secretKey}
}

// sha256 of nothing, and "not signed".
const (
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsigned  = "UNSIGNED-PAYLOAD"
)

// Bucket makes a bucket.
func (s *S3) Bucket(t testing.TB, name string) { s.put(t, "/"+name, nil) }

// Put stores a blob.
func (s *S3) Put(t testing.TB, bucket, key string, body []byte) { s.put(t, "/"+bucket+"/"+key, body) }

func (s *S3) put(t testing.TB, path string, body []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+s.Address+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := unsigned
	if body == nil {
		hash = emptyHash
	}
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := v4.NewSigner().SignHTTP(context.Background(), s.credentials(), req, hash, "s3", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("PUT %s: %s", path, res.Status)
	}
}

// Presign gives an address under which anyone can get a blob for an hour.
func (s *S3) Presign(t testing.TB, bucket, key string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/"+bucket+"/"+key+"?X-Amz-Expires=3600", nil)
	if err != nil {
		t.Fatal(err)
	}
	url, _, err := v4.NewSigner().PresignHTTP(context.Background(), s.credentials(), req, unsigned, "s3", region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return url
}
