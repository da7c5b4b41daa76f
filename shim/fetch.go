package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/store/web"
	"nth/shim/task"
)

// isItem tells that --tasks names one item, and no queue: an HTTP URL with nothing to
// acknowledge it at.
func (c *Config) isItem() bool {
	return strings.HasPrefix(c.Tasks, "http") && c.KeepURL == "" && c.DoneURL == ""
}

// maxItem bounds an item, in bytes.
const maxItem = 16 << 20

// fetch gets the item that the index stands for. Its marker is the index's: what came
// is part of its digest.
func (r *run) fetch() error {
	if err := r.parse(); err != nil {
		return err
	}
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	from := x.expand("--tasks", r.mapping.tasks)
	header := http.Header{}
	for _, h := range r.mapping.headers {
		header.Set(h.name, x.expand("--http-header "+h.name, h.Template).value)
	}
	r.item = &item{quitURL: x.expand("--quit-url", r.mapping.quitURL), secrets: x.secrets}
	if x.err != nil {
		return x.err
	}
	shown, _, _ := strings.Cut(from.shown, "?")
	var payload []byte
	err := store.Retry(r.ctx, r.policy(r.StoreWait), func(ctx context.Context) (err error) {
		payload, err = get(ctx, from.value, header)
		return err
	}, r.retrying)
	if err != nil {
		f := store.Fail(err, "fetch the item", r.mask(shown))
		if store.Classify(err) == contract.Absent {
			f.Code, f.Hint = failure.NoInput, r.header.What()+" has no item there: correct the template or the number of completions"
		}
		return f
	}
	r.task = &task.Task{Payload: payload}
	return nil
}

// get asks for one item. Only the server's own 404 says that there is none.
func get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || req.URL.Hostname() == "" || req.URL.User != nil {
		return nil, &contract.Error{Kind: contract.Unusable, Cause: errors.New("the URL of --tasks is malformed"), Hint: "credentials go into --http-header"}
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
