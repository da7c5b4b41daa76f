package servers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/testdata/harness"
)

// The root user of every server of the tests.
const (
	accessKey = "test-access"
	secretKey = "test-secret-canary"
	region    = "us-east-1"
)

// S3 is a real S3 server of a test's own.
type S3 struct {
	*Server
	Dir string // of versitygw: the folder that its buckets are folders of
}

// StartS3 starts versitygw over a temporary folder, and stops it when the test ends.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	program := Program(t, "versitygw", "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	address, dir := Address(t), t.TempDir()
	s := &S3{Dir: dir, Server: start(t, address, func() *exec.Cmd {
		cmd := exec.Command(program, "--port", address, "--region", region, "--quiet", "posix", dir)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
		return cmd
	})}
	// On a busy machine it has reset a connection that came as soon as it listened.
	var err error
	harness.Await(t, func() bool {
		var res *http.Response
		if res, err = s.ask(s.credentials(), "s3", http.MethodGet, "/", "", nil); err == nil {
			res.Body.Close()
		}
		return err == nil
	}, func() string { return fmt.Sprint("versitygw isn't ready: ", err) })
	return s
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
	s.send(t, "s3", http.MethodPut, path, "", body)
}

// send sends a request to one of the server's services, which must succeed.
func (s *S3) send(t testing.TB, service, method, path, contentType string, body []byte) {
	t.Helper()
	res, err := s.ask(s.credentials(), service, method, path, contentType, body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
}

func (s *S3) ask(by aws.Credentials, service, method, path, contentType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(method, "http://"+s.Address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	hash := unsigned
	if body == nil {
		hash = emptyHash
	}
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := v4.NewSigner().SignHTTP(context.Background(), by, req, hash, service, region, time.Now()); err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

// Get asks for a path with its query, as the root user does.
func (s *S3) Get(path string) (*http.Response, error) {
	return s.ask(s.credentials(), "s3", http.MethodGet, path, "", nil)
}

// Uploads tells how many uploads in parts of a blob were begun and neither completed nor
// aborted.
func (s *S3) Uploads(t testing.TB, bucket, key string) int {
	t.Helper()
	res, err := s.ask(s.credentials(), "s3", http.MethodGet, "/"+bucket+"?"+url.Values{"uploads": {""}, "prefix": {key}}.Encode(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("ListMultipartUploadsResult")) {
		t.Fatalf("list the uploads: %s, %v: %s", res.Status, err, body)
	}
	return bytes.Count(body, []byte("<UploadId>"))
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
