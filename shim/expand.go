package shim

import (
	"cmp"
	"nth/shim/edge"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/templates"
)

func fields(id identity.Identity, runID string) templates.Fields {
	return templates.Fields{
		Index: id.Index, RawIndex: id.RawIndex, Completions: id.Completions, Attempt: id.Attempt,
		Job: id.Job, JobUID: id.JobUID, Platform: id.Platform, RunID: runID, Hostname: id.Hostname,
	}
}

// shardOf gives an index's part of the items; nil where there are none to share out. An
// index beyond the last one was refused before.
func shardOf(items int64, id identity.Identity) *templates.Shard {
	if items == 0 || id.Completions == nil {
		return nil
	}
	s := templates.ShardOf(items, id.Index, *id.Completions)
	return &s
}

func (r *run) sources() templates.Sources {
	return templates.Sources{LookupEnv: r.LookupEnv, ReadFile: edge.ReadFile}
}

// parse parses every template, and reconciles the settings.
func (r *run) parse() (err error) {
	if r.mapping, err = parseMapping(&r.Config); err != nil {
		return err
	}
	return r.Check(cmp.Or(r.Config.Index.Completions, r.id.Completions))
}

func (r *run) expand() (err error) {
	if r.mapping == nil {
		if err = r.parse(); err != nil {
			return err
		}
	}
	f := fields(r.id, r.RunID)
	f.Shard = shardOf(r.mapping.items, r.id)
	content := marker.Content{Extra: r.Markers.DigestExtra}
	if r.task != nil {
		f.Task = &templates.Task{ID: r.task.ID, Payload: string(r.task.Payload), Meta: r.task.Meta}
		content.Task = []string{string(r.task.Payload)}
		if t := r.header.Task; t != nil {
			f.Attempt = max(r.task.Attempt, 1)
			content.Task = []string{t.Source, t.Queue, t.ID, string(r.task.Payload)}
		}
	}
	if r.item, err = r.mapping.expand(f, r.sources()); err != nil {
		return err
	}
	r.header.Command = r.item.stableCommand
	content.Command, content.Env = r.item.stableCommand, r.item.stableEnv
	r.header.Digest = content.Digest()
	r.log.Info().Strs("command", r.item.stableCommand).Msg("expanded")
	return nil
}
