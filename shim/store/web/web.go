// Package web is what the stores that are asked over HTTP share: how they connect
// and whom they trust, what an answer that never came means, and when a
// credential is renewed. It knows no store's protocol.
package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"sync"
	"time"

	"nth/shim/disk"
	"nth/shim/store/contract"
)

// Client gives a client for a store and for the services that identify nth to it.
// Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY (net/http's
// ProxyFromEnvironment), trusted authorities those of the package's roots. It
// follows no redirect: a signature wouldn't hold elsewhere, and a login page is no
// answer.
func Client() *http.Client {
	return &http.Client{CheckRedirect: stay, Transport: &transport{}}
}

// directTimeout is generous for a service of the same machine, of which no answer
// means that there is none.
const directTimeout = 2 * time.Second

// Direct gives a client for a service of the machine itself, such as a cloud's
// metadata server. It uses no proxy, which would speak of the machine that the
// proxy runs on.
func Direct() *http.Client {
	t := newTransport()
	t.Proxy = nil
	return &http.Client{CheckRedirect: stay, Transport: t, Timeout: directTimeout}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transport is one for http:// and one for https://, each made when it is first
// needed: to read the trusted authorities costs more than all of nth's start.
type transport struct {
	mu            sync.Mutex
	plain, secure *http.Transport
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	to, err := t.to(req.Context(), req.URL.Scheme)
	if err != nil {
		return nil, err
	}
	contract.Asked(req.Context())
	defer contract.Rest(req.Context())
	if req.Body != nil && req.Body != http.NoBody {
		own := *req // http.RoundTripper: the request isn't to be changed
		own.Body = contract.Sent(req.Context(), req.Body)
		req = &own
	}
	res, err := to.RoundTrip(req)
	if err == nil && res.Body != http.NoBody {
		res.Body = contract.Received(req.Context(), res.Body)
	}
	return res, err
}

func (t *transport) to(ctx context.Context, scheme string) (*http.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if scheme != "https" {
		if t.plain == nil {
			t.plain = newTransport()
		}
		return t.plain, nil
	}
	if t.secure == nil {
		var pool *x509.CertPool
		var err error
		if gaveUp := disk.Run(ctx, "/etc/ssl", func() { pool, err = roots(os.Getenv) }); gaveUp != nil {
			return nil, gaveUp
		}
		if err != nil {
			return nil, err // and read again next time: a volume may be mounted late
		}
		t.secure = newTransport()
		t.secure.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return t.secure, nil
}

// CloseIdleConnections is what http.Client's looks for. The authorities go too:
// they are most of the memory that nth would hold while a command works for hours.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, transport := range []**http.Transport{&t.plain, &t.secure} {
		if *transport != nil {
			(*transport).CloseIdleConnections()
			*transport = nil
		}
	}
}

// MostConns is how many connections to a server are kept while they are not in use.
const MostConns = 256

// newTransport speaks HTTP/1 alone, however nth is built. Over HTTP/2 all requests share
// one connection, and when that dies without a word each of them waits on it in vain,
// the renewals of a lease too; over HTTP/1 the next one goes over another. The clone's
// TLS settings, which may offer HTTP/2, don't come along.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	// Parts go over several at once, and the next ones too; what is changed by hand goes over
	// as many as the server takes.
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, MostConns
	t.Protocols = &http.Protocols{}
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2, t.TLSClientConfig, t.TLSNextProto = false, nil, nil
	return t
}

// undoTimeout bounds what a failed write may spend on being taken back.
const undoTimeout = 10 * time.Second

// Undo takes back what failed, also when its time is over.
func Undo(ctx context.Context, undo func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	undo(ctx)
}
