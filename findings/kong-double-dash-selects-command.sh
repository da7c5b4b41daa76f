#!/bin/sh
# github.com/alecthomas/kong v1.17.0: "--" doesn't end what kong looks for. After it the next word
# is still matched against the commands, so that "app -- status" runs the command status; and
# behind a command whose arguments pass through, "--" is one of them ("app run -- x" hands on
# "--" and "x"). A good engineer would expect what POSIX and getopt(3) have: all words after "--"
# are operands, and "--" itself is gone. A program that wraps other programs' command lines,
# with a default command, so runs its own subcommand where a user named a program; the way out
# is to split the words before kong sees them.
#
# Seen: both as said, and "app x" with the default command gives it "x". The script fails where
# "--" protects the word, or is taken out.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"
)

type app struct {
	Run struct {
		Words []string `arg:"" optional:"" passthrough:""`
	} `cmd:"" default:"withargs"`
	Status struct{} `cmd:""`
}

func parse(words ...string) (string, []string) {
	var a app
	p, err := kong.New(&a, kong.Name("app"))
	if err != nil {
		panic(err)
	}
	ctx, err := p.Parse(words)
	if err != nil {
		return "error: " + err.Error(), nil
	}
	fmt.Printf("%q: command %q, words %q\n", words, ctx.Command(), a.Run.Words)
	return ctx.Command(), a.Run.Words
}

func main() {
	plain, one := parse("x")
	dashed, none := parse("--", "status")
	_, passed := parse("run", "--", "x")
	if plain != "run <words>" || !slices.Equal(one, []string{"x"}) || dashed != "status" || len(none) != 0 || !slices.Equal(passed, []string{"--", "x"}) {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/alecthomas/kong@v1.17.0 >/dev/null 2>&1
go list -m github.com/alecthomas/kong
go run .
