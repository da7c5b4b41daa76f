package launch

// deepen gives the goroutine a stack of 64 KiB. Grown as it is needed, step by step, it is
// copied four times, each time with a look at the tables of all functions that are under
// way, and the sizes between stay behind: 30 page faults of a start, 1 MB of the tables.
func deepen()

// The one that will run main initialises the packages, this one as one of the first (as
// with the limit of open files).
func init() { deepen() }
