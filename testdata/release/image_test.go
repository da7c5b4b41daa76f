package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// platforms are those of the image in these tests.
var platforms = []platform{{Architecture: "amd64", OS: "linux"}, {Architecture: "arm64", OS: "linux"}}

// TestImage: what copies images to registries takes this one for an image of all platforms,
// with the names that the Dockerfile gives it; Docker runs it as it runs the Dockerfile's.
func TestImage(t *testing.T) {
	archive := "oci-archive:" + filepath.Join(released(t), imageFile)
	var index manifest
	if err := json.Unmarshal([]byte(output(t, ".", "skopeo", "inspect", "--raw", archive)), &index); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{annotation + "title": "nth", annotation + "version": version, annotation + "revision": commit,
		annotation + "created": "2023-11-14T22:13:21Z", annotation + "description": described(t)}
	if diff := cmp.Diff(want, index.Annotations); diff != "" {
		t.Error(diff)
	}
	var of []platform
	for _, m := range index.Manifests {
		of = append(of, *m.Platform)
	}
	if diff := cmp.Diff(platforms, of); diff != "" {
		t.Error(diff)
	}
	copied := filepath.Join(t.TempDir(), "copied")
	output(t, ".", "skopeo", "copy", "--all", "--insecure-policy", archive, "oci:"+copied+":nth") // each blob is held against its digest
	delete(want, annotation+"created")
	for _, p := range platforms {
		var config imageConfig
		text := output(t, ".", "skopeo", "inspect", "--config", "--override-arch", p.Architecture, "oci:"+copied+":nth")
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, config.platform); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want, config.Config.Labels); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"/nth", "run"}, config.Config.Entrypoint); diff != "" {
			t.Error(diff)
		}
		runIt(t, archive, p)
	}
}

// described is the description that the Dockerfile has.
func described(t *testing.T) string {
	t.Helper()
	body := contents(t, filepath.Join(harness.Root(), "Dockerfile"))
	return string(regexp.MustCompile(`image\.description="(.*)"`).FindSubmatch(body)[1])
}

// runIt looks into the image of a platform, and runs this machine's.
func runIt(t *testing.T, archive string, p platform) {
	file := filepath.Join(t.TempDir(), "image.tar")
	output(t, ".", "skopeo", "copy", "--insecure-policy", "--override-arch", p.Architecture, archive, "docker-archive:"+file+":nth:"+p.Architecture)
	layers := filepath.Join(t.TempDir(), "layers")
	if err := os.Mkdir(layers, 0o755); err != nil {
		t.Fatal(err)
	}
	output(t, layers, "tar", "-xf", file)
	found, err := filepath.Glob(filepath.Join(layers, "*.tar"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d layers: %v", len(found), err)
	}
	if got, want := output(t, layers, "tar", "-tvf", found[0], "--numeric-owner", "--utc"), "-rwxr-xr-x 0/0 "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, " 2023-11-14 22:13 nth\n") ||
		strings.Count(got, "\n") != 1 {
		t.Errorf("the layer has %q", got)
	}
	output(t, layers, "tar", "-xf", found[0])
	if string(contents(t, filepath.Join(layers, "nth"))) != string(contents(t, filepath.Join(released(t), "nth-linux-"+p.Architecture))) {
		t.Errorf("/nth isn't the program for %v", p)
	}
	if p.Architecture != "amd64" {
		return
	}
	d := servers.StartDocker(t)
	d.Output(t, "load", "--input", file)
	if got, want := d.Output(t, "run", "--rm", "-e", "JOB_COMPLETION_INDEX=4", "nth:amd64", "--", "/nth", "version"), "nth "+version+" (commit "+commit; !strings.HasPrefix(got, want) {
		t.Errorf("it printed %q", got)
	}
}
