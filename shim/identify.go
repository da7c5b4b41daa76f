package shim

import (
	"nth/shim/identity"
	"nth/shim/marker"
)

// settings hands the identity flags on.
func (c *Config) settings() identity.Settings {
	return identity.Settings{
		Index: c.Index, IndexEnv: c.IndexEnv, Indexes: c.Indexes, IndexOffset: c.IndexOffset,
		Platform: c.Platform, Completions: c.Completions, Job: c.Job, JobUID: c.JobUID,
		IndexFailures: c.IndexFailures, IndexIgnoredFailures: c.IndexIgnoredFailures,
	}
}

func (r *run) identify() error {
	id, err := identity.Resolve(r.settings(), r.LookupEnv, r.Hostname)
	if err != nil {
		return err
	}
	r.id = id
	r.header = marker.Header{
		Version: marker.Version, Job: id.Job, JobUID: id.JobUID, Index: id.Index, Completions: id.Completions,
		Attempt: id.Attempt, RunID: r.RunID, Platform: id.Platform, Hostname: id.Hostname, Node: r.Node, Nth: r.Version,
	}
	if r.Pod != "" {
		r.header.Hostname = r.Pod
	}
	l := r.log.With().Int64("index", id.Index)
	if id.Completions != nil {
		l = l.Int64("completions", *id.Completions)
	}
	r.log = l.Int("attempt", id.Attempt).Str("platform", id.Platform).Str("run_id", r.RunID).Logger()
	r.log.Info().Str("variable", id.Variable).Int64("raw_index", id.RawIndex).Msg("index")
	for _, w := range id.Warnings {
		r.log.Warn().Msg(w)
	}
	return nil
}
