package manifest

import (
	"errors"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/flags"
)

// passing are the codes of nth's own for what may be over a moment later, and is no fault of
// the item's.
var passing = [...]failure.Code{failure.Unavailable, failure.NotRecorded, failure.Denied}

// checkRestarts refuses restarts by codes that may be the command's own.
func (j *job) checkRestarts() error {
	if !j.RestartInPlace {
		return nil
	}
	for _, s := range flags.Given(config.Config{}, j.own, j.lookup) {
		if s.Flag == "--reserve-exit-codes" && s.Value == "false" {
			return contradiction("--restart-in-place and --reserve-exit-codes=false", errors.New("a command that itself ends with 69, 73 or 77 would be started again for ever"), "take one of them away")
		}
	}
	return nil
}

// restarts adds to the container of the command when it is started again in its pod.
func (j *job) restarts(o object) object {
	if !j.RestartInPlace {
		return o
	}
	var codes list
	for _, c := range passing {
		codes = append(codes, int64(c))
	}
	rule := pairs("action", "Restart", "exitCodes", line{pairs("operator", "In", "values", codes)})
	return o.with("restartPolicy", "Never").add("restartPolicyRules", list{rule}, restartRules.note()+"; no failure of the index")
}
