package docker

import (
	"strings"
	"testing"

	"nth/testdata/servers"
)

// dockerVolume: a container's volume is mounted; a directory of its own root, or one in
// which files are mounted, is not.
func dockerVolume(t *testing.T, d *servers.Docker) {
	for _, tt := range []struct {
		name, point string
		flags       []string
		code        int
	}{
		{"a volume", "/a%20volume", []string{"-v", t.TempDir() + ":/a volume"}, 0},
		{"a file system in memory", "/tmp", []string{"--tmpfs", "/tmp"}, 0},
		{"nothing is there", "/a", nil, 69},
		{"a directory of the root", "/etc", nil, 69}, // with /etc/hosts, which Docker mounts
		{"the root", "/", nil, 64},
	} {
		words := append([]string{"run", "--rm", "--network", "none"}, tt.flags...)
		out := d.Run(t, append(words, scratchImage, "--index", "0", "--store-wait", "0s", "--markers", "file://"+strings.TrimSuffix(tt.point, "/")+"/m?mountpoint="+tt.point, "--", "/actor", "exit", "0")...)
		if out.Code != tt.code {
			t.Errorf("%s: %+v, want exit code %d", tt.name, out, tt.code)
		}
	}
}
