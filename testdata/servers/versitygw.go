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
	"sync"
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
	program string
	dir     string

	mu    sync.Mutex // a test may start and stop it from several goroutines
	cmd   *exec.Cmd
	ended chan struct{} // the server's process has
}

// StartS3 starts a server and stops it when the test ends. A machine without
// versitygw fails the test.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	s := &S3{Address: freeAddress(t), program: versitygw(t), dir: t.TempDir()}
	t.Cleanup(s.Stop)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
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

// Start starts the server, again after a Stop, with the blobs that it had, and
// waits until it answers.
func (s *S3) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.program, "--port", s.Address, "--region", region, "--quiet", "posix", s.dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for deadline := time.After(time.Minute); ; {
		if c, err := net.Dial("tcp", s.Address); err == nil {
			c.Close()
			select {
			case <-ended: // it is somebody else's
			default:
				return nil
			}
		}
		select {
		case <-ended:
			return fmt.Errorf("versitygw ended at %s: %s", s.Address, log.String())
		case <-deadline:
			return fmt.Errorf("versitygw doesn't answer at %s", s.Address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop kills the server; what it stored stays.
func (s *S3) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
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
