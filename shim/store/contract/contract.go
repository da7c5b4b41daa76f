// Package contract is what the stores and those who use them agree upon: the
// kinds of error a store may answer with, and how one version of a blob is
// named and replaced. Every driver returns *Error from each of its methods, so
// that no caller ever has to guess what a 404 meant.
package contract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"gocloud.dev/gcerrors"
)

// Kind is what happened. What that means, for the exit code or for another try, is the
// caller's to say, who knows what was at stake (store.Fail, store.Policy).
type Kind int

const (
	// Other is an error that fits no other kind; it is treated as Unreachable.
	Other Kind = iota
	// Absent: the container exists and was asked, and it has no such key. No
	// other answer may be given this kind: an item would silently run again.
	Absent
	// Exists: the condition of a write (if absent, if unchanged) did not hold.
	Exists
	// Conflict: two writes met and the store asks to try again (S3's
	// ConditionalRequestConflict). It says nothing about who won.
	Conflict
	// Unreachable: no answer, or one that says "not now"; also a container that
	// doesn't exist or lives elsewhere.
	Unreachable
	// Denied: the store refuses these credentials.
	Denied
	// Refused: it was asked, and says no to this very request: a name that is too long,
	// a value that doesn't fit, a range behind the blob's end, a blob of another type.
	Refused
	// Malformed: what came can't be read as what it should be, or is too large to be it.
	Malformed
	// Unsupported: it can't do what was asked, of whatever: conditions, locks, a server
	// that is too old.
	Unsupported
	// NoSuch: there is no such queue, table, group or database. A store's container that
	// doesn't exist is Unreachable: it may be made later than the pods.
	NoSuch
	// Invalid: nothing was asked, for the URL or the settings are malformed or contradict
	// each other, or no request can be made of them.
	Invalid
	// Lost: what was held is another's by now: a queue's task whose lease has ended.
	Lost
)

// final are the kinds that a further try can't change. Denied isn't one: an identity may
// be there later than we are.

// Final tells whether a further try can't change it.
func (k Kind) Final() bool {
	switch k {
	case Absent, Exists, Refused, Malformed, Unsupported, NoSuch, Invalid, Lost:
		return true
	}
	return false
}

// Error is what every driver returns.
type Error struct {
	Kind  Kind
	Cause error
	Hint  string // what the person can do about it; may be empty
}

func (e *Error) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Token names one version of one blob: an ETag on S3, a generation elsewhere.
// A driver fills it in through Reader.As(*Token).
type Token string

// As is a driver.ListObject's AsFunc: a listing tells of each blob's version what the
// blob's attributes would, so that nobody has to ask for each.
func (t Token) As(i any) bool {
	p, ok := i.(*Token)
	if ok {
		*p = t
	}
	return ok
}

// Condition is offered to blob.WriterOptions.BeforeWrite by drivers that can
// replace a blob only if it still is the version that was read:
//
//	var c *contract.Condition
//	if as(&c) { c.Replaces = token }
//
// The write fails with Exists when the blob is another version or is gone. Wrote is the
// version that was written, where the store's answer names it.
type Condition struct{ Replaces, Wrote Token }

// As offers it.
func (c *Condition) As(i any) bool { return offer(i, c) }

// Deletion is offered to blob.DeleteOptions.BeforeDelete by drivers that must ask before
// they can tell whether there is such a blob. Listed says that a listing has told: they
// delete at once, and a blob that has gone since is no error.
type Deletion struct {
	Listed bool
	// Prune, where blobs are files: directories that are empty behind it go too, up to the
	// store's own.
	Prune bool
	// Real, where blobs are files: no link leads to it from the store's own directory. Who
	// names it may have made one.
	Real bool
}

// As offers it.
func (d *Deletion) As(i any) bool { return offer(i, d) }

// offer is the As of what the caller of one of gocloud's hooks may set.
func offer[T any](i any, offered *T) bool {
	p, ok := i.(**T)
	if ok {
		*p = offered
	}
	return ok
}

// Ask calls one of gocloud's hooks, which may be nil, once, with all that a driver offers
// there.
func Ask(hook func(func(any) bool) error, offers ...func(any) bool) error {
	if hook == nil {
		return nil
	}
	return hook(func(i any) bool {
		return slices.ContainsFunc(offers, func(as func(any) bool) bool { return as(i) })
	})
}

// Idler is offered through Bucket.As by drivers that hold connections. Idle says that
// the command is about to run, perhaps for hours: connections that are not in use are
// closed, and from then on the driver starts no process, whose exit nth's reaper
// would take.
type Idler interface{ Idle() }

// Holder is offered through Bucket.As by drivers that can tell without a listing whether
// they hold anything.
type Holder interface {
	Holds(context.Context) (bool, error)
}

// Remover is offered through Bucket.As by drivers that remove several blobs with one
// request.
type Remover interface {
	// RemoveMany removes blobs that a listing told of, MostRemoved at most. Each that may
	// still be there has its error, in the keys' order; one that had gone is none. An error of
	// the whole says that nothing is known of any. The kind Unsupported means that they must
	// be removed one by one, for whatever reason.
	RemoveMany(ctx context.Context, keys []string) ([]error, error)
}

