// Package database holds the connections of a worker to a database: what the drivers of several
// need alike, so that a call ends with its context and no statement is said twice unseen.
package database

import (
	"context"
	"errors"
	"fmt"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/statements"
)

// Answer is what statements gave.
type Answer = statements.Answer

// Server is what differs from one database to another.
type Server struct {
	Connect func(context.Context) (*Link, error)
	// Unanswered tells of an error that nobody knows whether the server did what it was told.
	Unanswered func(error) bool
	// Undone tells of an error that nothing was done, and that the same may be done if it is
	// said again; nil: of none.
	Undone func(error) bool
	// Meaning gives the *contract.Error of one.
	Meaning func(context.Context, error) error
	// Foreign is an answer that the driver panics at: another server's.
	Foreign error
}

// Sessions ask one server, each with a connection of its own.
type Sessions struct {
	server *Server
	pool   *task.Pool[*Session]
}

// Open gives the sessions of a worker; it asks the server nothing.
func Open(s *Server, o task.Options) Sessions {
	return Sessions{s, task.PoolOf(o.Remember(), func() *Session { return &Session{server: s} })}
}

// undone bounds how often a statement is tried again that the server ended because two waited
// for each other: one of them goes on.
const undone = 10

// Again tries again, with a new connection, what an old one was lost at: it may have ended
// hours ago, for servers close those that are silent. And that of which nothing was done.
// Statements do no harm when they are said twice. Its errors are *contract.Error.
func (s Sessions) Again(ctx context.Context, try func(*Session) (Answer, error)) (a Answer, err error) {
	busy := s.pool.With(ctx, func(on *Session) {
		old := on.link != nil
		for n := 0; ; n++ {
			a, err = try(on)
			more := old && s.server.Unanswered(err) || n < undone && s.server.Undone != nil && s.server.Undone(err)
			if !more || ctx.Err() != nil {
				return
			}
			old = false
		}
	})
	if busy != nil {
		return a, &contract.Error{Kind: contract.Unreachable, Cause: errors.Join(task.ErrUnasked, busy), Hint: "no connection is free"}
	}
	return a, s.server.Meaning(ctx, err)
}

// Close closes the connections: all sources of a worker are closed together.
func (s Sessions) Close() error {
	s.pool.Each((*Session).drop)
	return nil
}

// Session asks over one connection at a time.
type Session struct {
	server *Server
	link   *Link // nil: none is open
	asked  bool  // something was said, or begun to be, in the last call
}

// Unsure tells of the last call's error that nobody knows whether the server did it.
func (s *Session) Unsure(err error) bool { return s.asked && s.server.Unanswered(err) }

// With does something over a connection. After an error nobody knows what it is still
// going to say, or whether a transaction is open, and it is closed.
func (s *Session) With(ctx context.Context, do func(*Link) (Answer, error)) (a Answer, err error) {
	defer func() {
		if why := recover(); why != nil {
			a, err = Answer{}, fmt.Errorf("%w: %v", s.server.Foreign, why)
			s.drop()
		}
	}()
	if s.asked = false; s.link == nil {
		if s.link, err = s.server.Connect(ctx); err != nil {
			return Answer{}, err
		}
	}
	s.asked = true
	raw := s.link.raw
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(past()) })
	a, err = do(s.link)
	if stopped := stop(); err != nil || !stopped {
		s.drop()
	}
	return a, err
}

func (s *Session) drop() {
	if s.link != nil {
		s.link.leave()
		s.link = nil
	}
}
