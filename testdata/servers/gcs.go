package servers

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// GCS is a server of a test's own that speaks Google Cloud Storage's protocol,
// fake-gcs-server. It asks for no credentials, ignores conditions on anything but
// writes, and doesn't tell a missing object from a missing bucket.
type GCS struct{ *Server }

// StartGCS starts one that keeps its blobs in memory, and stops it when the test ends.
func StartGCS(t testing.TB) *GCS {
	t.Helper()
	program := Program(t, "fake-gcs-server", "go install github.com/fsouza/fake-gcs-server@v1.56.1")
	address := Address(t)
	host, port, _ := strings.Cut(address, ":")
	return &GCS{start(t, address, func() *exec.Cmd {
		return exec.Command(program, "-scheme", "http", "-host", host, "-port", port, "-backend", "memory",
			"-public-host", address, "-external-url", "http://"+address, "-log-level", "error")
	})}
}

// Bucket makes a bucket.
func (g *GCS) Bucket(t testing.TB, name string) {
	t.Helper()
	res, err := http.Post("http://"+g.Address+"/storage/v1/b?project=test", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q}`, name)))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("make the bucket %s: %s", name, res.Status)
	}
}

// GCSEnv gives the variables with which Google's libraries use a server at an address.
func GCSEnv(address string) []string { return []string{"STORAGE_EMULATOR_HOST=" + address} }
