package stage

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task/objects"
	"nth/shim/transfer"
)

// Input is what one --input names.
type Input struct {
	URL  string // of an object, of a directory (it ends in a slash), or with a glob
	Path string // of a file; with a slash at its end, of a directory
	// Optional is an object of which nobody says that it is there, nor its directory.
	Optional bool
}

// Got is what came.
type Got struct{ Files, Bytes int64 }

// changes is how often an object is begun anew that changes while it comes.
const changes = 5

const tried = "fetch the input"

// Fetch brings an input: an object to a file or into a directory, all objects below a prefix,
// or all that match a glob, into a tree. Each file is whole when it has its name. An error is
// a failure; one that is ErrMissing says that there is nothing, and has exit code 66.
func (g *Stage) Fetch(ctx context.Context, in Input) (Got, error) {
	if !objects.Is(in.URL) {
		return g.object(ctx, in)
	}
	if !strings.HasSuffix(in.Path, "/") {
		return Got{}, &failure.Failure{Code: failure.Usage, Tried: tried, On: in.Path, Cause: errors.New("the URL names many objects, and the path one file"), Hint: "end the path with a slash"}
	}
	m, err := objects.Match(in.URL, "--input")
	if err != nil {
		return Got{}, err
	}
	s, err := g.Stores.Open(ctx, m.Store())
	if err != nil {
		return Got{}, err
	}
	defer s.Close()
	return g.tree(ctx, s, m, in.Path)
}

// object brings one object. Nobody asks about it before: its first part tells.
func (g *Stage) object(ctx context.Context, in Input) (Got, error) {
	s, key, err := g.Stores.OpenObject(ctx, in.URL)
	if err != nil {
		return Got{}, err
	}
	defer s.Close()
	got, err := g.one(ctx, s, key, in.Path)
	if errors.Is(err, ErrMissing) && !in.Optional {
		if lost := lost(ctx, s, s.Show(key)); lost != nil {
			err = lost
		}
	}
	return got, err
}

func (g *Stage) one(ctx context.Context, s *store.Store, key, path string) (Got, error) {
	dir, name := filepath.Split(path)
	if name == "" {
		var err error
		if name, err = local(key); err != nil {
			return Got{}, broken(err, tried, s.Show(key))
		}
	}
	if name == "." || name == ".." {
		return Got{}, &failure.Failure{Code: failure.Usage, Tried: tried, On: path, Cause: errors.New("the path names a directory"), Hint: "end it with a slash"}
	}
	t, err := openTarget(ctx, dir)
	if err != nil {
		return Got{}, broken(err, tried, path)
	}
	defer t.close()
	n, err := g.put(ctx, s, transfer.Unknown(key), t, name)
	return Got{1, n}, err
}

// tree brings all objects of a store that match.
func (g *Stage) tree(ctx context.Context, s *store.Store, m objects.Matching, path string) (Got, error) {
	t, err := openTarget(ctx, path)
	if err != nil {
		return Got{}, broken(err, tried, path)
	}
	defer t.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var files, bytes atomic.Int64
	var group sync.WaitGroup
	work := make(chan store.Entry)
	for range store.Hands {
		group.Go(func() {
			for e := range work {
				n, err := g.put(ctx, s, e, t, e.Key)
				if err != nil {
					cancel(err)
					return
				}
				files.Add(1)
				bytes.Add(n)
			}
		})
	}
	if err := g.list(ctx, s, m, work); err != nil {
		cancel(broken(err, tried, s.Show(m.Prefix())))
	}
	close(work)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return Got{}, err
	}
	if files.Load() == 0 {
		return Got{}, none(ctx, s, m)
	}
	return Got{files.Load(), bytes.Load()}, nil
}

// lost is the failure where the directory isn't there at all in which objects would be: it
// may be a volume's that isn't mounted yet. Nil: it is there, or the store has none.
func lost(ctx context.Context, s *store.Store, on string) error {
	err := s.Find(ctx)
	if err == nil {
		return nil
	}
	f := store.Fail(err, failure.TheServer, tried, on)
	f.Hint = "is the volume mounted?"
	return f
}

// none is the failure where there is no object.
func none(ctx context.Context, s *store.Store, m objects.Matching) error {
	on := s.Show(m.Prefix())
	if err := lost(ctx, s, on); err != nil {
		return err
	}
	return &failure.Failure{Code: failure.NoInput, Tried: tried, On: on, Cause: missing("no object is there"), Hint: "correct the URL of --input, or put the objects there first"}
}

// list hands out the objects that match, by key.
func (g *Stage) list(ctx context.Context, s *store.Store, m objects.Matching, work chan<- store.Entry) error {
	policy := g.Mover.Policy
	policy.Pieces = true
	next := s.Entries(m.Prefix())
	var above paths
	for {
		var e store.Entry
		ended := false
		err := store.Retry(ctx, policy, func(ctx context.Context) (err error) {
			if e, err = next(ctx); err == io.EOF {
				ended, err = true, nil
			}
			return err
		}, g.Mover.Retrying)
		if err != nil || ended {
			return err
		}
		if !m.Has(e.Key) || store.IsHidden(e.Key) {
			continue
		}
		if _, err := local(e.Key); err != nil {
			return broken(err, tried, s.Show(e.Key))
		}
		if file := above.meet(e.Key); file != "" {
			return clash(s, file)
		}
		select {
		case work <- e:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func clash(s *store.Store, file string) error {
	return broken(&contract.Error{Kind: contract.Refused, Cause: errors.New("an object and a directory have the same name"),
		Hint: "a file system holds one of them: rename the object, or leave it out with a glob"}, tried, s.Show(file))
}

// paths are those of the files so far that the last key begins with. Keys come in order, so
// that those that begin alike come one after the other.
type paths []string

// meet takes the next key, and gives the file, if there is one, in which it would be.
func (p *paths) meet(key string) string {
	for n := len(*p) - 1; n >= 0 && !strings.HasPrefix(key, (*p)[n]); n-- {
		*p = (*p)[:n]
	}
	for _, file := range *p {
		if strings.HasPrefix(key, file+"/") {
			return file
		}
	}
	*p = append(*p, key)
	return ""
}

// put brings an object into its place in the target, and gives its size.
func (g *Stage) put(ctx context.Context, s *store.Store, e store.Entry, t *target, path string) (int64, error) {
	var sum transfer.Sum
	err := t.write(ctx, path, func(f *file) (err error) {
		for n := 1; ; n++ {
			sum, f.mode, err = g.Mover.Download(ctx, s, e, f.File)
			if err == nil || store.Classify(err) != contract.Exists || isFile(err) || n == changes {
				return err
			}
			e = transfer.Unknown(e.Key) // it is another version by now
		}
	})
	switch {
	case err == nil:
		return sum.Size, nil
	case errors.As(err, new(*failure.Failure)): // another object's, which ended this one
		return 0, err
	case isFile(err) && (errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist)):
		f := broken(err, tried, filepath.Join(t.dir, path))
		f.Hint = "a directory stands where a file belongs, or a file where a directory does: remove it"
		return 0, f
	case isFile(err):
		return 0, broken(err, tried, filepath.Join(t.dir, path))
	}
	f := broken(err, tried, s.Show(e.Key))
	if f.Code == failure.NoInput {
		f.Cause, f.Hint = ErrMissing, "correct the URL of --input, or put the object there first"
	}
	return 0, f
}
