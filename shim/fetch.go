package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
	"nth/shim/task/manifest"
)

// maxItem bounds an item, in bytes.
const maxItem = 16 << 20

// fetch gets the item that the index stands for. Its marker is the index's: what came
// is part of its digest.
func (r *run) fetch() error {
	if err := r.parse(); err != nil {
		return err
	}
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	from, markers := x.expand("--tasks", r.mapping.tasks), x.expand("--markers", r.mapping.markers)
	_, secrets, err := r.headers()
	r.item = &item{quitURL: x.expand("--quit-url", r.mapping.quitURL), secrets: append(x.secrets, secrets...)}
	switch {
	case x.err != nil:
		return x.err
	case err != nil:
		return err
	}
	shown, _, _ := strings.Cut(from.shown, "?")
	read := func(ctx context.Context) ([]byte, error) {
		header, _, err := r.headers()
		if err != nil {
			return nil, final(err)
		}
		return get(ctx, from.value, header)
	}
	if r.Source() == config.Rows {
		if markers.value != "" {
			if err := r.openBook(markers.value); err != nil { // for the manifest's index
				return err
			}
		}
		read = func(ctx context.Context) ([]byte, error) { return r.row(ctx, from.value) }
	}
	var payload []byte
	err = store.Retry(r.ctx, r.policy(r.Stores.StoreWait), func(ctx context.Context) (err error) {
		payload, err = read(ctx)
		return err
	}, r.retrying)
	if err != nil {
		return r.noItem(err, shown)
	}
	r.task = &task.Task{Payload: payload}
	return nil
}

// noItem is the failure for an item that can't be had.
func (r *run) noItem(err error, shown string) error {
	if m, ok := errors.AsType[*manifest.Error](err); ok {
		f := &failure.Failure{Code: failure.BadIndex, Tried: "read the manifest", On: r.mask(shown), Cause: m.Cause, Hint: m.Hint}
		if m.Kind == manifest.Beyond {
			f.Code = failure.NoInput
		}
		return f
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := store.Fail(err, failure.OneIndex, "fetch the item", r.mask(shown))
	if store.Classify(err) == contract.Absent {
		f.Code, f.Hint = failure.NoInput, r.header.What()+" has no item there: correct the template or the number of completions"
	}
	return f
}

// row reads the row of the index, and notes which version of the manifest it is of.
func (r *run) row(ctx context.Context, address string) ([]byte, error) {
	var index *store.Store
	if r.book != nil {
		index = r.book.Store
	}
	m, err := manifest.Open(ctx, address, index)
	if err != nil {
		return nil, final(err)
	}
	defer m.Close()
	m.Warn = func(err error) { r.log.Warn().Msg("the manifest's index: " + r.said(err)) }
	row, err := m.Row(ctx, r.id.Index)
	if err != nil {
		return nil, final(err)
	}
	version, err := m.Version(ctx)
	if err != nil {
		return nil, err
	}
	r.header.Manifest = &marker.Manifest{URL: m.Show(), Version: string(version)}
	return []byte(row.Payload()), nil
}

// final keeps what no further try would change from being tried again: a manifest's own
// fault, and a URL's.
func final(err error) error {
	_, fault := errors.AsType[*manifest.Error](err)
	if _, ok := errors.AsType[*failure.Failure](err); ok || fault {
		return errors.Join(err, &contract.Error{Kind: contract.Malformed, Cause: err})
	}
	return err
}

// get asks for one item. Only the server's own 404 says that there is none.
func get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || req.URL.Hostname() == "" || req.URL.User != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: errors.New("the URL of --tasks is malformed"), Hint: "credentials go into --http-header"}
	}
	req.Header = header
	client := web.Client()
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return nil, web.Unreachable(ctx, err)
	}
	if res.StatusCode == http.StatusOK {
		return web.Body(ctx, res, "the API", maxItem)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, web.MaxError)) // best effort: it only explains
	e := &contract.Error{Kind: contract.Unreachable, Cause: errors.New(web.Refusal(res.StatusCode, "", line(text)))}
	switch res.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		e.Kind = contract.Absent
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Kind, e.Hint = contract.Denied, "give a token with --http-header 'Authorization=Bearer <<secret \"TOKEN\">>'"
	}
	return nil, e
}

// line gives an error's text, and nothing of a page that is meant for a browser.
func line(text []byte) string {
	s := strings.TrimSpace(string(text))
	if strings.HasPrefix(s, "<") {
		return ""
	}
	return s
}