// MostRemoved is how many blobs S3 removes with one request (Amazon S3 API reference,
// "DeleteObjects").
const MostRemoved = 1000

// Skipper is offered through Bucket.As by drivers whose listings may meet what can't be a
// blob. Skipped gives that of the last listing.
type Skipper interface{ Skipped() []Skipped }

// Skipped is something that can't be a blob, where one of this key would be.
type Skipped struct {
	Key, Why string
	Dir      bool // there may be blobs behind it
}

// Directory is offered through Bucket.As by drivers whose place is a directory: it may be
// missing, because nobody has made it yet or because its volume isn't mounted.
type Directory interface {
	// Find gives an error, of the kind Unreachable, where it isn't there. From then on it
	// must be: nothing makes it, and nothing is absent without it.
	Find(context.Context) error
	// Make makes it where it isn't there and may be made. From then on it must be there.
	Make(context.Context) error
	// OnMade has something called when it was made, by Make or by a write.
	OnMade(func())
}

// Sweeper is offered through Bucket.As by drivers whose writers, when they are killed, leave
// what no listing shows. Sweep removes it below a directory, whose key ends in a slash, or
// only looks; it tells how much there is, and when the last of it was written.
type Sweeper interface {
	Sweep(ctx context.Context, dir string, remove bool) (newest time.Time, n int, err error)
}

// ErrDirectory is what stands in a blob's place and is none, but may be what is looked for.
var ErrDirectory error = text("it is a directory")

// ErrNotBlob is what stands in a blob's place and is none, such as a socket. It is no
// absence, for nothing could be written there either.
var ErrNotBlob error = text("it is not a regular file")

// text is an error that nothing has to be made for at the start.
type text string

func (t text) Error() string { return string(t) }

// Blocked tells whether something that is no blob stands in the place of one, or a file in
// that of a directory that leads to it: who only looks needn't look again.
func Blocked(err error) bool {
	return errors.Is(err, ErrDirectory) || errors.Is(err, ErrNotBlob) || errors.Is(err, syscall.ENOTDIR)
}

// Lasts tells whether an error is of a place here that stays as it is, though another such
// place could change: a volume that is mounted read-only.
func Lasts(err error) bool { return errors.Is(err, syscall.EROFS) }

// HasNo is the error for what a driver doesn't do at all.
func HasNo(what string) error {
	return &Error{Kind: Unsupported, Cause: fmt.Errorf("this store has no %s", what)}
}

// EmptyKey is the error for a blob without a name, which no store has.
func EmptyKey() error {
	return &Error{Kind: Invalid, Cause: errors.New("a blob's key is empty")}
}

// codes are the portable layer's names for the kinds.
func codes() map[Kind]gcerrors.ErrorCode {
	return map[Kind]gcerrors.ErrorCode{
		Absent: gcerrors.NotFound, Exists: gcerrors.FailedPrecondition, Denied: gcerrors.PermissionDenied,
		Refused: gcerrors.Unimplemented, Malformed: gcerrors.Unimplemented, Unsupported: gcerrors.Unimplemented, Invalid: gcerrors.Unimplemented,
	}
}

// Code is every driver's ErrorCode.
func Code(err error) gcerrors.ErrorCode {
	if e, ok := errors.AsType[*Error](err); ok {
		if code, ok := codes()[e.Kind]; ok {
			return code
		}
	}
	return gcerrors.Unknown
}

// Pin is offered to blob.ReaderOptions.BeforeRead by drivers that can read one version of
// a blob alone: the read fails with Changed when it is another by now.
type Pin struct {
	Version Token
	Plain   bool // the version that is read is to be named as Attributes names it
}

// As offers it.
func (p *Pin) As(i any) bool { return offer(i, p) }

// Changed is the error for a blob that is another version by now than was asked for.
func Changed() error {
	return &Error{Kind: Exists, Cause: errors.New("it has changed meanwhile")}
}

// Parts is offered to blob.WriterOptions.BeforeWrite by drivers that send a large blob in
// parts.
type Parts struct {
	AtOnce int // parts that are in memory, each under way or being filled; 0: one
	Size   int // of a part, in bytes; 0: the driver's. Of a blob that would have too many it grows, and there are fewer at once
	// Try makes the tries of one request, and may be called several times at once; nil: there
	// is one try.
	Try func(ctx context.Context, request func(context.Context) error) error
	// Mode is that of the file which the blob is; 0: it is none. No driver asks for it here,
	// it stands in the blob's metadata.
	Mode fs.FileMode
}

// As offers it.
func (p *Parts) As(i any) bool { return offer(i, p) }

// CRC32C is the checksum of a whole blob that a store names, through Reader.As and
// Attributes.As.
type CRC32C uint32

// As is the AsFunc of what has one.
func (c *CRC32C) As(i any) bool {
	p, ok := i.(*CRC32C)
	if ok && c != nil {
		*p = *c
	}
	return ok && c != nil
}

type sumKey struct{}

// WithSum asks for a blob's checksum where to name it takes a store more than to name
// its size: it may need a further permission.
func WithSum(ctx context.Context) context.Context { return context.WithValue(ctx, sumKey{}, true) }

// SumWanted tells whether it is asked for.
func SumWanted(ctx context.Context) bool { return ctx.Value(sumKey{}) != nil }
