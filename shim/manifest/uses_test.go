package manifest

import (
	"strings"
	"testing"

	"nth/shim/config"
	"nth/shim/flags"
)

// TestHandedOn: the pods are told every flag of nth run, but for those that each pod is
// told its own of: an empty one, which is not refused, would hide it.
func TestHandedOn(t *testing.T) {
	rows, err := flags.Reference(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		flag, _, _ := strings.Cut(r.Flag, " ")
		for _, value := range []string{"1", ""} {
			j := &job{Config: Config{Via: "copy"}, own: []string{flag + "=" + value}, env: func(string) (string, bool) { return "", false }}
			j.Index.Job, j.indexes = "another", "1" // which the facts tell
			env, words, err := j.variables()
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			for _, e := range env {
				if e.(line).value.(object)[0].value == flags.Variable(flag) {
					told++
				}
			}
			for _, w := range words {
				if w == word(flag+"=") {
					told++
				}
			}
			// What a pod is told by Kubernetes stands among the facts, once.
			own := config.UseOf(flag, config.ForManifest) == config.Refuses
			fact := map[string]bool{"--job-uid": true, "--pod": true, "--node": true, "--index-failures": true, "--index-ignored-failures": true}[flag]
			if want := !own || fact; (told == 1) != want || told > 1 {
				t.Errorf("%s=%q is told %d times", flag, value, told)
			}
		}
	}
}
