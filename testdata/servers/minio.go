package servers

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nth/testdata/harness"
)

// StartMinIO starts MinIO over a temporary folder, and stops it when the test ends. It
// locks before it looks, so it is asked who wins a race; it answers an unknown key
// with 403, as AWS does. It ignores the condition of a delete.
func StartMinIO(t testing.TB) *S3 { return StartMinIOWith(t) }

// StartMinIOWith starts one with more variables.
func StartMinIOWith(t testing.TB, env ...string) *S3 {
	t.Helper()
	program := Program(t, "minio", "go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c")
	address, dir := Address(t), t.TempDir()
	// Without its web pages it is sure of their port all the same, and doesn't start at that
	// (globalMinioConsolePort of cmd/globals.go).
	for strings.HasSuffix(address, ":13333") {
		address = Address(t)
	}
	s := &S3{Server: start(t, address, func() *exec.Cmd {
		cmd := exec.Command(program, "server", "--quiet", "--address", address, dir)
		cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_SITE_REGION="+region,
			"MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+dir)
		cmd.Env = append(cmd.Env, env...)
		return cmd
	})}
	status := ""
	harness.Await(t, func() bool {
		// It listens before it knows who its users are, and answers 503, or closes the connection.
		res, err := s.ask(aws.Credentials{AccessKeyID: "nobody", SecretAccessKey: "nothing"}, "s3", http.MethodGet, "/", "", nil)
		if err != nil {
			status = err.Error()
			return false
		}
		status = res.Status
		return res.StatusCode == http.StatusForbidden
	}, func() string { return "MinIO isn't ready: " + status })
	return s
}
