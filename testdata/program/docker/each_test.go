package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/servers"
)

// dockerEach: items as children of a real PID 1 of any user, with Docker's own profile of
// system calls; what an item leaves behind has ended before the next one.
func dockerEach(t *testing.T, d *servers.Docker) {
	for name, flags := range map[string][]string{
		"plain":  nil,
		"locked": {"--read-only", "--user", "12345:12345", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "40"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newContainer(t, d)
			out := c.Run(t, c.words(append([]string{"--rm"}, flags...), shellImage,
				"--completions", "6", "--items", "600", "--each", "--jobs", "4", "--log-level", "warn", "--",
				"sh", "-c", "echo <<.Item>> $(id -u); test $((<<.Item>> % 10)) -gt 0 || sleep 600 &")...)
			c.expect(out, 0)
			user := "0"
			if len(flags) > 0 {
				user = "12345"
			}
			var want []string
			for i := 500; i < 600; i++ {
				want = append(want, fmt.Sprint(i, " ", user))
			}
			got := strings.Split(strings.TrimSpace(out.Stdout), "\n")
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
