package shim

import (
	"nth/shim/identity"
	"nth/shim/marker"
)

func (r *run) identify() error {
	id, err := identity.Resolve(r.Config.Index, r.LookupEnv, r.Hostname)
	if err != nil {
		return err
	}
	r.id = id
	r.header = marker.Header{
		Version: marker.Version, Job: id.Job, JobUID: id.JobUID, Index: id.Index, Completions: id.Completions,
		Attempt: id.Attempt, RunID: r.RunID, Platform: id.Platform, Hostname: id.Hostname, Node: r.Index.Node, Nth: r.Version,
	}
	if r.Index.Pod != "" {
		r.header.Hostname = r.Index.Pod
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
