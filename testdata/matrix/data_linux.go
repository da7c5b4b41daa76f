package matrix

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"nth/shim/marker"
)

// document reads one, into what has every field of all kinds that is looked at; what a
// commit is of stands in its marker.
func document(key string, body []byte) (doc marker.Failure, err error) {
	if strings.HasPrefix(key, "commit/") {
		var commit struct{ Marker json.RawMessage }
		if err := json.Unmarshal(body, &commit); err != nil {
			return doc, err
		}
		body = commit.Marker
	}
	err = json.Unmarshal(body, &doc)
	return doc, err
}

// undigested tells whether a document tells of a run, and not of what it does.
func undigested(key string) bool {
	return strings.HasPrefix(key, "claim/") || strings.HasPrefix(key, "staging/")
}

// Objects gives what is in a folder that the item writes to, besides its markers': the text of
// each object by its key below.
func (i *Item) Objects(folder string) map[string]string {
	i.T.Helper()
	s := i.folder(folder)
	defer s.Close()
	all := map[string]string{}
	err := s.List(context.Background(), "", func(key string, _ int64, _ time.Time) error {
		body, _, err := s.Read(context.Background(), key)
		all[key] = string(body)
		return err
	})
	if err != nil && !i.notYet(err) {
		i.T.Fatal(err)
	}
	return all
}

// Data gives the URL of an object in such a folder, or with a key that ends in a slash of a
// directory there.
func (i *Item) Data(folder, key string) string { return i.Place.Data(i.Prefix+"-"+folder, key) }

// Input gives the URL of a blob below Inputs, which is the same for each start.
func (i *Item) Input(key string) string { return i.Place.Data(Inputs, key) }
