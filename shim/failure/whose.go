package failure

// Whose says whose matter it is that something went wrong: from what that follows, and
// so whom it stops.
type Whose int

const (
	// TheJob: nothing was begun, and it follows from the command line and the pod
	// template, or a person's command asked.
	TheJob Whose = iota
	// OneIndex: it follows from what one index is mapped to.
	OneIndex
	// OneTask: it follows from what one task, row or item says.
	OneTask
	// TheServer: the work has begun, and it is what a server says now.
	TheServer
	// Whoses is how many there are.
	Whoses = iota
)
