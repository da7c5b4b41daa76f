package guard

import (
	"encoding/binary"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"nth/shim/proc/launch"
)

// Guard is a guardian, as nth has it. Nil: there is none.
type Guard struct {
	pid    int
	end    int    // the only writing end of its pipe
	groups []byte // that it reads when nth has ended; none: the kernel has no such memory
}

// environment is that of a guardian when nth has ended: little of everything.
var environment = []string{"GOMAXPROCS=1", "GOGC=off"}

const self = "/proc/self/exe"

// Start starts a guardian of the processes that have a variable with a value that begins so.
func Start(variable, value string, places int) (*Guard, error) {
	return start([]string{Name, variable, value}, places, become, execute)
}

// way starts the process of a guardian with these two files, and gives its number.
type way func(pipe, list uintptr, words []string) (pid int, err error)

// start starts it in the first way that works.
func start(words []string, places int, ways ...way) (*Guard, error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	defer syscall.Close(ends[0])
	g := &Guard{end: ends[1]}
	list, err := g.remember(places)
	if err == nil {
		defer list.Close()
		for _, start := range ways {
			if g.pid, err = start(uintptr(ends[0]), list.Fd(), words); err == nil {
				return g, nil
			}
		}
	}
	g.close()
	return nil, err
}

// become is the way in which it becomes nth when it is needed, and in which nobody sees it
// who waits for children.
func become(pipe, list uintptr, words []string) (int, error) {
	pid, ok := launch.Await(launch.Wait{Name: Name, Pipe: pipe, Other: list, Path: self, Args: words, Env: environment})
	if !ok {
		return 0, syscall.ENOSYS
	}
	return pid, nil
}

// execute is the way for other processors, and for Linux before 5.9.
func execute(pipe, list uintptr, words []string) (int, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	return syscall.ForkExec(self, words, &syscall.ProcAttr{Dir: "/", Env: environment,
		Files: []uintptr{pipe, list, null.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true}})
}

// remember makes the memory that a guardian reads the groups from.
func (g *Guard) remember(places int) (*os.File, error) {
	fd, err := unix.MemfdCreate(Name, unix.MFD_CLOEXEC)
	if err != nil { // Linux before 3.17
		return os.Open(os.DevNull)
	}
	file := os.NewFile(uintptr(fd), Name)
	if err := file.Truncate(int64(places * place)); err == nil {
		g.groups, _ = unix.Mmap(fd, 0, places*place, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	return file, nil
}

// PID is its number.
func (g *Guard) PID() int {
	if g == nil {
		return 0
	}
	return g.pid
}

// Gone says that somebody else has waited for it.
func (g *Guard) Gone() { g.pid = 0 }

// Guard tells it the group of the command in a place; 0: there is none any more.
func (g *Guard) Guard(at, group int) {
	if g != nil && g.groups != nil {
		binary.NativeEndian.PutUint32(g.groups[at*place:], uint32(group))
	}
}

// Dismiss ends it when nothing is left to guard.
func (g *Guard) Dismiss() {
	if g == nil {
		return
	}
	if g.pid > 0 {
		_ = syscall.Kill(g.pid, syscall.SIGKILL)
		for {
			if _, err := syscall.Wait4(g.pid, nil, unix.WALL, nil); err != syscall.EINTR {
				break
			}
		}
	}
	g.close()
}

func (g *Guard) close() {
	syscall.Close(g.end)
	if g.groups != nil {
		_ = unix.Munmap(g.groups)
	}
}

// prepare makes a guardian what it is called, and deaf.
func prepare() {
	signal.Ignore()
	name := append([]byte(Name), 0)
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
}
