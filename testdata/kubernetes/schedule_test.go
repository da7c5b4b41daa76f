package kubernetes

import (
	"strings"
	"testing"

	"github.com/robfig/cron/v3"
)

// TestSchedules: --schedule takes what Kubernetes takes, whose parser is the judge.
func TestSchedules(t *testing.T) {
	for _, s := range []string{
		"0 3 * * *", "*/15 * * * *", "0 3 * * 1-5", "0 3 * jan-MAR mon,Wed", "0 3 ? * ?", "5/10 * * * *", "0-30/5 * * * *", "0 0 31 2 *", "+5 * * * *", "007 * * * *",
		"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@every 90m", "@every 1h30m5s", "  0  3 * * * ", "0\t3 * * *",
		"*-7 * * * *", "*-x/2 * * * *", ", * * * *", "1,,2 * * * *", "@every -5m", "*/100 * * * *", "0 3 * * sun-sat",

		"", " ", "0 3 * *", "0 3 * * * *", "0 3 * * 7", "0 3 * * fri-mon", "0 3 * * 5-1", "H 3 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *",
		"@reboot", "@Daily", " @daily", "@daily ", "@every", "@every 5", "@every  5m", "@every x", "*/0 * * * *", "*/-1 * * * *", "*/x * * * *", "1/2/3 * * * *", "1-2-3 * * * *", "-1 * * * *", "1- * * * *",
		"jan * * * *", "0 3 * january *", "0 3 * * L", "0 3 15W * *", "0 3 * * 1#2", "0x1 * * * *", "1_0 * * * *", "99999999999999999999 * * * *", "0 3 * * *; rm", "1-x * * * *", "*-2-3 * * * *",
	} {
		_, judged := cron.ParseStandard(s)
		args := append([]string{"--name", "j", "--kind", "cronjob", "--schedule=" + s, "--completions", "1", "--image", "b", "--"}, echo("<<.Index>>")...)
		_, stderr, code := run(t, nil, append([]string{nth, "manifest"}, args...)...)
		if (judged == nil) != (code == 0) || code != 0 && (code != 64 || !strings.Contains(stderr, "--schedule")) {
			t.Errorf("%q: Kubernetes says %v, nth %d: %s", s, judged, code, stderr)
		}
	}
	for _, s := range []string{"TZ=UTC 0 3 * * *", "CRON_TZ=Europe/Berlin 0 3 * * *", "TZ=UTC"} { // validateScheduleFormat
		if _, stderr, code := run(t, nil, nth, "manifest", "--name", "j", "--kind", "cronjob", "--schedule", s, "--completions", "1", "--image", "b", "--", "x"); code != 64 || !strings.Contains(stderr, "time zone") {
			t.Errorf("%q: %d: %s", s, code, stderr)
		}
	}
}
