// Package fetch gets what an index's item is: from an HTTP API, or a row of a file.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// maxItem bounds an item, in bytes.
const maxItem = 16 << 20

// api is whose answers these are.
const api = "the API"

// HTTP asks for one item. Only the server's own 404 says that there is none, and a 200 is
// an item only where it can be one (web.Document). Errors are of the kinds of
// nth/shim/store/contract.
func HTTP(ctx context.Context, address string, header http.Header) ([]byte, error) {
	if strings.Contains(address, "#") {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: errors.New("the URL of --tasks has a #, behind which nothing is sent"), Hint: "write %23 for one in a name"}
	}
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
		body, err := web.Document(ctx, res, api, maxItem)
		if err == nil && len(bytes.TrimSpace(body)) == 0 {
			return nil, web.Foreign(api, "it is empty")
		}
		return body, err
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
