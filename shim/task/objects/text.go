package objects

import (
	"bytes"
	"encoding/json"
	"time"
)

// What templates may name of an object, and of a group.
var (
	ofObject = []string{"url", "key", "name", "dir", "stem", "size", "etag", "modified"}
	ofGroup  = []string{"group", "files", "keys", "size"}
)

// Texts gives an item as templates have it: what it is alone, its fields as a JSON object
// where that is none itself, and the names of the fields. An object alone is its URL.
func (l *List) Texts(it Item) (alone, fields string, names []string) {
	if l.spec.GroupBy == "" {
		n := l.Named(it.Files[0])
		return n.URL, n.fields(), ofObject
	}
	group := struct {
		Group string   `json:"group"`
		Files []string `json:"files"`
		Keys  []string `json:"keys,omitempty"`
		Size  int64    `json:"size"`
	}{Group: it.Group}
	var keys []string
	for _, o := range it.Files {
		group.Files = append(group.Files, l.place.url(o.Key))
		keys = append(keys, l.place.key(o.Key))
		group.Size += o.Size
	}
	alone = asJSON(group) // without the keys, which the URLs tell: what is done was another item else
	group.Keys = keys
	return alone, asJSON(group), ofGroup
}

// Fields gives an object's as templates have them.
func (n Named) Fields() (alone, fields string, names []string) { return n.URL, n.fields(), ofObject }

func (n Named) fields() string {
	return asJSON(struct {
		URL      string `json:"url"`
		Key      string `json:"key"`
		Name     string `json:"name"`
		Dir      string `json:"dir"`
		Stem     string `json:"stem"`
		Size     int64  `json:"size"`
		ETag     string `json:"etag"`
		Modified string `json:"modified"`
	}{n.URL, n.Path, n.Name, n.Dir, n.Stem, n.Size, n.ETag, n.Modified.Format(time.RFC3339)})
}

// asJSON gives JSON in which <, > and & stand as they are. (Of these values there is no
// error.)
func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return string(bytes.TrimSuffix(b.Bytes(), []byte{'\n'}))
}
