package commit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/templates"
)

// Note is staging/<index>/<run_id>.json: where a run stages its outputs, for who clears up
// what runs that were killed have left.
type Note struct {
	Version     int      `json:"version"`
	Job         string   `json:"job"`
	Index       int64    `json:"index"`
	RunID       string   `json:"run_id"`
	Written     string   `json:"written"`
	Places      []string `json:"places"` // URLs that end in .nth/<run_id>/
	Checkpoints []string `json:"checkpoints,omitempty"`
}

// Place is where a run has staged: all below the prefix, in the directory of a URL.
type Place struct{ Dir, Prefix string }

// ReadNote reads the note that is kept under a run's name. Anybody may have written it who
// may write beside the markers, and who reads it removes what is there: so a place is below
// the hidden directory of that very run, and nobody is asked whom markers, the URL of the
// command line, doesn't have asked.
func ReadNote(body []byte, run, markers string) (Note, []Place, error) {
	var n Note
	like, err := url.Parse(markers)
	if err != nil {
		return n, nil, errors.New("the markers' URL is malformed") // which may hold a secret
	}
	if err := json.Unmarshal(body, &n); err != nil {
		return n, nil, fmt.Errorf("it is no note: %w", err)
	}
	if n.RunID != run || !isRunID(run) {
		return n, nil, fmt.Errorf("it is of run %.100q, by its name of %.100q", n.RunID, run)
	}
	if n.Version < 1 || len(n.Places) == 0 && len(n.Checkpoints) == 0 || len(n.Places) > maxOutputs {
		return n, nil, fmt.Errorf("it has version %d, and %d places", n.Version, len(n.Places))
	}
	var places []Place
	for _, text := range n.Places {
		p, err := placeOf(text, run, like)
		if err != nil {
			return n, nil, fmt.Errorf("the place %.200q: %w", withoutQuery(text), err)
		}
		places = append(places, p)
	}
	return n, places, nil
}

func withoutQuery(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return text
}

// placeOf takes a place apart, if it is one of a run's.
func placeOf(text, run string, like *url.URL) (Place, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Place{}, errors.New("it is malformed")
	case u.Scheme != like.Scheme:
		return Place{}, errors.New("it is of another kind of store than --markers")
	case u.User != nil || u.Opaque != "" || u.Fragment != "":
		return Place{}, errors.New("it is no URL that a run notes")
	case strings.Contains(text, templates.Mask):
		return Place{}, errors.New("a secret was taken out of it, so that nobody can find it")
	case strings.ContainsFunc(u.Host+u.Path, unicode.IsControl):
		return Place{}, errors.New("it has a control character in it")
	}
	prefix := store.Hidden + "/" + run + "/"
	dir, found := strings.CutSuffix(u.Path, "/"+prefix)
	if !found || dir != "" && (dir == "/" || path.Clean("/"+dir) != dir) || strings.Contains(dir+"/", "/"+store.Hidden+"/") {
		return Place{}, fmt.Errorf("it isn't just %s below a directory", prefix)
	}
	query, err := itsParameters(u, like)
	if err != nil {
		return Place{}, err
	}
	u.Path, u.RawPath, u.RawQuery = dir+"/", "", query
	return Place{u.String(), prefix}, nil
}

// itsParameters gives the parameters with which a place is opened: those that an item may
// say too, and those that the command line says as well.
func itsParameters(u, like *url.URL) (string, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", errors.New("its parameters are malformed")
	}
	query.Del("create_dir") // nothing is made here
	told, own := like.Query(), url.Values{}
	for name, values := range query {
		if len(values) != 1 || len(told[name]) != 1 || values[0] != told.Get(name) {
			own[name] = values
		}
	}
	if contract.FromItem(&url.URL{RawQuery: own.Encode()}) != nil {
		return "", errors.New("it has a parameter that --markers doesn't have, and that decides whom to ask")
	}
	return query.Encode(), nil
}
