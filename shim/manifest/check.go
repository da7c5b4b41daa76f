package manifest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"nth/shim/config"
	"nth/shim/flags"
)

// check reads the flags that say something by themselves.
func (j *job) check(w World) (err error) {
	if j.version, err = parseVersion(j.KubernetesVersion); err != nil {
		return usage("--kubernetes-version", err, "")
	}
	if err = j.emptied(); err != nil {
		return err
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

// emptied refuses a flag of the manifest's own that was given and says nothing, such as
// --queue-name "$Q" where Q isn't set: the Job would run, and not where it was meant to.
func (j *job) emptied() error {
	for _, word := range j.own {
		flag, value, given := strings.Cut(word, "=")
		if !given || value != "" {
			continue
		}
		run, err := flags.Reference(&config.Config{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(run, func(r flags.Row) bool { return strings.Fields(r.Flag)[0] == flag }) {
			return usage(flag, errors.New("it is empty"), "give a value, or leave it out; is a variable of the shell not set?")
		}
	}
	return nil
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
