package manifest

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// container is the name of the one in which the command runs; the policy names it too.
const container = "work"

func (j *job) pod() (object, error) {
	work, err := j.work()
	if err != nil {
		return nil, err
	}
	grace, sum := j.grace()
	o := pairs("restartPolicy", "Never", "enableServiceLinks", false).
		add("terminationGracePeriodSeconds", grace, sum).
		with("serviceAccountName", j.ServiceAccount).
		with("priorityClassName", j.PriorityClass).
		with("nodeSelector", j.selector).
		with("tolerations", j.tolerated)
	if j.User == nil {
		o[0].above = "Without --user UID no pod is made where the restricted Pod Security Standard is enforced."
	} else {
		user := pairs("runAsUser", *j.User)
		if *j.User != 0 {
			user = user.with("runAsNonRoot", true)
		}
		o = o.with("securityContext", user)
	}
	first := list{}
	if j.Via == "init-container" {
		first = append(first, j.installer())
	}
	for _, c := range j.beside {
		first = append(first, c)
	}
	return o.with("initContainers", first).with("containers", list{work}).with("volumes", j.volumes()), nil
}

// installer is the init container that copies nth into the shared volume.
func (j *job) installer() object {
	_, mount, volume := j.way()
	return pairs("name", "nth", "image", j.NthImage, "command", line{list{word("/nth"), word("install"), word(mount)}},
		"securityContext", restricted(),
		"volumeMounts", list{line{pairs("name", volume, "mountPath", mount)}})
}

// work is the container of the command.
func (j *job) work() (object, error) {
	env, words, err := j.variables()
	if err != nil {
		return nil, err
	}
	from, err := j.envFrom()
	if err != nil {
		return nil, err
	}
	args := list{}
	for i, w := range j.Command {
		if err := fits(fmt.Sprintf("word %d of the command", i), w); err != nil {
			return nil, err
		}
		args = append(args, escape(w))
	}
	o := pairs("name", container, "image", j.Image, "command", line{words}, "args", args)
	first := len(o)
	o = o.with("envFrom", from).with("env", env)
	o[first].above = strings.Join(j.wanted(), ". ")
	return j.restarts(o).with("resources", j.needs).with("securityContext", restricted()).with("volumeMounts", j.mounts()), nil
}

// restricted is what the restricted Pod Security Standard wants of a container, but for
// its user, and a root file system that nobody writes to.
func restricted() object {
	return pairs("allowPrivilegeEscalation", false, "readOnlyRootFilesystem", true,
		"capabilities", line{pairs("drop", list{"ALL"})}, "seccompProfile", line{pairs("type", "RuntimeDefault")})
}

// grace is how long a pod may take to end, in seconds, and how that comes about.
func (j *job) grace() (seconds int64, sum string) {
	const spare = 5
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"drain", j.Tasks.Drain}, {"stop-grace", j.stopGrace()}, {"sweep-grace", j.Process.SweepGrace}, {"marker-timeout", j.Stores.MarkerTimeout}} {
		if s := int64((part.d + time.Second - 1) / time.Second); s > 0 {
			seconds += s
			sum += fmt.Sprintf("%s %d + ", part.name, s)
		}
	}
	return seconds + spare, sum + fmt.Sprint(spare)
}

// held says what a sidecar costs that doesn't end: a pod has one grace period, and it is as
// long as nth may need after a stop, also where the work has ended by itself.
func (j *job) held() string {
	const enough = 20 * time.Second // for a store that is well
	grace, _ := j.grace()
	s := fmt.Sprintf("a sidecar that ignores SIGTERM holds each pod for all of its grace period of %d s after the work: let it end", grace)
	if less := j.Stores.MarkerTimeout - enough; less > 0 {
		s += fmt.Sprintf(", or --marker-timeout %s makes it %d s, and an outage of the store that is longer costs the work of the items that end meanwhile", enough, grace-int64(less.Seconds()))
	}
	return s
}

// maxText is the longest variable or argument that Linux takes, in bytes, a variable with
// its name (execve(2), MAX_ARG_STRLEN).
const maxText = 128<<10 - 1

// fits refuses what no argument and no variable can hold.
func fits(what, text string) error {
	switch {
	case !utf8.ValidString(text):
		return usage(what, errors.New("it is not UTF-8, and a manifest holds nothing else"), "let a script in the image make it")
	case len(text) > maxText:
		return usage(what, fmt.Errorf("it has %d bytes, and Linux takes %d", len(text), maxText), "put it into a file, such as a ConfigMap's")
	}
	return nil
}
