// Package why finds the line that says why a command failed, in what it wrote to stderr.
package why

import (
	"slices"
	"strings"
	"unicode"

	"nth/shim/screen"
)

// A command's last words are often not why it failed: a runtime says its version, a shell
// the exit code, a stack goes on for a screen. What follows are such lines, as the real
// programs write them: * is anything, %d a number. The line that says why is the last one
// that is none of them; where there is no other, the last line that says anything.

// trailers are lines that stand behind the reason, wherever they begin.
var trailers = []string{
	// R, Node, npm, Deno
	"Execution halted", "Calls: *", "Node.js v%d*", "(Use `node --trace-uncaught*", "Emitted 'error' event *", "----- * stack trace -----", "%d: 0x*", "npm ERR! A complete log*", "npm error A complete log*", "npm ERR! errno *", "npm error errno *", "npm ERR! code *", "npm error code *",
	"npm ERR! Exit status *", "npm ERR! This is probably not*", "npm ERR! Failed at *", "npm ERR! *@* *: `*`", "npm error path *", "npm error command *", "npm ERR! path *", "npm ERR! command *", "npm error Lifecycle script *",
	// Java, .NET, Spark, Maven, Gradle
	"... %d more", "... %d common frames omitted", "--- End of *", "*INFO ShutdownHookManager*", "[ERROR] [Help *", "[ERROR] -> [Help *", "BUILD FAILED in *", "> Run with --*", "Runtime.totalMemory()=*",
	"Set the system property GATK_STACKTRACE_ON_USER_EXCEPTION*",
	// Go, Rust, C, C++, Fortran
	"exit status %d", "exit code %d", "note: run with `RUST_BACKTRACE*", "note: Some details are omitted*", "error: could not compile *", "error: process didn't exit successfully*", "[signal SIG*",
	"Aborted (core dumped)", "*: line %d: *Aborted *", "*: line %d: `*'", "compilation terminated.", "collect2: error: ld returned *", "==%d==ABORTING", "#%d  0x*",
	// Python, Perl, Ruby, PHP, OCaml, Elixir, Julia
	"*resource_tracker: There appear to be *", "warnings.warn(*", "Extension modules: *", "note: This error originates from a subprocess*", "[notice] *", "ERROR conda.cli.main_run:execute*", "BEGIN failed--compilation aborted*", "Compilation failed in require*", "Execution of * aborted due to compilation errors.",
	"thrown in * on line %d", "#%d *", "Raised at *", "Raised by *", "Re-raised at *", "Called from *", "in expression starting at *",
	// make, time, shells, schedulers, workflows
	"make: *** *", "make[%d]: *", "ninja: build stopped*", "Command exited with non-zero status %d", "Command terminated by signal %d", "real\t*m*s", "user\t*m*s", "sys\t*m*s", "real %d.%d", "user %d.%d", "sys %d.%d", "*user *system *elapsed *CPU*", "*inputs+*outputs (*", "logout",
	"srun: error: * Exited with exit code %d", "srun: Terminating *", "srun: launch/slurm: *", "Shutting down, this might take some time.", "Exiting because a job execution failed. *", "Complete log: *", "Complete log(s): *", "Conversion failed!",
	// where help is
	"Try '*help*", "curl: try 'curl --help'*", "Try `*help*", "Run '*help*", "See '*help*", "For more information*", "Usage: *", "usage: *", "Please make sure you have the correct access rights", "and the repository exists.",
	// psql
	"LINE %d: *", "HINT: *", "CONTEXT: *", "QUERY: *", "STATEMENT: *",
}

// frames are lines of a stack, which are indented.
var frames = []string{"at *", "from *", "in *:%d", "... *", "Suppressed: *", "* called at * line %d*", "*.go:%d*", "(*) lib/*", "@ *", "[%d] *"}

// headings begin a stack, a report, or a list of what was used: what is indented below
// belongs to it.
var headings = []string{"stack backtrace:", "Stack backtrace:", "Stack trace:", "stack traceback:", "Stacktrace:", "Require stack:", "*(most recent call first):", "runtime stack:", "CallStack (from *", "error: called from*", "*Backtrace:", "Backtrace for this error:", "goroutine %d [*]:", "Command being timed: *"}

// Line gives the line that says why, and else the last that says anything.
func Line(stderr string) string {
	lines := strings.FieldsFunc(stderr, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimRightFunc(screen.Clean(line), unicode.IsSpace)
	}
	behind := trailing(lines)
	for _, all := range []bool{false, true} {
		for i, line := range slices.Backward(lines) {
			if says(line) && (all || !behind[i]) {
				return strings.TrimSpace(lines[first(lines, behind, i)])
			}
		}
	}
	return ""
}

