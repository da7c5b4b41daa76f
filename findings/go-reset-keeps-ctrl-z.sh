#!/usr/bin/env bash
# Go 1.26.8: what a program has once asked for of SIGTSTP, SIGTTIN and SIGTTOU it never gives
# back: after signal.Notify, and then signal.Stop and signal.Reset, a Ctrl-Z has no effect any
# more. Package os/signal says that a SIGTSTP "gets the system default behavior", which is to
# stop, and of Reset that it undoes the effect of any prior calls to Notify; a good engineer
# would expect a program that wants the signal no longer to be suspended by it, as one that never
# asked. The runtime installs no handler of its own for these three at its start, and takes none
# away that Notify has installed (runtime/signal_unix.go, sigdisable and sigInstallGoHandler): it
# takes the signal, and does nothing. So a program that asks for every signal in its first lines,
# or for this one while it draws on a terminal, can't be suspended afterwards.
#
# Seen, by the state in /proc a second after SIGTSTP: T (stopped) of a program that never asked, S
# (sleeping) of the same one after Notify, Stop and Reset; its SigCgt in /proc keeps the bit. The
# script fails where the second is stopped as well.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOTOOLCHAIN=go1.26.8 GOFLAGS=-modcacherw GOPATH="$work/go" GOCACHE="$work/cache" CGO_ENABLED=0
cat >go.mod <<'MOD'
module asks

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTSTP)
		signal.Stop(c)
		signal.Reset(syscall.SIGTSTP)
	}
	println("ready")
	time.Sleep(time.Minute)
}
GO
go version
go build -o asks .
set -m # each has a group of its own, whose shell is here: else nothing could be stopped
state() {
  : >ready
  ./asks "$@" 2>ready &
  until grep -q ready ready; do sleep 0.1; done
  kill -TSTP $!
  sleep 1
  seen=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$!/status")
  caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$!/status")
  kill -KILL $!
  wait $! 2>/dev/null || true
}
state
echo "never asked for it: $seen, SigCgt $caught"
[ "$seen" = T ]
state notify
echo "Notify, Stop, Reset: $seen, SigCgt $caught"
[ "$seen" = S ]
