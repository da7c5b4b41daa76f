// Command nth turns any container image into a safe worker of an indexed batch
// job: it is the image's ENTRYPOINT, and runs one index once.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"nth/shim"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/install"
	"nth/shim/proc"
)

// Set by the release build.
var (
	version = "dev"
	commit  = "unknown"
)

// subcommands are words only as the very first argument. All else is `nth run`,
// so that no command of a user's is ever taken for one.
var subcommands = map[string]func(args []string) int{
	"run":     runIndex,
	"plan":    planJob,
	"local":   localJob,
	"install": installCopy,
	"version": printVersion,
}

func main() {
	if os.Args[0] == proc.WatcherName {
		proc.WatcherMain()
		return
	}
	os.Exit(dispatch(os.Args[1:]))
}

func dispatch(args []string) int {
	if len(args) > 0 {
		if do, ok := subcommands[args[0]]; ok {
			return do(args[1:])
		}
	}
	return runIndex(args)
}

var runSpec = flags.Spec{
	Name: "nth run", Args: "[--] COMMAND [ARG...]",
	About: `Run one index of a batch job: expand the << >> templates of the command, skip it if
its completion marker exists, run it as PID 1 should, and write the marker on success.

Other commands (as the first word): plan, local, install, version; each has --help.`,
	Example: `JOB_COMPLETION_INDEX=3 nth run --markers file:///tmp/markers?create_dir=true -- echo 'item <<.Index>>'`,
}

func runIndex(args []string) int {
	var c shim.Config
	_, rest, err := flags.Parse(runSpec, &c, args)
	if err != nil {
		return shim.Refuse(err, world())
	}
	c.Command = rest
	return shim.Run(c, world())
}

// world is the process's own surroundings.
func world() shim.World {
	hostname, _ := os.Hostname() // without one, the records have none
	return shim.World{
		Environ: os.Environ(), LookupEnv: os.LookupEnv, Own: flags.Variables(shim.Config{}, localFlags{}, planFlags{}),
		Hostname: hostname, Stderr: os.Stderr, Now: time.Now, RunID: newRunID(), Version: version,
	}
}

// newRunID names one run: its second first, so that a listing sorts, and 64
// random bits.
func newRunID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return time.Now().UTC().Format("20060102t150405z") + "-" + hex.EncodeToString(b[:])
}

type planFlags struct {
	shim.Config
	Format string `group:"Messages" env:"-" default:"text" enum:"text,json" help:"text or json."`
}

var planSpec = flags.Spec{
	Name: "nth plan", Args: "[--] COMMAND [ARG...]",
	About: `Print what every index would run, and run nothing. Exit 1 when two indexes expand to the
same command or the command doesn't use the index. Takes the flags of nth run.`,
	Example: `nth plan --completions 3 -- process_file '/data/file_<<.Index>>.txt'`,
}

func planJob(args []string) int {
	var c planFlags
	_, rest, err := flags.Parse(planSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	c.Command = rest
	p, err := shim.NewPlan(c.Config, world())
	if err != nil {
		return refuse(err)
	}
	if c.Format == "json" {
		err = p.WriteJSON(os.Stdout)
	} else {
		err = p.WriteText(os.Stdout, os.Stderr)
	}
	if err != nil {
		return refuse(&failure.Failure{Code: failure.Unavailable, Tried: "print the plan", Cause: err})
	}
	return p.Code()
}

var installSpec = flags.Spec{
	Name: "nth install", Args: "DEST",
	About: `Copy this binary to DEST, a file or an existing directory, such as a volume that
an init container shares: atomically, with mode 0555, as often as you like.`,
	Example: `nth install /tmp/nth`,
}

func installCopy(args []string) int {
	var none struct{}
	_, rest, err := flags.Parse(installSpec, &none, args)
	if err == nil && len(rest) != 1 {
		err = &failure.Failure{Code: failure.Usage, Tried: "install", Cause: errors.New("DEST is not one word"), Hint: "nth install DEST"}
	}
	if err == nil {
		err = install.Copy(rest[0])
	}
	if err != nil {
		return refuse(err)
	}
	return 0
}

var versionSpec = flags.Spec{Name: "nth version", About: "Print version, commit, Go version and platform.", Example: "nth version"}

func printVersion(args []string) int {
	var none struct{}
	if _, _, err := flags.Parse(versionSpec, &none, args); err != nil {
		return refuse(err)
	}
	fmt.Printf("nth %s (commit %s, %s, %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}

// refuse ends a command that a person runs: one line on stderr.
func refuse(err error) int {
	f := failure.From(err)
	fmt.Fprintln(os.Stderr, "nth: "+f.Error())
	return int(f.Code)
}
