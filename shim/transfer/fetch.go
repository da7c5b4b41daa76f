package transfer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
)

const (
	// renewed is how much must have come before a connection broke for the window of the
	// policy to begin anew: what trickles has one window for all of it.
	renewed = 64 << 10
	// pause is what then passes until the next try.
	pause = 100 * time.Millisecond
)

// fetch brings a part of a blob, through as many connections as that needs.
type fetch struct {
	m       *Mover
	s       *store.Store
	e       *store.Entry // the version; where it isn't known yet, the first answer says it
	at, end int64        // what must still come, at most
	least   int          // of room that is filled before took is called
	room    func() []byte
	took    func(p []byte, at int64) error // these bytes of room came, that belong there
	here    error                          // took's
	mode    fs.FileMode                    // that the last answer has named
}

// known tells whether it is known which version of a blob there is, and how large it is.
func known(e *store.Entry) bool { return e.Size >= 0 && e.Version != "" }

func (f *fetch) run(ctx context.Context) error {
	policy := f.m.policy()
	for {
		var broke error
		err := store.Retry(ctx, policy, func(ctx context.Context) error {
			from := f.at
			err := f.once(ctx)
			if err != nil && f.at-from >= renewed && policy.Window > 0 && !policy.IsFinal(err) {
				broke, err = err, nil
			}
			return err
		}, f.m.Retrying)
		switch {
		case f.here != nil:
			return f.here
		case err != nil || broke == nil:
			return err
		}
		if f.m.Retrying != nil && ctx.Err() == nil {
			f.m.Retrying(broke, pause)
		}
		if err := policy.Pause(ctx, pause); err != nil {
			return err
		}
	}
}

// once asks for what must still come, and keeps what does.
func (f *fetch) once(ctx context.Context) error {
	p, err := f.s.Part(ctx, f.e.Key, f.e.Version, f.at, f.end-f.at)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := f.agree(p.Entry); err != nil {
		return err
	}
	for f.at < f.end {
		room := f.room()
		room = room[:min(int64(len(room)), f.end-f.at)]
		n, err := io.ReadAtLeast(p, room, min(f.least, len(room)))
		if n > 0 {
			if f.here = f.took(room[:n], f.at); f.here != nil {
				return nil // no other try would change it
			}
			f.at += int64(n)
			f.m.moved(int64(n))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the connection ended %d bytes early", f.end-f.at)}
		}
		if err != nil && f.at < f.end {
			return err
		}
	}
	if n, _ := io.ReadFull(p, make([]byte, 1)); n > 0 {
		return &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("more came than the %d bytes up to byte %d that were asked for", f.end, f.end)}
	}
	return nil
}

// agree holds an answer against what is known of the blob.
func (f *fetch) agree(now store.Entry) error {
	if f.e.Size < 0 {
		f.e.Size = now.Size
	}
	if f.e.Version == "" && now.Version != "" { // only ever while this part is alone
		f.e.Version = now.Version
		f.e.CRC32C = now.CRC32C
	}
	if now.Size != f.e.Size {
		return contract.Changed()
	}
	f.mode = now.Mode
	f.end = min(f.end, f.e.Size)
	return nil
}
