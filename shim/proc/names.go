package proc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// maxSignal is the greatest signal number (Linux, SIGRTMAX).
const maxSignal = 64

// SignalName gives SIGTERM for 15, and "signal 40" for one without a name.
func SignalName(sig syscall.Signal) string {
	if name := nameOf(sig); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(int(sig))
}

// ParseSignal reads TERM, SIGTERM, term or 15: a number from 1 to 64. An error says what to
// write instead.
func ParseSignal(s string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > maxSignal {
			return 0, fmt.Errorf("there is no signal %d; numbers go from 1 to %d", n, maxSignal)
		}
		return syscall.Signal(n), nil
	}
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	for sig := syscall.Signal(1); sig <= maxSignal; sig++ { // unix.SignalNum makes a table of all
		if nameOf(sig) == name {
			return sig, nil
		}
	}
	return 0, fmt.Errorf("there is no signal %q; write TERM, INT, HUP, QUIT, USR1, … or a number", s)
}

// ParseSignals reads a list such as TERM,INT; an empty text is no signals. It is an error
// if one of them isn't a signal, or can't be caught.
func ParseSignals(s string) (list []syscall.Signal, err error) {
	if s == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		sig, err := ParseSignal(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if sig == syscall.SIGKILL || sig == sigStop {
			return nil, fmt.Errorf("%s can't be caught", SignalName(sig))
		}
		list = append(list, sig)
	}
	return list, nil
}

// ParseRemap reads a list such as TERM=INT,HUP=: another signal, or none (0); an empty
// text is nil. Errors are as those of ParseSignals.
func ParseRemap(s string) (map[syscall.Signal]syscall.Signal, error) {
	if s == "" {
		return nil, nil
	}
	remap := map[syscall.Signal]syscall.Signal{}
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not FROM=TO, such as TERM=INT, or HUP= to drop it", part)
		}
		list, err := ParseSignals(strings.TrimSpace(from))
		if err != nil || len(list) != 1 {
			return nil, errors.Join(err, fmt.Errorf("%q names no signal to remap", part))
		}
		remap[list[0]] = 0
		if to = strings.TrimSpace(to); to != "" {
			if remap[list[0]], err = ParseSignal(to); err != nil {
				return nil, err
			}
		}
	}
	return remap, nil
}
