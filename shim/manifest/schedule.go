package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cronField is one of the five of a schedule: its bounds, and the names that stand for
// numbers from the least on.
type cronField struct {
	what        string
	least, most int
	names       []string
}

var cronFields = [...]cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of the week", 0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// cronWords stand for five fields.
var cronWords = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}

// checkSchedule tells what Kubernetes would refuse about a CronJob's schedule: it reads it
// with github.com/robfig/cron/v3's ParseStandard, and takes no time zone in it
// (kubernetes pkg/apis/batch/validation, validateScheduleFormat). That is not crontab(5):
// Sunday is 0 alone, there is no @reboot, and @every 90m.
func checkSchedule(s string) error {
	every, counted := strings.CutPrefix(s, "@every ")
	switch {
	case s == "":
		return errors.New("it is empty")
	case strings.Contains(s, "TZ"):
		return errors.New("a time zone stands in it, which Kubernetes doesn't take: it is the controller's own, most often UTC")
	case counted:
		_, err := time.ParseDuration(every)
		return err
	case s[0] == '@' && !slices.Contains(cronWords, s):
		return fmt.Errorf("%q is none of %s and @every 90m", s, strings.Join(cronWords, ", "))
	case s[0] == '@':
		return nil
	}
	fields := strings.Fields(s)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("%q has %d fields, and not %d", s, len(fields), len(cronFields))
	}
	for i, f := range cronFields {
		for part := range strings.SplitSeq(fields[i], ",") {
			if err := f.check(part); err != nil && part != "" {
				return fmt.Errorf("%q is no %s: %w", part, f.what, err)
			}
		}
	}
	return nil
}

// check reads a number, a range or a star, each with a step or without.
func (f cronField) check(part string) (err error) {
	span, step, stepped := strings.Cut(part, "/")
	low, high, isRange := strings.Cut(span, "-")
	first, last := f.least, f.most
	if low != "*" && low != "?" {
		if first, err = f.number(low); err != nil {
			return err
		}
		if last = first; stepped && !isRange {
			last = f.most
		}
		if isRange {
			if last, err = f.number(high); err != nil {
				return err
			}
		}
	} // what follows a star, Kubernetes doesn't look at
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
		return fmt.Errorf("the step %q is no positive number", step)
	}
	switch {
	case first < f.least || last > f.most:
		return fmt.Errorf("it goes from %d to %d", f.least, f.most)
	case first > last:
		return errors.New("the range goes backwards")
	}
	return nil
}

func (f cronField) number(s string) (int, error) {
	if at := slices.Index(f.names, strings.ToLower(s)); at >= 0 {
		return f.least + at, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n, nil
}
