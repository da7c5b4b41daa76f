package commit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"nth/shim/config"
	"nth/shim/store"
	"nth/templates"
)

// checkpointRun is whose note names an item's checkpoints, in the place of a run: they are
// those of all its runs, of which each goes on where another was killed.
const checkpointRun = "checkpoint"

// NoteCheckpoints says beside the markers where the item's checkpoints are, before there is
// one: a run that is killed, and started no more, leaves it. An error is a failure.
func (it *Item) NoteCheckpoints(ctx context.Context) error {
	h := it.Header
	return it.note(ctx, Note{Version: Version, Job: h.Job, Index: h.Index, RunID: checkpointRun,
		Written: time.Now().UTC().Format(time.RFC3339), Checkpoints: it.Checkpoints}, "note where the checkpoint is")
}

// ForgetCheckpoints removes that note, when they are deleted. An error is a failure.
func (it *Item) ForgetCheckpoints(ctx context.Context) error { return it.forget(ctx, checkpointRun) }

// Allowed is where checkpoints are, as the command line says it: what a note names there may
// be removed. A note alone allows nothing, for anybody may have written it.
type Allowed struct {
	Dir    string // the URL of the directory in which all of it is
	at     *url.URL
	prefix string // of the paths
}

// own are the directories of nth's own documents beside the markers.
var own = []string{"claim", "commit", "done", "failed", "manifest", "progress", "share", "skipped", "staging", "started"}

// Allow reads what the command line says: the URL of a directory, or the template of a
// --checkpoint, of which the text before its first action counts. All of a bucket is too
// much, and so is what holds the markers.
func Allow(text, markers string) (Allowed, error) {
	like, err := url.Parse(markers)
	if err != nil {
		return Allowed{}, errors.New("the markers' URL is malformed") // which may hold a secret
	}
	address, query, _ := strings.Cut(config.Literal(text), "?")
	address, _, action := strings.Cut(address, "\x00")
	if strings.Contains(query, "\x00") {
		return Allowed{}, errors.New("a template stands in its parameters: write their values")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "":
		return Allowed{}, errors.New("it is no URL of a directory")
	case !store.HasScheme(u.Scheme):
		return Allowed{}, fmt.Errorf("there is no store for the scheme %q", u.Scheme)
	case action && u.Path == "":
		return Allowed{}, errors.New("the bucket itself is a template: write its name")
	}
	if !action {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	}
	dir, _ := path.Split(u.Path)
	if dir != "/" && path.Clean(dir)+"/" != dir {
		return Allowed{}, errors.New("its path isn't clean: write it without ., .. and //")
	}
	a := Allowed{prefix: u.Path}
	for _, one := range []*url.URL{u, like} {
		if one.Scheme == "file" && one.Host == "localhost" {
			one.Host = ""
		}
	}
	root, same := strings.TrimSuffix(like.Path, "/")+"/", u.Scheme == like.Scheme && u.Host == like.Host
	below, inside := strings.CutPrefix(a.prefix, root)
	first, _, whole := strings.Cut(below, "/")
	switch {
	case u.Path == "/":
		return Allowed{}, errors.New("all of a bucket or file system is more than checkpoints: name the directory that they are in")
	case same && (strings.HasPrefix(root, a.prefix) || inside && (!whole || slices.Contains(own, first))):
		return Allowed{}, errors.New("the markers are there: name a directory that holds nothing but checkpoints")
	}
	u.Path, u.RawPath, u.RawQuery = dir, "", query
	a.at, a.Dir = u, u.String()
	return a, nil
}

// Key gives the key, in Dir, of a checkpoint that a note names, or tells why it isn't allowed.
func (a Allowed) Key(noted string) (string, error) {
	u, err := url.Parse(noted)
	switch {
	case err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "":
		return "", errors.New("it is no URL that a run notes")
	case strings.Contains(noted, templates.Mask):
		return "", errors.New("a secret was taken out of it, so that nobody can find it")
	case strings.ContainsFunc(u.Host+u.Path, unicode.IsControl):
		return "", errors.New("it has a control character in it")
	case u.Scheme != a.at.Scheme || u.Host != a.at.Host || !strings.HasPrefix(u.Path, a.prefix) || u.Path == a.prefix && strings.HasSuffix(a.prefix, "/"):
		return "", errors.New("it isn't there")
	case path.Clean(u.Path) != u.Path:
		return "", errors.New("its path isn't clean")
	case strings.Contains(u.Path+"/", "/"+store.Hidden+"/"):
		return "", errors.New("outputs wait there for their commit")
	case parameters(u) != parameters(a.at):
		return "", errors.New("it has other parameters")
	}
	return strings.TrimPrefix(u.Path, a.at.Path), nil
}

// parameters gives those that decide whom is asked for what.
func parameters(u *url.URL) string {
	q := u.Query()
	q.Del("create_dir")
	return q.Encode()
}
