package web

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"net/http"
)

// Document reads the answer to a question whose answer is for a program, to its end, and
// closes it. A page for people is none, of whatever status: some login's or proxy's. Nor
// is what somebody encoded on the way, for no encoding is asked for; nor what nobody can
// tell to be whole. More than limit bytes are no answer.
func Document(ctx context.Context, res *http.Response, server string, limit int64) ([]byte, error) {
	encoding := res.Header.Get("Content-Encoding")
	switch {
	case encoding != "" && encoding != "identity":
		Drain(res)
		return nil, Foreign(server, "it is encoded as "+encoding+", which wasn't asked for")
	case IsPage(res):
		Drain(res)
		return nil, Foreign(server, "it is a page for people")
	}
	body, err := Body(ctx, res, server, limit)
	switch {
	case err != nil:
		return nil, err
	case IsHTML(body):
		return nil, Foreign(server, "it is a page for people")
	case Endless(res) && !endsItself(body):
		return nil, Foreign(server, "nothing tells where it ends")
	}
	return body, nil
}

// Endless tells whether the end of the connection is the body's, so that one that broke
// looks like one that is whole.
func Endless(res *http.Response) bool {
	return res.ContentLength < 0 && len(res.TransferEncoding) == 0 && res.ProtoMajor == 1
}

// endsItself tells whether a body can't be the beginning of a longer one: half a number or
// half a line can't be told from a whole.
func endsItself(body []byte) bool {
	text := bytes.TrimSpace(body)
	return (bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("["))) && json.Valid(text)
}

// IsPage tells whether an answer says that it is a page for people.
func IsPage(res *http.Response) bool {
	t, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return t == "text/html" || t == "application/xhtml+xml"
}

// IsHTML tells whether a body begins as such a page, whatever its answer says.
func IsHTML(body []byte) bool {
	text := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\uFEFF")))
	for _, begin := range []string{"<!doctype html", "<html"} {
		if len(text) >= len(begin) && bytes.EqualFold(text[:len(begin)], []byte(begin)) {
			return true
		}
	}
	return false
}
