package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/flags"
)

// defaults are the flags that a Job's pods have where none were given.
var defaults = []struct{ variable, value string }{
	{"NTH_STORE_WAIT", "10m"}, // a sidecar or an identity may be up late
	{"NTH_STOP_GRACE", "30s"},
	{"NTH_RESERVE_EXIT_CODES", "true"}, // the policy goes by nth's own
}

// lookup gives a variable of the environment, or the pods' default.
func (j *job) lookup(name string) (string, bool) {
	value, ok := j.env(name)
	for _, d := range defaults {
		if !ok && d.variable == name {
			return j.otherwise(d.variable, d.value), true
		}
	}
	return value, ok
}

// otherwise is the default of a flag's variable, which Slurm's tasks may have another of.
func (j *job) otherwise(variable, value string) string {
	if j.Kind == slurm && variable == "NTH_STOP_GRACE" {
		return slurmStopGrace
	}
	return value
}

// stopGrace is that of the pods: the run's own default has no limit.
func (j *job) stopGrace() time.Duration {
	for _, s := range flags.Given(config.Config{}, j.own, j.lookup) {
		if d, err := time.ParseDuration(s.Value); s.Flag == "--stop-grace" && err == nil {
			return d
		}
	}
	return j.Process.StopGrace
}

// facts are what a pod isn't told: the downward API hands it on.
func (j *job) facts() (l list) {
	prefix := ""
	if j.version.has(prefixedLabels) {
		prefix = "batch.kubernetes.io/"
	}
	add := func(name, path string) {
		l = append(l, line{pairs("name", name, "valueFrom", pairs("fieldRef", pairs("fieldPath", path)))})
	}
	l = append(l, variable("NTH_COMPLETIONS", strconv.FormatInt(j.total, 10)))
	if j.foreign() {
		l = append(l, variable("NTH_JOB", j.Index.Job))
	} else {
		add("NTH_JOB", "metadata.labels['"+prefix+"job-name']")
	}
	add("NTH_JOB_UID", "metadata.labels['"+prefix+"controller-uid']")
	add("NTH_POD", "metadata.name")
	add("NTH_NODE", "spec.nodeName")
	if j.version.has(backoffPerIndex) {
		add("NTH_INDEX_FAILURES", "metadata.annotations['batch.kubernetes.io/job-index-failure-count']")
		add("NTH_INDEX_IGNORED_FAILURES", "metadata.annotations['batch.kubernetes.io/job-index-ignored-failure-count']")
	}
	if j.indexes != "" {
		l = append(l, variable("NTH_INDEXES", j.indexes))
	}
	return l
}

func variable(name, value string) line {
	return line{pairs("name", name, "value", escape(value))}
}

// told are the settings that facts has already.
const told = " --completions --job --indexes "

// variables gives the container's variables, and the words before its arguments, among
// which are the flags that no variable can hold.
func (j *job) variables() (env, words list, err error) {
	nth, _, _ := j.way()
	env, words = j.facts(), list{word(nth), word("run")}
	for _, s := range flags.Given(config.Config{}, j.own, j.lookup) {
		// What is refused says nothing here: an empty value would hide what the pod is told.
		if strings.Contains(told, " "+s.Flag+" ") || config.UseOf(s.Flag, config.ForManifest) == config.Refuses {
			continue
		}
		s = j.onVolume(s)
		if err := fits(s.Flag, s.Variable+"="+s.Value); err != nil {
			return nil, nil, err
		}
		if s.Words == nil {
			env = append(env, variable(s.Variable, s.Value))
		}
		for _, w := range s.Words {
			words = append(words, word(escape(w)))
		}
	}
	return env, append(words, word("--")), nil
}

// envFrom reads --env-from.
func (j *job) envFrom() (l list, err error) {
	for _, from := range j.EnvFrom {
		kind, name, _ := strings.Cut(from, "/")
		ref := ""
		switch kind {
		case "secret":
			ref = "secretRef"
		case "configmap":
			ref = "configMapRef"
		}
		if ref == "" || !subdomain(name) {
			return nil, usage("--env-from", fmt.Errorf("%q is neither secret/NAME nor configmap/NAME", from), "name what holds the variables, such as secret/bucket")
		}
		l = append(l, pairs(ref, line{pairs("name", name)}))
	}
	return l, nil
}

// credentialsOf says which variables, or which identity, a store or a queue needs.
var credentialsOf = []struct{ scheme, needs string }{
	{"s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a service account that has a role"},
	{"sqs", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a service account that has a role"},
	{"gs", "a service account with Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS and a volume with the file"},
	{"azblob", "AZURE_STORAGE_ACCOUNT, and AZURE_STORAGE_KEY or a service account with a workload identity"},
	{"redis", "REDISCLI_AUTH, where the server has a password"},
	{"rediss", "REDISCLI_AUTH, where the server has a password"},
	{"postgres", "PGPASSWORD"},
	{"postgresql", "PGPASSWORD"},
	{"mysql", "MYSQL_PWD"},
	{"mariadb", "MYSQL_PWD"},
}

// wanted says what the pods' environment must have that isn't in the command line.
func (j *job) wanted() (all []string) {
	type use struct{ what, url string }
	from := []use{{"--markers", j.forecast.Markers}, {"--tasks", j.Tasks.URL}}
	for _, h := range j.data() {
		from = append(from, use{h.flag, h.URL})
	}
	for _, from := range from {
		scheme, _, _ := strings.Cut(from.url, "://")
		for _, c := range credentialsOf {
			needs := from.what + " needs " + c.needs
			if c.scheme == scheme && !strings.Contains(from.url, "anonymous=true") && !slices.Contains(all, needs) {
				all = append(all, needs)
			}
		}
	}
	if v := j.forecast.Variables; len(v) > 0 {
		all = append(all, "the templates read "+strings.Join(v, ", "))
	}
	return all
}
