package failure

// Meaning is one row of the table of exit codes, as the reference shows it.
type Meaning struct {
	Code   Code
	When   string
	Policy string // what a pod failure policy should do
}

// Meanings is every exit code of nth's own, by number.
var Meanings = []Meaning{
	{Usage, "bad flag, bad template; a column that the file of rows lacks", "FailJob"},
	{BadIndex, "bad for this index alone: out of range, the template can't be executed for it, its marker is malformed or of another command; or tasks were put aside, for they failed too often", "FailIndex"},
	{NoInput, "a required input is missing: the mapping is wrong for this index", "FailIndex"},
	{Unavailable, "the store or the queue can't be reached, after retries; a file that a template reads can't be read; what the command wrote to stdout couldn't be passed on: the disk is full", "counts, as any failure"},
	{Bug, "a bug in nth", "counts"},
	{NotRecorded, "the command succeeded, its marker could not be written", "counts"},
	{Held, "another pod works at this index and `--claim-wait` is over, or the lease of `--claim` was lost", "counts"},
	{Denied, "the store or the queue refuses these credentials; a file that a template reads may not be read", "counts"},
	{Setup, "set up wrongly for all: no index or a malformed one; settings that contradict each other; a store or a queue that can't do what a flag needs", "FailJob"},
	{Timeout, "the command ran longer than `--timeout`", "counts"},
	{NotRunnable, "the command was found, but can't be executed", "counts"},
	{NotFound, "the command was not found", "counts"},
}
