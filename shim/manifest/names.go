package manifest

import (
	"errors"
	"fmt"
	"strings"
)

// maxLabel is the length of a DNS label, of which a pod's host name is one.
const maxLabel = 63

// label tells whether a name is a DNS label, but for its length.
func label(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && strings.Trim(name, "-") == name
}

// subdomain tells whether a name may be that of an object, such as a secret.
func subdomain(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if !label(part) {
			return false
		}
	}
	return len(name) <= 253
}

// nameRoom is what each kind puts behind its name, up to the host name of its last pod.
func (j *job) nameRoom() (suffix string, most int) {
	last := fmt.Sprintf("-%d", j.completions-1)
	switch j.Kind {
	case "cronjob": // a dash and up to ten digits for the time (kubernetes ValidateCronJobCreate)
		return "-0123456789" + last, maxLabel - 11
	case "jobset": // jobset pkg/webhooks: the pod's name too must be a label
		return fmt.Sprintf("-%s-%d%s-abcde", j.ReplicatedJob, j.Replicas-1, last), maxLabel
	}
	return last, maxLabel
}

// checkName refuses a name of which the pods' could not be made.
func (j *job) checkName() error {
	if !label(j.name) {
		return usage("--name", fmt.Errorf("%q is no DNS label, as the host names of an indexed Job's pods must be", j.name), "write small letters, digits and dashes, such as resize-2024")
	}
	if j.Kind == "jobset" && digit(j.name[0]) {
		return usage("--name", errors.New("a JobSet's name begins with a letter"), "write small letters, digits and dashes")
	}
	suffix, most := j.nameRoom()
	if most = min(most, maxLabel-len(suffix)); len(j.name) > most {
		return usage("--name", fmt.Errorf("%q has %d characters, and with %q behind it that is more than the %d of a host name", j.name, len(j.name), suffix, maxLabel),
			fmt.Sprintf("%d characters fit", most))
	}
	return nil
}
