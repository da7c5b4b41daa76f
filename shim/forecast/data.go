package forecast

import (
	"context"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/task/objects"
	"nth/templates"
)

// data foresees what an item reads and writes: whether its places can be opened, as far as
// they are known, and go together.
func (x *guesser) data() {
	for _, t := range append(x.Mapping.Stored(), x.Mapping.Beside()...) {
		x.place(t)
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

// place foresees whether one place can be opened.
func (x *guesser) place(t expand.Named) {
	if url := x.expand(t); x.err == nil && url != "" && !x.guessed {
		x.opens(t.Name, url)
	}
}

// Places tells what of a run's places no run could open, wherever it is: a URL that is
// malformed, exit code 64. What else is wrong with them is for who expands its item to say.
func Places(r item.Run) error {
	at, err := representative(&r)
	if err != nil {
		return nil
	}
	x := &guesser{foreseen: &foreseen{Run: r, here: true}, at: at, tasks: r.Config.Source() != config.NoSource}
	for _, t := range append(append(r.Mapping.Stored(), r.Mapping.Beside()...), r.Mapping.Markers()) {
		if x.place(t); x.err != nil && failure.From(x.err).Code == failure.Usage {
			return x.err
		}
		x.err = nil
	}
	return nil
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
	case flag == "--markers" || flag == "--logs" || flag == "--keep-failed" || strings.HasSuffix(address, "/") && flag != "--done-if" && flag != "--success":
		s, err = x.Stores.Open(context.Background(), url)
	default:
		s, _, err = x.Stores.OpenObject(context.Background(), url)
	}
	if x.err = x.wrong(store.Of(flag, err)); err == nil {
		s.Close()
	}
}
