package objects

import (
	"errors"
	"net/url"
	pathpkg "path"
	"strings"

	"nth/shim/failure"
)

// isStore tells whether a scheme is that of what can be listed.
func isStore(scheme string) bool {
	return scheme == "file" || scheme == "s3" || scheme == "gs" || scheme == "azblob"
}

// Is tells by the look of it whether a URL names many objects: it is a store's, and ends in
// a slash or has a glob. It may be a template, whose actions are values.
func Is(raw string) bool {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || !isStore(scheme) {
		return false
	}
	path, slash := pathOf(rest)
	return slash && (strings.HasSuffix(path, "/") || strings.ContainsAny(literal(path), meta))
}

// pathOf gives what stands between host and parameters, with its first slash. A ? in an
// action is none of the URL's.
func pathOf(rest string) (path string, slash bool) {
	path = rest[len(hostOf(rest)):]
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	for from := 0; from < len(path); {
		switch i := strings.IndexAny(path[from:], "?<"); {
		case i < 0:
			return path, true
		case path[from+i] == '?':
			return path[:from+i], true
		case strings.HasPrefix(path[from+i:], "<<"):
			end := strings.Index(path[from+i:], ">>")
			if end < 0 {
				return path, true
			}
			from += i + end + 2
		default:
			from += i + 1
		}
	}
	return path, true
}

// hostOf gives what stands before the path.
func hostOf(rest string) string { return rest[:strings.IndexAny(rest+"/", "/?")] }

// literal leaves a template's actions out.
func literal(text string) string {
	var b strings.Builder
	for text != "" {
		before, action, _ := strings.Cut(text, "<<")
		b.WriteString(before)
		_, text, _ = strings.Cut(action, ">>")
	}
	return b.String()
}

// place is what a URL of many objects names, taken apart.
type place struct {
	scheme, host string
	dir          string // unescaped, from its first slash to its last: where the store is opened
	query        string // the parameters
	prefix       string // what all keys below the directory begin with
	glob         *glob  // of keys below the directory; nil: all
	text         string // the glob as it was written, for the list's name
}

func badURL(cause error, hint string) error {
	return &failure.Failure{Code: failure.Usage, Tried: "list", On: "--tasks", Cause: cause, Hint: hint}
}

// parse takes a URL apart that holds no template any more.
func parse(raw string) (place, error) {
	scheme, rest, _ := strings.Cut(raw, "://")
	path, _ := pathOf(rest)
	host := hostOf(rest)
	p := place{scheme: scheme, host: host}
	if strings.Contains(raw, "#") {
		return p, badURL(errors.New("the URL has a #"), "write %23 for one in a name")
	}
	if _, query, ok := strings.Cut(rest[len(host)+len(path):], "?"); ok {
		p.query = query
	}
	if path == "" {
		path = "/"
	}
	plain, pattern := path, ""
	if at := strings.IndexAny(path, meta); at >= 0 {
		slash := strings.LastIndexByte(path[:at], '/') + 1
		plain, pattern = path[:slash], path[slash:]
		prefix, err := url.PathUnescape(pattern[:at-slash])
		if err != nil {
			return p, badURL(errors.New("the URL has a % that begins no code for a character"), "write %25 for a percent sign")
		}
		p.prefix = prefix
	}
	var err error
	if p.dir, err = url.PathUnescape(plain); err != nil {
		return p, badURL(errors.New("the URL has a % that begins no code for a character"), "write %25 for a percent sign")
	}
	if pattern == "" {
		return p, nil
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	p.text = pattern
	g, err := parseGlob(pattern, true)
	if err != nil {
		return p, badURL(err, "* and ** match names, [a-z] a character, {a,b} one of these; a literal *, [ or { is written %2A, %5B or %7B")
	}
	p.glob = &g
	return p, nil
}

// Malformed tells what is wrong with the URL of a flag that names objects by a glob. An error
// is a failure with exit code 64.
func Malformed(flag, raw string) error {
	_, err := parse(raw)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		f.On = flag
	}
	return err
}

// store is the URL of the directory, for who opens it.
func (p place) store() string {
	u := url.URL{Scheme: p.scheme, Host: p.host, Path: p.dir, RawQuery: p.query}
	return u.String()
}

// shown is the URL of all of it, without parameters.
func (p place) shown() string {
	u := url.URL{Scheme: p.scheme, Host: p.host, Path: p.dir}
	return u.String() + p.text
}

// key gives the whole key of an object; of a file its path.
func (p place) key(below string) string {
	if p.scheme == "file" {
		return p.dir + below
	}
	return strings.TrimPrefix(p.dir, "/") + below
}

// url gives an object's URL, without the parameters by which it was found.
func (p place) url(below string) string {
	u := url.URL{Scheme: p.scheme, Host: p.host, Path: p.dir + below}
	return u.String()
}

// below gives where another URL is below this directory, as a prefix of keys with a slash
// at its end; "" where it isn't, or is the directory itself.
func (p place) below(raw string) string {
	scheme, rest, _ := strings.Cut(raw, "://")
	path, _ := pathOf(rest)
	host := hostOf(rest)
	at, err := url.PathUnescape(path)
	dir := p.dir
	if p.scheme == "file" && (host == "" || host == "localhost") && (p.host == "" || p.host == "localhost") {
		host, at, dir = p.host, pathpkg.Clean(at)+"/", strings.TrimSuffix(pathpkg.Clean(dir), "/")+"/"
	}
	if err != nil || scheme != p.scheme || host != p.host || !strings.HasPrefix(at, dir) {
		return ""
	}
	below := strings.Trim(at[len(dir):], "/")
	if below == "" {
		return ""
	}
	return below + "/"
}
