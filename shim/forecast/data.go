package forecast

import (
	"context"
	"strings"

	"nth/shim/expand"
	"nth/shim/store"
	"nth/shim/task/objects"
	"nth/templates"
)

// data foresees what an item reads and writes: whether its places can be opened, as far as
// they are known, and go together.
func (x *guesser) data() {
	for _, t := range x.Mapping.Stored() {
		if url := x.expand(t); x.err == nil && url != "" && !x.guessed {
			x.opens(t.Name, url)
		}
	}
	if x.err != nil {
		return
	}
	x.guessed = false
	e := &expand.Expander{Fields: x.at, Sources: templates.Sources{LookupEnv: x.lookup, ReadFile: x.file}, Secrets: x.Secrets}
	if err := x.Mapping.Foreseen(e); err != nil && !x.guessed && (forAll(err) || !x.here) {
		x.err = err
	}
}

// opens opens the store of a place, without asking it anything.
func (x *guesser) opens(flag, url string) {
	address, parameters, _ := strings.Cut(url, "?")
	glob := strings.IndexAny(address, "*[{")
	var s *store.Store
	var err error
	switch {
	case flag == "--input" && glob >= 0:
		if err = objects.Malformed(flag, url); err == nil {
			dir := address[:strings.LastIndexByte(address[:glob], '/')+1]
			s, err = x.Stores.Open(context.Background(), strings.TrimSuffix(dir+"?"+parameters, "?"))
		}
	case flag == "--keep-failed" || strings.HasSuffix(address, "/"):
		s, err = x.Stores.Open(context.Background(), url)
	default:
		s, _, err = x.Stores.OpenObject(context.Background(), url)
	}
	if x.err = x.wrong(store.Of(flag, err)); err == nil {
		s.Close()
	}
}
