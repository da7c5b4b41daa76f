package manifest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"nth/shim/identity"
)

// repairTTL is how long a repair that has ended stays: a Job that exists isn't run again,
// and another repair of the same Job has the same name.
const repairTTL = time.Hour

// success is --success-policy: of which indexes so many must have succeeded.
type success struct {
	indexes string // empty: of all
	count   int64  // 0: all of them
}

// parseSuccess reads LIST, count=N, or both with a comma between.
func (j *job) parseSuccess() (s success, err error) {
	const hint = "write indexes such as 0-9, count=5, or both: 0-9,count=5"
	list, count, counted := strings.Cut(j.SuccessPolicy, "count=")
	if list = strings.TrimSuffix(list, ","); list == "" && !counted {
		return s, nil
	}
	if counted {
		if s.count, err = strconv.ParseInt(count, 10, 32); err != nil || s.count < 1 {
			return s, usage("--success-policy", fmt.Errorf("%q is no positive number", count), hint)
		}
	}
	of := j.total
	if list != "" {
		l, err := identity.ParseList(list)
		switch {
		case err != nil:
			return s, usage("--success-policy", err, hint)
		case l.Last() >= j.total:
			return s, usage("--success-policy", fmt.Errorf("%d is beyond the last index, %d", l.Last(), j.total-1), hint)
		}
		s.indexes, of = l.String(), l.Len()
	}
	if s.count > of {
		return s, usage("--success-policy", fmt.Errorf("%d are more than the %d that there are", s.count, of), hint)
	}
	return s, nil
}

// ends reads the flags that say how the Job ends.
func (j *job) ends(World) (err error) {
	switch {
	case j.TTL != nil && (*j.TTL < 0 || seconds(*j.TTL) > math.MaxInt32):
		return usage("--ttl", errors.New("it is negative, or longer than Kubernetes takes"), "0s deletes the Job as soon as it has ended")
	case j.ActiveDeadline < 0 || j.ActiveDeadline > 0 && j.ActiveDeadline < time.Second:
		return usage("--active-deadline", errors.New("it is less than a second"), "give how long all of the Job may take")
	}
	if j.TTL == nil && j.repairs() {
		ttl := repairTTL
		j.TTL = &ttl
	}
	j.success, err = j.parseSuccess()
	return err
}

// successPolicy adds it to the Job's spec.
func (j *job) successPolicy(o object) object {
	rule := object{}.with("succeededIndexes", j.success.indexes)
	if j.success.count > 0 {
		rule = rule.add("succeededCount", j.success.count, "")
	}
	if len(rule) == 0 {
		return o
	}
	return o.add("successPolicy", pairs("rules", list{rule}), successRules.note()+"; then the other pods are ended")
}

// ttl adds how long the object stays when it has ended. A JobSet has its own.
func (j *job) ttl(o object) object {
	if j.TTL == nil {
		return o
	}
	return o.add("ttlSecondsAfterFinished", seconds(*j.TTL), "then it is deleted, and its name is free")
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
