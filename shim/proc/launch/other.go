//go:build !linux || (!amd64 && !arm64)

package launch

// Child is what can't be had here.
type Child struct{}

// New gives one whose Start is always false.
func New(dies, waits bool) *Child { return &Child{} }

// Start does nothing.
func (*Child) Start(string, []string, []string, []uintptr) (int, bool) { return 0, false }

// Failed is never asked.
func (*Child) Failed() int { return 0 }

// Apart does nothing.
func (*Child) Apart(bool) {}

// CanApart is false: there is no Child.
const CanApart = false

// Ignored can't be told here.
func Ignored(int) bool { return false }

// Await is always false here.
func Await(Wait) (int, bool) { return 0, false }

// Wait is what can't be had here.
type Wait struct {
	Name        string
	Pipe, Other uintptr
	Path        string
	Args, Env   []string
}
