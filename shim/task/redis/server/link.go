package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/web"
)

const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 30 * time.Second // for one answer or request, with a large task in it
	maxHops       = 5                // from node to node of a cluster, in one call
)

// Link is one connection, made when it is needed and again when it has broken.
type Link struct {
	Settings Settings

	mu    sync.Mutex
	conn  redis.Conn
	at    string // the address of conn
	moved string // the cluster's node that has the keys; "": the URL's
}

// Do sends something that may be sent again. A connection that was closed while the
// command ran, by the server or a firewall between, is made anew without a word.
func (l *Link) Do(ctx context.Context, send func(redis.Conn) (any, error)) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.conn != nil
	for hop := 0; ; hop++ {
		reply, err := l.once(ctx, send)
		if err == nil {
			return reply, nil
		}
		text, refused := errors.AsType[redis.Error](err)
		if !refused || stale(string(text)) {
			l.drop()
		}
		switch {
		case hop < maxHops && l.follow(err):
		case !refused && old && ctx.Err() == nil && !timedOut(err):
			old = false
		default:
			return nil, err
		}
	}
}

// once sends it to the node that is asked, or once to the one that is getting the keys
// just now.
func (l *Link) once(ctx context.Context, send func(redis.Conn) (any, error)) (any, error) {
	if l.conn == nil {
		if err := l.dial(ctx); err != nil {
			return nil, err
		}
	}
	reply, err := send(l.conn)
	if address, ok := l.redirection(err, "ASK"); ok {
		there, err := l.connect(ctx, address, l.greeting())
		if err != nil {
			return nil, err
		}
		defer there.Close()
		return send(asking{there.(redis.ConnWithContext)})
	}
	return reply, err
}

// asking is a connection to the node of a cluster that is getting a slot: each command
// must say that it was sent there.
type asking struct{ redis.ConnWithContext }

func (c asking) DoContext(ctx context.Context, command string, args ...any) (any, error) {
	if _, err := c.ConnWithContext.DoContext(ctx, "ASKING"); err != nil {
		return nil, err
	}
	return c.ConnWithContext.DoContext(ctx, command, args...)
}

// redirection tells where a cluster says that the keys are (MOVED slot host:port, or
// ASK; no host means the one that was asked, "?" too).
func (l *Link) redirection(err error, word string) (address string, ok bool) {
	text, _ := errors.AsType[redis.Error](err)
	fields := strings.Fields(string(text))
	if len(fields) != 3 || fields[0] != word {
		return "", false
	}
	host, port, err := net.SplitHostPort(fields[2])
	if err != nil {
		return "", false
	}
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(l.at)
	}
	return net.JoinHostPort(host, port), true
}

// dial connects to who has the keys, as far as is known.
func (l *Link) dial(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	address := cmp.Or(l.moved, l.Settings.Address)
	if l.Settings.Master != "" {
		if address, err = l.master(ctx); err != nil {
			return err
		}
	}
	conn, err := l.connect(ctx, address, l.greeting())
	if err != nil {
		l.moved = "" // the next try asks the URL's own
		return l.Settings.of(address, err)
	}
	l.conn, l.at = conn, address
	return nil
}

// connect connects, and is who the URL says.
func (l *Link) connect(ctx context.Context, address string, greeting [][]any) (redis.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if l.Settings.Secure {
		if c, err = secure(ctx, c, address); err != nil {
			return nil, err
		}
	}
	conn := redis.NewConn(c, answerTimeout, answerTimeout)
	for _, command := range greeting {
		if _, err := redis.DoContext(conn, ctx, command[0].(string), command[1:]...); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

func secure(ctx context.Context, c net.Conn, address string) (net.Conn, error) {
	roots, err := web.Roots()
	if err == nil {
		host, _, _ := net.SplitHostPort(address)
		s := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err = s.HandshakeContext(ctx); err == nil {
			return s, nil
		}
	}
	_ = c.Close()
	return nil, err
}

// greeting is what a new connection begins with.
func (l *Link) greeting() [][]any {
	commands := auth(l.Settings.User, l.Settings.Password)
	if l.Settings.DB != 0 {
		commands = append(commands, []any{"SELECT", l.Settings.DB})
	}
	return commands
}

func auth(user, password string) [][]any {
	switch {
	case user != "":
		return [][]any{{"AUTH", user, password}}
	case password != "":
		return [][]any{{"AUTH", password}}
	}
	return nil
}

// follow goes for good where a cluster says that the keys are.
func (l *Link) follow(err error) bool {
	address, ok := l.redirection(err, "MOVED")
	if ok {
		l.drop()
		l.moved = address
	}
	return ok
}

func (l *Link) drop() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

func (l *Link) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}
