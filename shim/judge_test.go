package shim

import (
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/proc"
)

func TestJudge(t *testing.T) {
	type want struct {
		Code    failure.Code // 0: success
		Outcome string
	}
	for _, tt := range []struct {
		name   string
		config Config
		result proc.Result
		want   want
	}{
		{"success", Config{}, proc.Result{}, want{0, marker.Done}},
		{"its own code", Config{}, proc.Result{ExitCode: 3}, want{3, ""}},
		{"a code that is success", Config{Markers: config.Markers{DoneExitCodes: []int{0, 3}}}, proc.Result{ExitCode: 3}, want{0, marker.Done}},
		{"0 isn't success", Config{Markers: config.Markers{DoneExitCodes: []int{3}}}, proc.Result{}, want{1, ""}},
		{"settled as bad", Config{Markers: config.Markers{SkipExitCodes: []int{9}}}, proc.Result{ExitCode: 9}, want{0, marker.Skipped}},
		{"killed", Config{}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL}, want{137, ""}},
		{"a signal is no exit code", Config{Markers: config.Markers{DoneExitCodes: []int{137}}}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL}, want{137, ""}},
		{"out of memory", Config{}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL, OOMKilled: true}, want{137, ""}},
		{"0 after a stop signal", Config{}, proc.Result{Stop: syscall.SIGTERM}, want{143, ""}},
		{"settled after a stop signal", Config{Markers: config.Markers{SkipExitCodes: []int{9}}}, proc.Result{ExitCode: 9, Stop: syscall.SIGINT}, want{130, ""}},
		{"0 after a stop signal is done", Config{Process: config.Process{ExitZeroAfterSignal: "done"}}, proc.Result{Stop: syscall.SIGTERM}, want{0, marker.Done}},
		{"failed after a stop signal", Config{}, proc.Result{ExitCode: 4, Stop: syscall.SIGTERM}, want{4, ""}},
		{"timeout", Config{}, proc.Result{TimedOut: true}, want{124, ""}},
		{"reserved", Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 78}, want{1, ""}},
		{"reserved 127", Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 127}, want{1, ""}},
		{"not reserved", Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 79}, want{79, ""}},
		{"reserved, but success", Config{Process: config.Process{ReserveExitCodes: true}, Markers: config.Markers{DoneExitCodes: []int{64}}}, proc.Result{ExitCode: 64}, want{0, marker.Done}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config.Markers.DoneExitCodes == nil {
				tt.config.Markers.DoneExitCodes = []int{0} // the flag's default
			}
			r := run{Config: tt.config, item: &item{stableCommand: []string{"work"}}, result: tt.result, ran: true}
			got := want{}
			if err := r.judge(); err != nil {
				got.Code = failure.From(err).Code
			}
			got.Outcome = r.outcome
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStderrMasksSecretsAtTheCut(t *testing.T) {
	n := 20
	for _, tt := range []struct {
		name      string
		kept      string
		truncated bool
		want      string
	}{
		{"whole", "login hunter2 failed", false, "login *** failed"},
		{"a secret spans the cut", "ahunter2 and the rest of it", true, " and the rest of it"},
		{"a piece of one at the start", "ter2 hello 012345678", true, "llo 012345678"},
		{"not valid UTF-8", "1234567\xff\xfeok", true, "\uFFFDok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run{Config: Config{Process: config.Process{StderrTail: &n}}, item: &item{secrets: []string{"hunter2"}},
				result: proc.Result{Stderr: []byte(tt.kept), StderrTruncated: tt.truncated}}
			if diff := cmp.Diff(tt.want, r.stderr()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOverlay(t *testing.T) {
	for _, tt := range []struct {
		name          string
		environ, with []string
		want          []string
	}{
		{"nothing to set", []string{"A=1"}, nil, []string{"A=1"}},
		{"replaced", []string{"A=1", "B=2"}, []string{"A=3"}, []string{"B=2", "A=3"}},
		{"the last wins", []string{"A=1"}, []string{"A=2", "A=3"}, []string{"A=3"}},
		{"a value with =", nil, []string{"A=b=c"}, []string{"A=b=c"}},
		{"the same twice", nil, []string{"A=1", "A=1"}, []string{"A=1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, overlay(tt.environ, tt.with)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
