//go:build !windows

package proc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"nth/shim/failure"
)

// maxWord is the kernel's limit of one argument or variable (MAX_ARG_STRLEN, 32
// pages: execve(2)).
const maxWord = 128 << 10

// find gives the program's path as execvp(3) finds it, in the PATH of the
// command's own environment. An error is a failure with exit code 126 or 127.
func find(args, env []string) (string, []string, error) {
	name := args[0]
	if strings.Contains(name, "/") {
		return name, args, nil
	}
	var denied error
	for _, dir := range filepath.SplitList(searchPath(env)) {
		if dir == "" {
			dir = "."
		}
		path := dir + "/" + name
		info, err := os.Stat(path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrPermission):
		case err != nil:
			denied = err
		case info.IsDir():
			denied = &fs.PathError{Op: "exec", Path: path, Err: syscall.EISDIR}
		case access(path) != nil:
			denied = &fs.PathError{Op: "exec", Path: path, Err: syscall.EACCES}
		default:
			return path, args, nil
		}
	}
	if name != "" && denied != nil {
		return "", nil, notRunnable(name, denied, "make it executable for this user")
	}
	hint := "PATH is " + quoted(searchPath(env)) + "; install it in the image, or give its whole path"
	if strings.Contains(name, " ") {
		hint = "it is one word with blanks in it: write the program and each argument as words of their own, or sh -c and the line"
	}
	return "", nil, &failure.Failure{Code: failure.NotFound, Tried: "run", On: quoted(name), Cause: errors.New("not found in PATH"), Hint: hint}
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

// searchPath gives the last PATH of the environment, as getenv(3) of a process
// with one PATH would; without one, the default of execvp(3).
func searchPath(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if path, ok := strings.CutPrefix(env[i], "PATH="); ok {
			return path
		}
	}
	return "/bin:/usr/bin"
}

func notRunnable(path string, cause error, hint string) error {
	return &failure.Failure{Code: failure.NotRunnable, Tried: "run", On: path, Cause: cause, Hint: hint}
}

// explain says why a program that was found could not be executed: the kernel's
// own word for a missing interpreter is "no such file".
func explain(path string, args []string, err error) error {
	info, statErr := os.Stat(path)
	switch {
	case errors.Is(err, syscall.ENOENT) && errors.Is(statErr, fs.ErrNotExist):
		return &failure.Failure{Code: failure.NotFound, Tried: "run", On: path, Cause: errors.New("no such file"), Hint: "install it in the image, or correct its path"}
	case errors.Is(err, syscall.ENOTDIR):
		return &failure.Failure{Code: failure.NotFound, Tried: "run", On: path, Cause: err, Hint: "correct its path"}
	case errors.Is(err, syscall.ENOENT):
		if loader := interpreter(path); loader != "" {
			return &failure.Failure{Code: failure.NotFound, Tried: "run", On: path,
				Cause: fmt.Errorf("it is there, but %s, which it needs, is not", loader),
				Hint:  "install that in the image, or use a static build"}
		}
		return &failure.Failure{Code: failure.NotFound, Tried: "run", On: path, Cause: err}
	case errors.Is(err, syscall.EACCES) && statErr == nil && info.IsDir():
		return notRunnable(path, errors.New("it is a directory"), "name a program in it")
	case errors.Is(err, syscall.EACCES):
		return notRunnable(path, err, "make it executable for this user, on a volume that isn't mounted noexec")
	case errors.Is(err, syscall.ENOEXEC):
		if arch := architecture(path); arch != "" {
			return notRunnable(path, fmt.Errorf("it is built for %s, and this is %s", arch, runtime.GOARCH), "use the image of this platform")
		}
		return notRunnable(path, err, "it is no program and no script")
	case errors.Is(err, syscall.E2BIG):
		return notRunnable(path, tooBig(args), "hand large values over in a file")
	}
	return notRunnable(path, err, "")
}

func tooBig(args []string) error {
	longest := 0
	for i, a := range args {
		if len(a) > len(args[longest]) {
			longest = i
		}
	}
	if n := len(args[longest]); n >= maxWord {
		return fmt.Errorf("word %d of the command has %d bytes, and one word is limited to %d", longest, n, maxWord)
	}
	return errors.New("the command and its environment together are larger than the kernel takes")
}

// isScript tells whether a file that the kernel doesn't execute is text, as
// shells decide it: no NUL in its beginning.
func isScript(path string) bool {
	head := beginning(path)
	return !strings.Contains(head, "\x00") && !strings.HasPrefix(head, "\x7fELF")
}

// isExecuted tells whether the kernel executes the file without anybody's help.
func isExecuted(path string) bool {
	head := beginning(path)
	return strings.HasPrefix(head, "#!") || strings.HasPrefix(head, "\x7fELF")
}

func beginning(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "\x00"
	}
	defer f.Close()
	buf := make([]byte, 256)
	n, _ := io.ReadFull(f, buf)
	return string(buf[:n])
}

// interpreter gives what the kernel would start to run the file: the program of
// its #! line, or the loader of a dynamic executable.
func interpreter(path string) string {
	if line, ok := strings.CutPrefix(beginning(path), "#!"); ok {
		line, _, _ = strings.Cut(line, "\n")
		if words := strings.Fields(line); len(words) > 0 {
			return "the interpreter " + words[0] + carriageReturn(line)
		}
		return ""
	}
	if h := readELF(path); h != nil && h.loader != "" {
		return "the loader " + h.loader
	}
	return ""
}

// carriageReturn explains the commonest case: a script with Windows line ends.
func carriageReturn(line string) string {
	if strings.HasSuffix(line, "\r") {
		return " (its line ends with a carriage return)"
	}
	return ""
}

// architecture names the machine that an ELF file of another one is for.
func architecture(path string) string {
	switch h := readELF(path); {
	case h == nil || h.machine == runtime.GOARCH:
		return ""
	case h.machine == "":
		return "another machine"
	default:
		return h.machine
	}
}
