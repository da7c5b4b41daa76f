package why

import (
	"strings"
	"testing"

	"nth/shim/screen"
)

// TestLine: the line that says why, of what real programs write when they fail.
func TestLine(t *testing.T) {
	for name, tt := range map[string]struct{ stderr, want string }{
		"Python": {"Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    f(1)\nValueError: disk full\n", "ValueError: disk full"},
		"Python, with a warning at the end": {"ValueError: disk full\n/usr/lib/python3.11/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 1 leaked semaphore objects to clean up at shutdown\n  warnings.warn('resource_tracker: There appear to be %d '\n",
			"ValueError: disk full"},
		"conda run":  {"ValueError: disk full\n\nERROR conda.cli.main_run:execute(124): `conda run python x.py` failed. (See above for error)\n", "ValueError: disk full"},
		"pip":        {"ERROR: Failed building wheel for x\nnote: This error originates from a subprocess, and is likely not a problem with pip.\n[notice] A new release of pip is available: 23.0 -> 24.0\n", "ERROR: Failed building wheel for x"},
		"R":          {"Error in f(x) : disk full\nCalls: main -> f\nExecution halted\n", "Error in f(x) : disk full"},
		"R, in two":  {"Error in readRDS(file) : \n  unknown input format\nExecution halted\n", "unknown input format"},
		"R, library": {"Error in library(foo) : there is no package called ‘foo’\nExecution halted\n", "Error in library(foo) : there is no package called ‘foo’"},
		"Node":       {"/app/x.js:3\n    throw new Error('disk full');\n    ^\n\nError: disk full\n    at Object.<anonymous> (/app/x.js:3:11)\n    at node:internal/main/run_main_module:28:49\n\nNode.js v20.11.0\n", "Error: disk full"},
		"Node, with properties": {"Error: ENOENT: no such file or directory, open 'nofile'\n    at Object.openSync (node:fs:573:18)\n    at node:internal/main/run_main_module:28:49 {\n  errno: -2,\n  code: 'ENOENT',\n  path: 'nofile'\n}\n\nNode.js v20.20.2\n",
			"Error: ENOENT: no such file or directory, open 'nofile'"},
		"Node, with a cause": {"Error: outer\n    at Object.<anonymous> (/a.js:1:60)\n    ... 4 lines matching cause stack trace ...\n    at node:internal/main:28:49 {\n  [cause]: Error: ENOENT: open 'nofile'\n      at Object.openSync (node:fs:573:18) {\n    errno: -2,\n    path: 'nofile'\n  }\n}\n\nNode.js v20.20.2\n",
			"[cause]: Error: ENOENT: open 'nofile'"},
		"npm":     {"npm error code ENOENT\nnpm error enoent Could not read package.json\nnpm error A complete log of this run can be found in: /root/.npm/_logs/x.log\n", "npm error enoent Could not read package.json"},
		"Java":    {"Exception in thread \"main\" java.lang.RuntimeException: outer\n\tat A.f(A.java:1)\nCaused by: java.io.IOException: disk full\n\tat A.g(A.java:9)\n\tat java.base/java.lang.Thread.run(Thread.java:833)\n\t... 12 more\n", "Caused by: java.io.IOException: disk full"},
		"logback": {"Caused by: java.io.IOException: disk full\n\tat A.g(A.java:9)\n\t... 12 common frames omitted\n", "Caused by: java.io.IOException: disk full"},
		"Spark": {"Exception in thread \"main\" org.apache.spark.SparkException: lost\n\tat A.g(A.java:9)\n23/11/01 10:00:00 INFO ShutdownHookManager: Shutdown hook called\n23/11/01 10:00:00 INFO ShutdownHookManager: Deleting directory /tmp/spark-1\n",
			"Exception in thread \"main\" org.apache.spark.SparkException: lost"},
		"GATK": {"***********************************************************************\n\nA USER ERROR has occurred: Couldn't read file x.bam\n\n***********************************************************************\nSet the system property GATK_STACKTRACE_ON_USER_EXCEPTION (--java-options '-DGATK_STACKTRACE_ON_USER_EXCEPTION=true') to print the stack trace.\n", "A USER ERROR has occurred: Couldn't read file x.bam"},
		".NET": {"Unhandled exception. System.IO.IOException: disk full\n   at P.Main(String[] args) in /x/P.cs:line 5\n--- End of stack trace from previous location ---\n   at P.Go()\n", "Unhandled exception. System.IO.IOException: disk full"},
		"Go":   {"panic: runtime error: index out of range [3] with length 0\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/p.go:2 +0x9\nexit status 2\n", "panic: runtime error: index out of range [3] with length 0"},
		"Go, a segfault": {"panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/tmp/p.go:2\nmain.main()\n\t/tmp/p.go:3 +0x9\n\ngoroutine 6 [select]:\nmain.g()\n\t/tmp/p.go:9 +0x9\ncreated by main.main in goroutine 1\n\t/tmp/p.go:8 +0x9\n",
			"panic: runtime error: invalid memory address or nil pointer dereference"},
		"Go, and then a shell": {"goroutine 1 [running]:\nmain.main()\n\t/tmp/p.go:2 +0x9\ncleanup failed: disk full (again)\n", "cleanup failed: disk full (again)"},
		"Rust":                 {"\nthread 'main' panicked at src/main.rs:2:5:\ndisk full\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n", "disk full"},
		"Rust, a stack":        {"thread 'main' panicked at r.rs:1:13:\ndisk full\nstack backtrace:\n   0: std::panicking::begin_panic::<&str>\n             at /rustc/5980/library/std/src/panicking.rs:761:5\n   1: r::main\nnote: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n", "disk full"},
		"anyhow":               {"Error: failed to read config\n\nCaused by:\n    0: outer\n    1: No such file or directory (os error 2)\n", "1: No such file or directory (os error 2)"},
		"C++":                  {"terminate called after throwing an instance of 'std::runtime_error'\n  what():  disk full\nbash: line 1:  7688 Aborted                 ./c\n", "what():  disk full"},
		"assert":               {"x: x.c:5: main: Assertion `n == 0' failed.\nAborted (core dumped)\n", "x: x.c:5: main: Assertion `n == 0' failed."},
		"ASan":                 {"SUMMARY: AddressSanitizer: heap-use-after-free /x.c:5 in main\n==1234==ABORTING\n", "SUMMARY: AddressSanitizer: heap-use-after-free /x.c:5 in main"},
		"Fortran":              {"Fortran runtime error: End of file\n\nError termination. Backtrace:\n#0  0x7f8a in ???\n#1  0x55 in main\n", "Fortran runtime error: End of file"},
		"gcc":                  {"x.c:1:10: fatal error: nofile.h: No such file or directory\ncompilation terminated.\nmake: *** [Makefile:2: all] Error 1\n", "x.c:1:10: fatal error: nofile.h: No such file or directory"},
		"Perl":                 {"Can't locate Foo.pm in @INC (you may need to install the Foo module) at -e line 1.\nBEGIN failed--compilation aborted at -e line 1.\n", "Can't locate Foo.pm in @INC (you may need to install the Foo module) at -e line 1."},
		"Ruby":                 {"x.rb:1:in `f': disk full (RuntimeError)\n\tfrom x.rb:5:in `<main>'\n", "x.rb:1:in `f': disk full (RuntimeError)"},
		"PHP":                  {"PHP Fatal error:  Uncaught Exception: disk full in /x.php:3\nStack trace:\n#0 /x.php(9): f()\n#1 {main}\n  thrown in /x.php on line 3\n", "PHP Fatal error:  Uncaught Exception: disk full in /x.php:3"},
		"Julia":                {"ERROR: LoadError: disk full\nStacktrace:\n [1] error(s::String)\n   @ Base ./error.jl:35\n [2] top-level scope\n   @ /x.jl:1\nin expression starting at /x.jl:1\n", "ERROR: LoadError: disk full"},
		"Haskell":              {"x: disk full\nCallStack (from HasCallStack):\n  error, called at x.hs:1:8 in main:Main\n", "x: disk full"},
		"OCaml":                {"Fatal error: exception Failure(\"disk full\")\nRaised at Stdlib.failwith in file \"stdlib.ml\", line 29\nCalled from X.main in file \"x.ml\", line 1\n", "Fatal error: exception Failure(\"disk full\")"},
		"Lua":                  {"lua: x.lua:1: disk full\nstack traceback:\n\t[C]: in function 'error'\n\tx.lua:1: in main chunk\n\t[C]: in ?\n", "lua: x.lua:1: disk full"},
		"Octave":               {"error: disk full\nerror: called from\n    f at line 2 column 3\n", "error: disk full"},
		"Elixir":               {"** (RuntimeError) disk full\n    (elixir 1.14.0) lib/code.ex:1245: Code.require_file/2\n", "** (RuntimeError) disk full"},
		"make":                 {"why\nmake[1]: *** [Makefile:2: all] Error 3\nmake[1]: Leaving directory '/x'\nmake: *** [Makefile:1: x] Error 2\n", "why"},
		"bash's time":          {"why\n\nreal\t0m0.000s\nuser\t0m0.000s\nsys\t0m0.000s\n", "why"},
		"GNU time":             {"why\nCommand exited with non-zero status 1\n0.00user 0.00system 0:00.00elapsed 50%CPU (0avgtext+0avgdata 2048maxresident)k\n0inputs+0outputs (0major+80minor)pagefaults 0swaps\n", "why"},
		"GNU time -v":          {"why\nCommand exited with non-zero status 1\n\tCommand being timed: \"x\"\n\tUser time (seconds): 0.00\n\tPage size (bytes): 4096\n\tExit status: 1\n", "why"},
		"srun":                 {"disk full\nsrun: error: node1: task 0: Exited with exit code 1\nsrun: Terminating StepId=7.0\n", "disk full"},
		"snakemake":            {"WorkflowError: disk full\nShutting down, this might take some time.\nExiting because a job execution failed. Look above for error message\nComplete log: .snakemake/log/x.log\n", "WorkflowError: disk full"},
		"ls":                   {"ls: unrecognized option '--nonsense'\nTry 'ls --help' for more information.\n", "ls: unrecognized option '--nonsense'"},
		"curl":                 {"curl: option --nonsense: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n", "curl: option --nonsense: is unknown"},
		"clap":                 {"error: unexpected argument '--foo' found\n\nUsage: x [OPTIONS]\n\nFor more information, try '--help'.\n", "error: unexpected argument '--foo' found"},
		"argparse":             {"usage: x.py [-h] n\nx.py: error: the following arguments are required: n\n", "x.py: error: the following arguments are required: n"},
		"git":                  {"fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n", "fatal: Could not read from remote repository."},
		"psql":                 {"ERROR:  relation \"x\" does not exist\nLINE 1: select * from x\n                      ^\n", "ERROR:  relation \"x\" does not exist"},
		"ffmpeg":               {"x.mp4: Invalid data found when processing input\nConversion failed!\n", "x.mp4: Invalid data found when processing input"},
		"a logger":             {"2026-01-01 ERROR main - disk full\n2026-01-01 INFO main - removing temporary files\n", "2026-01-01 ERROR main - disk full"},
		"a JSON logger":        {`{"level":"error","message":"disk full"}` + "\n" + `{"level":"info","message":"bye"}` + "\n", `{"level":"error","message":"disk full"}`},

		// Python 3.11.2, Node v20.20.2, R 4.2.2, Perl 5.36.0, OpenJDK 17.0.15, Go 1.26, bash 5.2, dash 0.5.12
		"Python, chained":          {"Traceback (most recent call last):\n  File \"<string>\", line 3, in <module>\nFileNotFoundError: [Errno 2] No such file or directory: '/nofile'\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"<string>\", line 5, in <module>\nRuntimeError: cannot load\n", "RuntimeError: cannot load"},
		"Python, with a note":      {"Traceback (most recent call last):\n  File \"<string>\", line 2, in <module>\nValueError: disk full\nwhile reading row 7\n", "ValueError: disk full"},
		"Python, without a text":   {"Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\nKeyboardInterrupt\n", "KeyboardInterrupt"},
		"Python, and then a shell": {"Traceback (most recent call last):\n  File \"<string>\", line 2, in <module>\nValueError: bad row\nsh: 3: x: not found\n", "sh: 3: x: not found"},
		"Python, and then a log":   {"Traceback (most recent call last):\n  File \"<string>\", line 2, in <module>\nValueError: bad row\n2026-01-01 10:00 ERROR gave up\n", "2026-01-01 10:00 ERROR gave up"},
		"Python, of no consequence": {"Traceback (most recent call last):\n  File \"<string>\", line 4, in <module>\nValueError: disk full\nException ignored in: <function A.__del__ at 0x7f0f95090540>\nTraceback (most recent call last):\n  File \"<string>\", line 3, in __del__\nValueError: x\n",
			"ValueError: disk full"},
		"Python, nobody reads": {"ValueError: disk full\nException ignored in: <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>\nBrokenPipeError: [Errno 32] Broken pipe\n", "ValueError: disk full"},
		"Python, a segfault": {"Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007fba2bad1040 (most recent call first):\n  File \"/usr/lib/python3.11/ctypes/__init__.py\", line 519 in string_at\n  File \"<string>\", line 1 in <module>\n",
			"Fatal Python error: Segmentation fault"},
		"Node, no error":      {"\n[eval]:1\nthrow \"disk full\"\n^\ndisk full\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.20.2\n", "disk full"},
		"Node, require":       {"node:internal/modules/cjs/loader:1210\n  throw err;\n  ^\n\nError: Cannot find module 'nofile'\nRequire stack:\n- /app/x.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)\n    at node:internal/main/run_main_module:28:49 {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: [ '/app/x.js' ]\n}\n\nNode.js v20.20.2\n", "Error: Cannot find module 'nofile'"},
		"Node, an event":      {"node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\nError: ENOENT: no such file or directory, open '/nofile'\nEmitted 'error' event on ReadStream instance at:\n    at emitErrorNT (node:internal/streams/destroy:169:8)\n    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {\n  errno: -2,\n  path: '/nofile'\n}\n\nNode.js v20.20.2\n", "Error: ENOENT: no such file or directory, open '/nofile'"},
		"Node, of many lines": {"AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:\n+ actual - expected\n\n  {\n+   a: 1\n-   a: 2\n  }\n    at [eval]:1:19\n    at node:internal/main/eval_string:51:3 {\n  generatedMessage: true\n}\n\nNode.js v20.20.2\n", "AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:"},
		"Node, its heap":      {"\n<--- Last few GCs --->\n\n[24208:0x18999e20]      514 ms: Mark-Compact 17.3 (49.7) -> 16.8 (49.7) MB\n\n\n<--- JS stacktrace --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n\n 1: 0xb78db3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]\n 9: 0x15247d6 v8::internal::Runtime_AllocateInYoungGeneration(int, unsigned long*, v8::internal::Isolate*) [node]\n10: 0x195e476  [node]\n", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"},
		"Java, of two lines":  {"Exception in thread \"main\" java.lang.RuntimeException: first\nsecond line: detail\n\tat Fail.main(Fail.java:17)\n", "Exception in thread \"main\" java.lang.RuntimeException: first"},
		"Java, suppressed":    {"Exception in thread \"main\" java.lang.IllegalStateException: disk full\n\tat Fail.main(Fail.java:12)\n\tSuppressed: java.io.IOException: close failed\n\t\tat Fail$Res.close(Fail.java:6)\n\t\t... 1 more\n", "Exception in thread \"main\" java.lang.IllegalStateException: disk full"},
		"Go, of two lines":    {"panic: disk full\n\tsecond line\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/p.go:12 +0x2f8\n", "panic: disk full"},
		"Go, again":           {"panic: first [recovered]\n\tpanic: cleanup: first\n\ngoroutine 1 [running]:\nmain.main()\n\t/tmp/p.go:12 +0x2f8\n", "panic: cleanup: first"},
		"Perl, confess":       {"disk full at -e line 1.\n\tmain::f(1) called at -e line 1\n\tmain::g(1) called at -e line 1\n", "disk full at -e line 1."},
		"Perl, with a file":   {"bad row at x.pl line 1, <F> line 1.\n", "bad row at x.pl line 1, <F> line 1."},
		"R, and a warning":    {"Error in file(file, \"rt\") : cannot open the connection\nCalls: read.csv -> read.table -> file\nIn addition: Warning message:\nIn file(file, \"rt\") :\n  cannot open file '/nofile.csv': No such file or directory\nExecution halted\n", "cannot open file '/nofile.csv': No such file or directory"},
		"bash, syntax":        {"bash: -c: line 1: syntax error near unexpected token `then'\nbash: -c: line 1: `if then'\n", "bash: -c: line 1: syntax error near unexpected token `then'"},
		"bash, not found":     {"bash: line 3: x: command not found\n", "bash: line 3: x: command not found"},
		"dash, not found":     {"sh: 3: x: not found\n", "sh: 3: x: not found"},

		"nothing else":            {"Execution halted\n", "Execution halted"},
		"a stack without its top": {"\tat A.g(A.java:9)\n\tat A.h(A.java:10)\n", "at A.h(A.java:10)"},
		"nothing":                 {"\n--\n", ""},
		"no stack":                {"Error: 3 files\nfrom the list are missing\n", "from the list are missing"},
		"a place":                 {"at least one input is missing\n", "at least one input is missing"},
		"a progress bar":          {"\r 10%\r 20%\rdisk full\n", "disk full"},
		"a killed child":          {"./x.sh: line 3:     7 Killed                  ./work\n", "./x.sh: line 3:     7 Killed                  ./work"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Line(tt.stderr); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if got := Line(strings.ReplaceAll(tt.stderr, "\n", "\r\n")); got != tt.want {
				t.Errorf("with CRLF %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzLine: it ends, whatever a command wrote, with a line of it.
func FuzzLine(f *testing.F) {
	f.Add("a\n\tat b {\n}\nExecution halted")
	f.Add(strings.Repeat("inputs+ outputs (", 200))
	f.Fuzz(func(t *testing.T, stderr string) {
		line := Line(stderr)
		if !strings.Contains(screen.Clean(strings.NewReplacer("\r", "\n").Replace(stderr)), line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%q", line)
		}
	})
}

// TestLineAllocates: a report reads a thousand records of a hundred lines each, and a line is
// held against a hundred patterns.
func TestLineAllocates(t *testing.T) {
	stderr := strings.Repeat("a line of stderr, 10 % done\n", 100) + "ValueError: disk full\n"
	if n := testing.AllocsPerRun(10, func() { Line(stderr) }); n > 20 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLike: a line is as a pattern says, as plain code has it that cuts both into their parts.
func FuzzLike(f *testing.F) {
	f.Add("* called at * line %d*", "\tmain::f(1) called at -e line 1")
	f.Add("exit status %d", "exit status 2")
	f.Add("**a%d", "aa1a2")
	f.Add("%d", "")
	f.Fuzz(func(t *testing.T, pattern, line string) {
		if pattern == "" {
			return // there is none
		}
		if got, want := matches([]string{pattern}, line), line != "" && plain(pattern, line); got != want {
			t.Errorf("%q is as %q: %v", line, pattern, got)
		}
	})
}

func plain(pattern, line string) bool {
	begins := func(text, line string) (string, bool) {
		for i, part := range strings.Split(text, "%d") {
			number := line
			if line = strings.TrimLeft(line, digits); i > 0 && line == number {
				return "", false
			} else if i == 0 {
				line = number
			}
			if !strings.HasPrefix(line, part) {
				return "", false
			}
			line = line[len(part):]
		}
		return line, true
	}
	parts := strings.Split(pattern, "*")
	rest, ok := begins(parts[0], line)
	if last := len(parts) - 1; last > 0 && ok {
		for k, part := range parts[1:] {
			ok = false
			for at := 0; at <= len(rest) && !ok; at++ {
				var behind string
				if behind, ok = begins(part, rest[at:]); ok && k+1 == last && part != "" {
					ok = behind == ""
				}
				if ok {
					rest = behind
					break
				}
			}
			if !ok {
				return false
			}
		}
		return rest == "" || parts[last] == ""
	}
	return ok && rest == ""
}