func says(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// trailing tells of each line whether it stands behind a reason and is none.
func trailing(lines []string) []bool {
	behind := make([]bool, len(lines))
	below, golang, ignored := false, false, false // a heading, of a goroutine; an exception of no consequence
	for i, line := range lines {
		text := strings.TrimSpace(line)
		indented := line != strings.TrimLeft(line, " \t")
		switch {
		case strings.HasPrefix(text, "Exception ignored "): // Python: its type follows, with a stack or none
			behind[i], ignored = true, true
			continue
		case ignored:
			behind[i], ignored = true, indented || text == traceback
			continue
		case matches(headings, text):
			behind[i], below, golang = true, true, strings.HasPrefix(text, "goroutine ")
			continue
		case golang && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t") && strings.Contains(lines[i+1], ".go:"):
			behind[i] = true // the function of the next line
			continue
		case text != "" && !indented:
			below = below && (matches(trailers, text) || strings.HasPrefix(text, "- "))
		}
		behind[i] = below || matches(trailers, text) || indented && matches(frames, text) || chatter(text)
	}
	properties(lines, behind)
	return behind
}

const traceback = "Traceback (most recent call last):"

// most is how many lines of one message are looked through.
const most = 10

// first gives the line in which the message begins that the line i belongs to: an
// exception's text may have several, and the first names the exception.
func first(lines []string, behind []bool, i int) int {
	next := i + 1
	for next < len(lines) && !says(lines[next]) {
		next++
	}
	stack := next < len(lines) && behind[next] // it ends where that begins
	for k := i; k >= max(i-most, 0) && !(behind[k] && says(lines[k])); k-- {
		if python(lines, k) {
			return k
		}
		if names(strings.TrimSpace(lines[k])) && (stack || k == i) {
			return k
		}
		if !stack && k > 0 && foreign(lines[k]) {
			return i
		}
	}
	return i
}

// python tells whether a line stands right below the stack of a Python exception.
func python(lines []string, k int) bool {
	if lines[k] == "" || lines[k][0] == ' ' || k == 0 || !strings.HasPrefix(lines[k-1], " ") {
		return false
	}
	for k--; k > 0 && strings.HasPrefix(lines[k], " "); k-- {
	}
	return lines[k] == traceback
}

// names tells whether a line begins with the name of an exception.
func names(line string) bool {
	if strings.HasPrefix(line, "Exception in thread ") || strings.HasPrefix(line, "Caused by: ") || strings.HasPrefix(line, "panic: ") {
		return true
	}
	name, _, colon := strings.Cut(line, ": ")
	if !colon {
		name = strings.TrimSuffix(line, ":")
	}
	name, _, _ = strings.Cut(name, " [") // AssertionError [ERR_ASSERTION]
	return !strings.Contains(name, " ") && (strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Exception"))
}

// foreign tells whether a line looks as if somebody else than the line above had written it:
// a program that names itself, or a logger.
func foreign(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return word != "" && (strings.HasSuffix(word, ":") || strings.Contains(digits, word[:1])) && !strings.ContainsAny(word[:1], "[(")
}

// digits are those of numbers in the lists above.
const digits = "0123456789"

// properties are those of an error object, as Node prints them behind its stack, in
// braces.
func properties(lines []string, behind []bool) {
	open := -1
	for i, line := range lines {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "at ") && strings.HasSuffix(text, "{"):
			open = i
		case strings.HasPrefix(text, "["): // [cause]: another error
			open = -1
		case open >= 0 && strings.HasPrefix(text, "}"):
			for k := open; k <= i; k++ {
				behind[k] = true
			}
			open = -1
		}
	}
}

// chatter is what a logger says when nothing is wrong, such as that it ends.
func chatter(line string) bool {
	head := line[:min(len(line), 80)]
	for _, level := range []string{"INFO", "DEBUG", "TRACE"} {
		if strings.Contains(head, level) && slices.Contains(strings.FieldsFunc(head, func(r rune) bool { return !unicode.IsLetter(r) }), level) {
			return true
		}
	}
	return strings.Contains(head, `"level":"info"`) || strings.Contains(head, `"level":"debug"`) || strings.Contains(head, "level=info") || strings.Contains(head, "level=debug")
}

// matches tells whether a line is as one of the patterns says. Nearly every line is told from
// nearly every pattern by its first byte: a record has a hundred lines, a report a thousand
// records.
func matches(patterns []string, line string) bool {
	return line != "" && slices.ContainsFunc(patterns, func(p string) bool {
		return (p[0] == line[0] || p[0] == '*' || p[0] == '%') && like(p, line)
	})
}

// like tells whether a line is as a pattern says, from its beginning to its end. What
// stands between two * is looked for once, so that no line takes long.
func like(pattern, line string) bool {
	part, left, more := strings.Cut(pattern, "*")
	line, ok := begins(part, line)
	for ok && more {
		if part, left, more = strings.Cut(left, "*"); part == "" && !more {
			return true
		}
		line, ok = behind(part, line, !more)
	}
	return ok && line == ""
}

// behind gives what is behind the first place where a line is as a text says; the last text
// of a pattern ends where the line does.
func behind(text, line string, last bool) (rest string, ok bool) {
	head, _, _ := strings.Cut(text, "%d")
	for {
		at := strings.Index(line, head)
		if at < 0 {
			return "", false
		}
		line = line[at:]
		if rest, ok = begins(text, line); ok && (!last || rest == "") {
			return rest, true
		}
		if line == "" {
			return "", false
		}
		line = line[1:]
	}
}

// begins gives what is behind a text in which %d is a number.
func begins(text, line string) (rest string, ok bool) {
	for {
		part, left, number := strings.Cut(text, "%d")
		if line, ok = strings.CutPrefix(line, part); !ok || !number {
			return line, ok
		}
		text, rest = left, strings.TrimLeft(line, digits)
		if len(rest) == len(line) {
			return "", false
		}
		line = rest
	}
}
