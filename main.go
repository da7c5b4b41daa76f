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
	"runtime/debug"
	"time"

	"nth/shim"
	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/install"
	"nth/shim/local"
	"nth/shim/manifest"
	"nth/shim/plan"
	"nth/shim/proc"
	"nth/shim/repair"
	"nth/shim/status"
	"nth/templates"
)

// Set by the release build.
var (
	version = "dev"
	commit  = "unknown"
)

// subcommands are words only as the very first argument. All else is `nth run`,
// so that no command of a user's is ever taken for one.
var subcommands = map[string]func(args []string) int{
	"run":      runIndex,
	"plan":     planJob,
	"local":    localJob,
	"status":   showStatus,
	"reset":    resetItems,
	"mark":     markItems,
	"check":    checkStore,
	"manifest": printManifest,
	"install":  installCopy,
	"version":  printVersion,
}

func main() {
	if os.Args[0] == proc.WatcherName {
		proc.WatcherMain()
		return
	}
	os.Exit(dispatch(os.Args[1:]))
}

func dispatch(args []string) (code int) {
	defer func() {
		if bug := recover(); bug != nil {
			code = shim.Refuse(fmt.Errorf("panic: %v", bug), world())
			os.Stderr.Write(debug.Stack())
		}
	}()
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

Other commands (as the first word): plan, local, status, reset, mark, check, manifest, install, version; each has --help.`,
	Example: `JOB_COMPLETION_INDEX=3 nth run --markers file:///tmp/markers?create_dir=true -- echo 'item <<.Index>>'`,
}

func runIndex(args []string) int {
	var c config.Config
	_, rest, err := flags.Parse(runSpec, &c, args)
	if err != nil {
		return shim.Refuse(err, world())
	}
	c.Command = rest
	return shim.Run(c, world())
}

// world is the process's own surroundings.
func world() edge.World {
	hostname, _ := os.Hostname() // without one, the records have none
	return edge.World{
		Environ: os.Environ(), LookupEnv: os.LookupEnv, Own: flags.Variables(config.Config{}, local.Config{}, planFlags{}),
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
	config.Config
	Format string `group:"Messages" env:"-" default:"text" enum:"text,json" help:"text or json."`
}

var planSpec = flags.Spec{
	Name: "nth plan", Args: "[--] COMMAND [ARG...]",
	About: `Print what every index would run, and run nothing. Exit 1 when two indexes expand to the
same command or the command doesn't use the index. With a manifest in --tasks, each index with
its row, and how much the Job will read of it. Takes the flags of nth run.`,
	Example: `nth plan --completions 3 -- process_file '/data/file_<<.Index>>.txt'`,
}

func planJob(args []string) int {
	var c planFlags
	_, rest, err := flags.Parse(planSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	c.Command = rest
	p, err := plan.New(c.Config, world())
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

var localSpec = flags.Spec{
	Name: "nth local", Args: "[--] COMMAND [ARG...]",
	About: `Run the whole Indexed Job on this machine: one nth run for each index, with retries and
the exit-code policy of the manifest. Ctrl-C stops it cleanly, a second one at once; with
--markers, the same command goes on where it stopped. Takes the flags of nth run.`,
	Example: `nth local --completions 5 --markers file:///tmp/m?create_dir=true -- echo 'item <<.Index>>'`,
}

func localJob(args []string) int {
	var c local.Config
	own, rest, err := flags.Parse(localSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	c.Command = rest
	return ended(local.Command(c, own, world()))
}

var resetSpec = flags.Spec{
	Name: "nth reset",
	About: `Forget indexes, so that they run again: delete what is recorded of them, the markers
last. What a living run claims is refused. Exit 0 when all was done, 1 when some were refused.`,
	Example: `nth reset --markers file:///tmp/markers?create_dir=true --indexes 3,7-9 --dry-run`,
}

func resetItems(args []string) int {
	var c repair.Config
	_, rest, err := flags.Parse(resetSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	return ended(repair.Reset(c, rest, repairWorld()))
}

var markSpec = flags.Spec{
	Name: "nth mark",
	About: `Record indexes as done by hand, with a reason: they are not run any more. What has a
marker is left alone, and what a living run claims is refused. Exit 0 when all was done, 1
when some were refused.`,
	Example: `nth mark --markers file:///tmp/markers?create_dir=true --indexes 7 --reason 'the file is empty' --dry-run`,
}

func markItems(args []string) int {
	var c repair.MarkConfig
	_, rest, err := flags.Parse(markSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	return ended(repair.Mark(c, rest, repairWorld()))
}

func repairWorld() repair.World {
	w := world()
	return repair.World{Sources: templates.Sources{LookupEnv: w.LookupEnv, ReadFile: os.ReadFile},
		Hostname: w.Hostname, RunID: w.RunID, Version: w.Version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// ended gives the exit code of a command that has one of its own, unless it failed.
func ended(code int, err error) int {
	if err != nil {
		return refuse(err)
	}
	return code
}

var checkSpec = flags.Spec{
	Name: "nth check",
	About: `Prove that a store keeps what nth needs of it, before a Job is started: read, list, create
if absent, replace on condition, copy and delete, with probes under the real prefix that are
removed again. Names the permission that is missing, and tells what the store can serve.
Exit 0 when --markers works, else the exit code that a run would end with.`,
	Example: `nth check --markers file:///tmp/markers?create_dir=true`,
}

func checkStore(args []string) int {
	var c check.Config
	_, rest, err := flags.Parse(checkSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	w := world()
	err = check.Command(c, rest, check.World{Sources: templates.Sources{LookupEnv: w.LookupEnv, ReadFile: os.ReadFile},
		Hostname: w.Hostname, RunID: w.RunID, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		return refuse(err)
	}
	return 0
}

var manifestSpec = flags.Spec{
	Name: "nth manifest", Args: "[--] COMMAND [ARG...]",
	About: `Print the Kubernetes Job that runs this command, with an index for each item: from the
command line that nth run takes, whose flags become variables of the container. With
--indexes, --missing or --failed a small Job that repairs a large one.`,
	Example: `nth manifest --name checksums --completions 100 --image busybox:1.36 --markers 's3://my-bucket/<<.Job>>' -- sha256sum '/data/file_<<.Index>>.txt'`,
}

func printManifest(args []string) int {
	var c manifest.Config
	own, rest, err := flags.Parse(manifestSpec, &c, args)
	if err == nil {
		err = manifest.Command(c, own, rest, manifest.World{World: world(), Stdout: os.Stdout})
	}
	if err != nil {
		return refuse(err)
	}
	return 0
}

var statusSpec = flags.Spec{
	Name: "nth status",
	About: `Tell from a Job's markers, from anywhere, what is done, what failed and why, what is running
and what is missing. It lists, and reads no documents but those of failures. Exit 0 when every
index is done or skipped, 1 when something is not; with --list and --logs 0.`,
	Example: `nth status --markers file:///tmp/markers?create_dir=true --completions 5`,
}

func showStatus(args []string) int {
	var c status.Config
	_, rest, err := flags.Parse(statusSpec, &c, args)
	if err != nil {
		return refuse(err)
	}
	w := world()
	code, err := status.Command(c, rest, status.World{Sources: templates.Sources{LookupEnv: w.LookupEnv, ReadFile: os.ReadFile},
		Hostname: w.Hostname, RunID: w.RunID, Version: version, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		return refuse(err)
	}
	return code
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
