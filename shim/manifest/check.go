package manifest

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"nth/shim/config"
	"nth/shim/flags"
)

// check reads the flags that say something by themselves.
func (j *job) check(w World) (err error) {
	if j.version, err = parseVersion(j.KubernetesVersion); err != nil {
		return usage("--kubernetes-version", err, "")
	}
	for _, image := range [][2]string{{"--image", j.Image}, {"--nth-image", j.NthImage}} {
		if image[1] == "" || !only(image[1], "./:@_-") {
			return usage(image[0], fmt.Errorf("%q is no image", image[1]), "name it as for docker pull")
		}
	}
	switch {
	case j.Kind == "cronjob" && checkSchedule(j.Schedule) != nil:
		return usage("--schedule", checkSchedule(j.Schedule), "write minute, hour, day of the month, month and day of the week (0 to 6, from Sunday), such as '0 3 * * *', or @daily, or @every 90m")
	case j.Replicas < 1 || j.Replicas > mostAtOnce:
		return usage("--replicas", fmt.Errorf("%d is not from 1 to %d", j.Replicas, mostAtOnce), "give how many Jobs of its kind there are")
	case j.Namespace != "" && (!label(j.Namespace) || len(j.Namespace) > maxLabel):
		return usage("--namespace", fmt.Errorf("%q is no DNS label", j.Namespace), "write small letters, digits and dashes")
	case j.ServiceAccount != "" && !subdomain(j.ServiceAccount):
		return usage("--service-account", fmt.Errorf("%q is no name of an object", j.ServiceAccount), "write small letters, digits, dashes and dots")
	case j.User != nil && (*j.User < 0 || *j.User > math.MaxInt32):
		return usage("--user", fmt.Errorf("%d is no user ID", *j.User), "give a number, such as 1000")
	case j.Parallelism < 0:
		return usage("--parallelism", errors.New("it is negative"), "give how many pods run at the same time")
	case j.BackoffLimitPerIndex < 0 || j.BackoffLimitPerIndex > math.MaxInt32:
		return usage("--backoff-limit-per-index", errors.New("it is negative or too large"), "0 means no retries")
	}
	if j.mounted, err = j.parseVolumes(); err != nil {
		return err
	}
	if j.beside, err = j.sidecars(); err != nil {
		return err
	}
	for _, check := range []func() error{j.checkPlacement, j.checkQueue, j.checkRestarts} {
		if err := check(); err != nil {
			return err
		}
	}
	return j.checkStages(w)
}

// agree refuses flags that don't go together.
func (j *job) agree(World) error {
	return config.Check(config.Told{For: config.ForManifest, Config: &j.Config.Config, Completions: j.Index.Completions, Said: flags.Said(j.Config)})
}

// only tells whether a text has nothing but letters, digits and these.
func only(s, these string) bool {
	for i := range len(s) {
		if !letter(s[i]) && !digit(s[i]) && strings.IndexByte(these, s[i]) < 0 {
			return false
		}
	}
	return true
}
