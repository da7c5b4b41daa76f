package once

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/store/contract"
)

func TestJudge(t *testing.T) {
	type want struct {
		Code    failure.Code // 0: success
		Outcome string
	}
	denied := &contract.Error{Kind: contract.Denied, Cause: errors.New("permission denied")}
	for _, tt := range []struct {
		name   string
		config config.Config
		result proc.Result
		want   want
	}{
		{"success", config.Config{}, proc.Result{}, want{0, marker.Done}},
		{"its own code", config.Config{}, proc.Result{ExitCode: 3}, want{3, ""}},
		{"a code that is success", config.Config{Markers: config.Markers{DoneExitCodes: []int{0, 3}}}, proc.Result{ExitCode: 3}, want{0, marker.Done}},
		{"0 isn't success", config.Config{Markers: config.Markers{DoneExitCodes: []int{3}}}, proc.Result{}, want{1, ""}},
		{"settled as bad", config.Config{Markers: config.Markers{SkipExitCodes: []int{9}}}, proc.Result{ExitCode: 9}, want{0, marker.Skipped}},
		{"killed", config.Config{}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL}, want{137, ""}},
		{"a signal is no exit code", config.Config{Markers: config.Markers{DoneExitCodes: []int{137}}}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL}, want{137, ""}},
		{"out of memory", config.Config{}, proc.Result{ExitCode: 137, Signal: syscall.SIGKILL, OOMKilled: true}, want{137, ""}},
		{"0 after a stop signal", config.Config{}, proc.Result{Stop: syscall.SIGTERM}, want{143, ""}},
		{"settled after a stop signal", config.Config{Markers: config.Markers{SkipExitCodes: []int{9}}}, proc.Result{ExitCode: 9, Stop: syscall.SIGINT}, want{130, ""}},
		{"0 after a stop signal is done", config.Config{Process: config.Process{ExitZeroAfterSignal: "done"}}, proc.Result{Stop: syscall.SIGTERM}, want{0, marker.Done}},
		{"failed after a stop signal", config.Config{}, proc.Result{ExitCode: 4, Stop: syscall.SIGTERM}, want{4, ""}},
		{"timeout", config.Config{}, proc.Result{TimedOut: true}, want{124, ""}},
		{"its lease is lost", config.Config{}, proc.Result{ExitCode: 143, Signal: syscall.SIGTERM, Cancelled: true}, want{75, ""}},
		{"its lease is lost, and it had succeeded", config.Config{}, proc.Result{Cancelled: true}, want{75, ""}},
		{"its output is lost", config.Config{}, proc.Result{Unpassed: syscall.ENOSPC}, want{69, ""}},
		{"its output is lost, which ended it", config.Config{}, proc.Result{ExitCode: 141, Signal: syscall.SIGPIPE, Unpassed: syscall.EIO}, want{69, ""}},
		{"its stdin breaks off", config.Config{}, proc.Result{ExitCode: 143, Signal: syscall.SIGTERM, Fed: io.ErrUnexpectedEOF}, want{69, ""}},
		{"its stdin breaks off, and it had succeeded", config.Config{}, proc.Result{Fed: io.ErrUnexpectedEOF}, want{69, ""}},
		{"its stdin breaks off, and it took too long to stop", config.Config{}, proc.Result{Signal: syscall.SIGKILL, TimedOut: true, Fed: io.ErrUnexpectedEOF}, want{124, ""}},
		{"its stdout isn't taken", config.Config{}, proc.Result{ExitCode: 143, Signal: syscall.SIGTERM, Taken: io.ErrShortWrite}, want{69, ""}},
		{"its stdout isn't taken, and it had succeeded", config.Config{}, proc.Result{Taken: io.ErrShortWrite}, want{69, ""}},
		{"its stdin may not be read", config.Config{}, proc.Result{ExitCode: 143, Signal: syscall.SIGTERM, Fed: denied}, want{77, ""}},
		{"its stdout may not be written", config.Config{}, proc.Result{Taken: fmt.Errorf("stage: %w", denied)}, want{77, ""}},
		{"its stdout isn't taken in time", config.Config{}, proc.Result{Taken: proc.ErrUntaken}, want{69, ""}},
		{"its stdout isn't taken in time, but a signal ended it", config.Config{}, proc.Result{ExitCode: 143, Signal: syscall.SIGTERM, Taken: proc.ErrUntaken}, want{143, ""}},
		{"reserved", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 78}, want{1, ""}},
		{"reserved 64", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 64}, want{1, ""}},
		{"not reserved 63", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 63}, want{63, ""}},
		{"reserved 126", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 126}, want{1, ""}},
		{"not reserved 125", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 125}, want{125, ""}},
		{"reserved 127", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 127}, want{1, ""}},
		{"not reserved", config.Config{Process: config.Process{ReserveExitCodes: true}}, proc.Result{ExitCode: 79}, want{79, ""}},
		{"reserved, but success", config.Config{Process: config.Process{ReserveExitCodes: true}, Markers: config.Markers{DoneExitCodes: []int{64}}}, proc.Result{ExitCode: 64}, want{0, marker.Done}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.config.Markers.DoneExitCodes == nil {
				tt.config.Markers.DoneExitCodes = []int{0} // the flag's default
			}
			as, failed := Judge(tt.config.Markers, tt.config.Process, &tt.result)
			got := want{Outcome: as}
			if failed != nil {
				got.Code = failed.Code
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
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
			if diff := cmp.Diff(tt.want, Overlay(tt.environ, tt.with)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
