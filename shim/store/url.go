package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"gocloud.dev/blob"

	"nth/shim/failure"
	"nth/shim/store/contract"
)

const tried = "open the store"

const urlHint = "write file:///dir, s3://bucket/prefix?region=…, gs://bucket/prefix or azblob://container/prefix?storage_account=…"

// Open opens the store of a URL, such as file:///dir or s3://bucket/prefix?region=…,
// without asking it anything. An error is a failure with exit code 64, or 78 where
// the settings contradict each other.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	return open(ctx, rawURL, blob.DefaultURLMux().OpenBucketURL)
}

// OpenObject opens the store in which the blob of a URL is, and gives its key there.
func OpenObject(ctx context.Context, rawURL string) (*Store, string, error) {
	return openObject(ctx, rawURL, blob.DefaultURLMux().OpenBucketURL)
}

// FromItem tells what is wrong with the URL of a blob that an item says, all of it. An
// error is a failure with exit code 65: it is the item's.
func FromItem(rawURL string) error {
	u, err := parseURL(rawURL)
	if err == nil {
		if err = contract.FromItem(u); err == nil {
			return nil
		}
		err = &failure.Failure{Tried: tried, On: shown(u), Cause: err, Hint: "write it into the template, and let the item give the key"}
	}
	f := *failure.From(err)
	f.Code = failure.BadIndex
	return &f
}

// Of says of a URL that can't be used which flag's it is.
func Of(flag string, err error) error {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Tried != tried || flag == "" {
		return err
	}
	named := *f
	named.Tried += " of " + flag
	return &named
}

// HasScheme tells whether there is a store for the scheme of a URL.
func HasScheme(scheme string) bool {
	return blob.DefaultURLMux().ValidBucketScheme(strings.ToLower(scheme))
}

// opener opens the bucket of a URL.
type opener func(context.Context, *url.URL) (*blob.Bucket, error)

func open(ctx context.Context, rawURL string, bucketOf opener) (*Store, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	bucket, err := bucketOf(ctx, u)
	if err != nil {
		return nil, badURL(u, err)
	}
	return &Store{bucket: bucket, shown: strings.TrimSuffix(shown(u), "/") + "/"}, nil
}

func openObject(ctx context.Context, rawURL string, bucketOf opener) (*Store, string, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, "", err
	}
	key := path.Base(u.Path)
	if u.Path == "" || strings.HasSuffix(u.Path, "/") || key == "." || key == ".." {
		return nil, "", badURL(u, errors.New("it names a directory, not one blob"))
	}
	dir := *u
	dir.Path, dir.RawPath = strings.TrimSuffix(u.Path, key), ""
	s, err := open(ctx, dir.String(), bucketOf)
	return s, key, err
}

// parseURL checks what is the same for all stores. What it says of a malformed URL
// doesn't repeat it: a password may be in it.
func parseURL(rawURL string) (*url.URL, error) {
	bad := func(on, why, hint string) (*url.URL, error) {
		return nil, &failure.Failure{Code: failure.Usage, Tried: tried, On: on, Cause: errors.New(why), Hint: hint}
	}
	u, err := url.Parse(rawURL)
	if escape, ok := errors.AsType[url.EscapeError](err); ok {
		return bad("", fmt.Sprintf("the URL has %q, which is no code for a character there", string(escape)), "write %25 for a percent sign")
	}
	if err != nil {
		return bad("", "the URL is malformed", urlHint)
	}
	query, err := url.ParseQuery(u.RawQuery)
	switch {
	case rawURL == "":
		return bad("", "the URL is empty", urlHint)
	case u.Scheme == "":
		at := contract.Plain(rawURL)
		return bad(at, "the URL has no scheme", schemeHint(at))
	case !blob.DefaultURLMux().ValidBucketScheme(u.Scheme):
		return bad(shown(u), fmt.Sprintf("there is no store for the scheme %q, only for %s", u.Scheme, strings.Join(blob.DefaultURLMux().BucketSchemes(), ", ")), urlHint)
	case u.User != nil:
		return bad(shown(u), "the URL names a user", "credentials don't belong there; they come from the environment")
	case u.Opaque != "":
		return bad("", "the URL has no slashes after "+u.Scheme+":", urlHint)
	case u.Fragment != "":
		return bad(shown(u), "the URL has a #", "write %23 for one in a name")
	case err != nil:
		return bad(shown(u), "the URL's parameters are malformed", "write &name=value for each after the first, and %3B for a semicolon")
	}
	for name, values := range query {
		if name == "prefix" || name == "key" {
			return bad(shown(u), "the parameter "+name+" is not for nth", "write the prefix as the URL's path")
		}
		if len(values) > 1 {
			return bad(shown(u), fmt.Sprintf("the parameter %q is there %d times", name, len(values)), "once is enough")
		}
	}
	return u, nil
}

// badURL is exit code 64, or 78 where the driver says that its settings contradict.
func badURL(u *url.URL, err error) *failure.Failure {
	f := &failure.Failure{Code: failure.Usage, Tried: tried, On: shown(u), Cause: err, Hint: urlHint}
	if e, ok := errors.AsType[*contract.Error](err); ok {
		f.Cause = e.Cause
		f.Hint = e.Hint
		if e.Kind == contract.Invalid {
			f.Code = failure.Setup
		}
	}
	return f
}

// schemeHint tells how a path is written as a URL.
func schemeHint(at string) string {
	if at == "" || strings.Contains(at, "//") {
		return urlHint
	}
	if !path.IsAbs(at) {
		at = "/full/path/" + path.Clean(at)
	}
	file := url.URL{Scheme: "file", Path: at}
	return "for a path write " + file.String() + "; others are s3://bucket/prefix?region=…, gs://bucket/prefix or azblob://container/prefix?storage_account=…"
}

// shown gives a URL without credentials and parameters.
func shown(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.Host == "" && u.Scheme != "file" && strings.Contains(u.Path, "@") { // a slash is missing, and these may be credentials
		v.Path = ""
	}
	return v.String()
}
