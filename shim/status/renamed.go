package status

import (
	"os"
	"strings"

	"nth/shim/screen"
)

// renamed understands the flags as they were before --job was everywhere the Job's name:
// it named the output of kubectl, and --job-name the Job. This is for one version.
func (c Config) renamed(w World) Config {
	name, _ := w.LookupEnv("NTH_JOB")
	if c.Job != name && c.Kubernetes == "" && isOutput(c.Job) {
		screen.Tell(w.Stderr, "nth: status: --job %s is now --kubernetes %s, for --job is the Job's name", c.Job, c.Job)
		c.Kubernetes, c.Job = c.Job, name
	}
	if c.JobName != "" {
		c.Job, c.JobName = c.JobName, ""
	}
	return c
}

// isOutput tells whether a value is where the output of kubectl stands, and no name.
func isOutput(value string) bool {
	info, err := os.Stat(value)
	return value == "-" || strings.HasSuffix(value, ".json") || err == nil && info.Mode().IsRegular()
}
