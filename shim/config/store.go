package config

import "time"

// Store is where the markers are, for commands that look at them from outside. Who embeds
// it says how long a store is waited for by default: embed:"" set:"wait=30s".
type Store struct {
	Markers      string        `group:"Store" placeholder:"URL" help:"Where the markers are, as nth run is given it; of templates, what needs no index."`
	StoreWait    time.Duration `group:"Store" default:"${wait}" placeholder:"D" help:"Try a store that doesn't answer for this long."`
	StoreTimeout time.Duration `group:"Store" default:"30s" placeholder:"D" help:"Deadline of a single call to the store; of a long answer, of each piece."`
}
