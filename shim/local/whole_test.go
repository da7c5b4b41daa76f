package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nth/shim/proc"
	"nth/testdata/harness"
)

// TestMain makes the test binary the child, or a whole nth local, when it is
// called so.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "child":
			os.Exit(attempt(os.Args[2], os.Args[3:]))
		case "whole":
			os.Exit(whole(os.Args[2:]))
		}
	}
	// The race detector sleeps a second at every exit, so for every child.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// whole is nth local as main would call it: whole COMPLETIONS PARALLELISM CHILD-ARGS…
func whole(args []string) int {
	n, _ := strconv.ParseInt(args[0], 10, 64)
	p, _ := strconv.Atoi(args[1])
	signals := make(chan os.Signal)
	go relay(signals)
	s, err := Run(context.Background(), Options{
		Completions: n, Parallelism: p, Self: os.Args[0], Args: append([]string{"child"}, args[2:]...),
		Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	fmt.Fprint(os.Stderr, s)
	return s.ExitCode()
}

// seenVariable names the folder in which a whole nth local notes each signal that it has
// seen. Of two that are sent at once the kernel may deliver either first.
const seenVariable = "SIGNALS_SEEN"

func relay(signals chan<- os.Signal) {
	sent := make(chan os.Signal, 4)
	signal.Notify(sent, syscall.SIGINT, syscall.SIGTERM)
	for s := range sent {
		signals <- s
		if dir := os.Getenv(seenVariable); dir != "" {
			announce(dir, s.String())
		}
	}
}

// send sends signals, each when the one before was seen.
func send(t *testing.T, cmd *exec.Cmd, seen string, signals ...syscall.Signal) {
	t.Helper()
	for i, s := range signals {
		if i > 0 {
			waitPid(t, filepath.Join(seen, signals[i-1].String()))
		}
		_ = cmd.Process.Signal(s)
	}
}

// attempt is one attempt; what it does depends on the behaviour and the index.
func attempt(behaviour string, args []string) int {
	index := os.Getenv("JOB_COMPLETION_INDEX")
	switch behaviour {
	case "hello":
		fmt.Println("out", index)
		fmt.Fprintln(os.Stderr, "err", index)
	case "codes": // index=code pairs; a termination message for each failure
		for _, a := range args {
			i, code, _ := strings.Cut(a, "=")
			if i != index {
				continue
			}
			c, _ := strconv.Atoi(code)
			_ = os.WriteFile(os.Getenv("NTH_TERMINATION_LOG"), []byte("nth: index "+i+": because"), 0)
			return c
		}
	case "flaky": // succeeds at the given attempt
		want, _ := strconv.Atoi(args[0])
		failures, _ := strconv.Atoi(os.Getenv("NTH_INDEX_FAILURES"))
		if failures+1 < want {
			return 1
		}
	case "suicide":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "sleep": // until SIGTERM; says its pid in a file of the directory
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		announce(args[0], index)
		<-c
		return 143
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		announce(args[0], index)
		for {
			time.Sleep(time.Hour)
		}
	case "mixed": // index 0 exits with the code as soon as the others run
		if index != "0" {
			return attempt("sleep", args)
		}
		for entries, _ := os.ReadDir(args[0]); len(entries) < 1; entries, _ = os.ReadDir(args[0]) {
			time.Sleep(time.Millisecond)
		}
		code, _ := strconv.Atoi(args[1])
		return code
	case "deaf": // ends well, whatever nth local says
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("out", index)
	case "partial":
		fmt.Print("a\nno end ", index)
	case "long":
		fmt.Print(strings.Repeat("x", 3*maxLine), "\nafter\n")
	case "binary":
		b := make([]byte, 200_000)
		for i := range b {
			b[i] = byte(i)
		}
		os.Stdout.Write(b)
	case "chatty":
		for i := range 2000 {
			fmt.Printf("%s:%d:%s\n", index, i, strings.Repeat(index, i%50))
		}
	case "daemon": // leaves a process that holds the pipes open
		p, err := os.StartProcess(os.Args[0], []string{os.Args[0], "child", "stubborn", args[0]},
			&os.ProcAttr{Files: []*os.File{nil, os.Stdout, os.Stderr},
				Sys: &syscall.SysProcAttr{Setsid: true}})
		if err != nil {
			return 9
		}
		if os.WriteFile(args[0]+"/daemon", []byte(strconv.Itoa(p.Pid)), 0o600) != nil {
			return 9
		}
		_ = p.Release()
		fmt.Println("gone")
	case "env":
		for _, kv := range os.Environ() {
			switch name, _, _ := strings.Cut(kv, "="); name {
			case "NTH_TERMINATION_LOG":
			case proc.Cookie:
				fmt.Println(name)
			default:
				fmt.Println(kv)
			}
		}
		if n, err := os.Stdin.Read(make([]byte, 1)); n == 0 && err != nil {
			fmt.Println("stdin:", err)
		}
	}
	return 0
}

func announce(dir, index string) {
	tmp := filepath.Join(filepath.Dir(dir), "tmp-"+index)
	_ = os.WriteFile(tmp, []byte(strconv.Itoa(os.Getpid())), 0o600)
	_ = os.Rename(tmp, filepath.Join(dir, index))
}

// waitPid waits for the file with a pid.
func waitPid(t *testing.T, path string) int {
	t.Helper()
	for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(path); err == nil {
			pid, _ := strconv.Atoi(string(b))
			return pid
		}
	}
	t.Fatalf("%s never appeared", path)
	return 0
}
