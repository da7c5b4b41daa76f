// Package kubernetes holds the pages' manifests against Kubernetes' own types.
// It is a module of its own, so that those types are no dependency of nth.
package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestPages: every manifest of every page is one, with no field that Kubernetes doesn't know.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, page := range append(pages, "../../README.md") {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, strings.Split(string(body), "\n```yaml\n")[1:]...)
	}
	kinds := map[string]int{}
	for _, b := range blocks {
		text, _, _ := strings.Cut(b, "\n```")
		switch {
		case strings.Contains(text, "\nkind: Job\n"):
			kinds["Job"]++
			decode(t, text)
		case strings.Contains(text, "\nkind: Pod\n"):
			kinds["Pod"]++
			var pod corev1.Pod
			if err := yaml.UnmarshalStrict([]byte(text), &pod); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("a yaml block of no known kind:\n%s", text)
		}
	}
	if kinds["Job"] == 0 || kinds["Pod"] == 0 {
		t.Errorf("found %v, want a Job and a Pod", kinds)
	}
}

// TestPrinted: what the page's commands print is accepted as it is.
func TestPrinted(t *testing.T) {
	body, err := os.ReadFile("../../docs/kubernetes-scheduling.md")
	if err != nil {
		t.Fatal(err)
	}
	printed := 0
	for _, b := range strings.Split(string(body), "\n```sh\n")[1:] {
		text, _, _ := strings.Cut(b, "\n```")
		for _, line := range strings.Split(strings.ReplaceAll(text, "|\n", "| "), "\n") {
			stdout, stderr, code := run(t, nil, "sh", "-c", strings.ReplaceAll(line, "go run .", nth))
			if code != 0 {
				t.Fatalf("%s: exit code %d: %s", line, code, stderr)
			}
			decode(t, stdout)
			printed++
		}
	}
	if printed < 7 {
		t.Errorf("%d manifests were printed", printed)
	}
}
