package cli

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
)

// TestProtocol: as it is released and as a plain go build makes it, nth speaks HTTP/1.1
// to a server that offers HTTP/2: over that, one dead connection costs a task its lease.
func TestProtocol(t *testing.T) {
	released, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "nth")
	build := exec.Command("go", "build", "-o", plain, ".")
	build.Dir = harness.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, path := range map[string]string{"released": released, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			spoken := map[string]string{}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				spoken[r.Method+" "+r.URL.Path] = r.Proto
				w.Header().Set("ETag", `"1"`)
				fmt.Fprint(w, "the item")
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			bundle := filepath.Join(t.TempDir(), "authority.pem")
			if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "run", "--index", "7", "--tasks", server.URL+"/items/<<.Index>>",
				"--require", "s3://b/in/<<.Index>>?anonymous=true&endpoint="+server.URL, "--quit-url", server.URL+"/quit", "--", "true")
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SSL_CERT_FILE=" + bundle}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := map[string]string{"GET /items/7": "HTTP/1.1", "HEAD /b/in/7": "HTTP/1.1", "POST /quit": "HTTP/1.1"}
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(want, spoken); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
