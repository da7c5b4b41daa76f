package shim

import (
	"io"
	"os"

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

func (r *run) sources() templates.Sources {
	return templates.Sources{LookupEnv: r.LookupEnv, ReadFile: readFile}
}

// maxFile bounds what the function file reads, in bytes: more than any word may be.
const maxFile = 8 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}

func (r *run) expand() (err error) {
	if r.mapping, err = parseMapping(&r.Config); err != nil {
		return err
	}
	if err = r.check(); err != nil {
		return err
	}
	if r.item, err = r.mapping.expand(fields(r.id, r.RunID), r.sources()); err != nil {
		return err
	}
	r.header.Command = r.item.stableCommand
	r.header.Digest = marker.Content{Command: r.item.stableCommand, Env: r.item.stableEnv, Extra: r.DigestExtra}.Digest()
	r.log.Info().Strs("command", r.item.stableCommand).Msg("expanded")
	return nil
}
