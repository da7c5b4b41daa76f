package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
	"nth/shim/store/web"
)

// As gives the contract.Remover, and what all stores have.
func (b *bucket) As(i any) bool {
	if p, ok := i.(*contract.Remover); ok {
		*p = b
		return true
	}
	return b.Driver.As(i)
}

// maxRemoved bounds the answer to a removal: each key, or its error.
const maxRemoved = 8 << 20

// RemoveMany asks with DeleteObjects, and believes of each key only what the answer says of
// it. A server that answers anything else is asked for each, with requests that every S3
// server knows, and whose errors tell what is wrong.
func (b *bucket) RemoveMany(ctx context.Context, keys []string) ([]error, error) {
	errs := make([]error, len(keys))
	var body strings.Builder
	body.WriteString(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	at := make(map[string]int, len(keys))
	for i, key := range keys {
		if !sayable(b.prefix + key) {
			errs[i] = b.removeOne(ctx, key)
			continue
		}
		at[b.prefix+key] = i
		errs[i] = foreign("it doesn't tell whether the blob is deleted")
		body.WriteString("<Object><Key>" + markup.Escape(b.prefix+key) + "</Key></Object>")
	}
	body.WriteString("</Delete>")
	if len(at) == 0 {
		return errs, nil
	}
	sum := md5.Sum([]byte(body.String()))
	res, err := b.do(ctx, request{method: http.MethodPost, ofBucket: true, query: url.Values{"delete": {""}}, body: []byte(body.String()),
		header: http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "Content-Type": {"application/xml"}}})
	if err != nil {
		return nil, alone(err)
	}
	answer, err := web.Body(ctx, res, server, maxRemoved)
	if err != nil {
		return nil, err
	}
	doc, err := markup.Parse(answer)
	switch {
	case err == nil && doc.Name == "Error":
		return nil, b.meaning(readRefusal(http.StatusInternalServerError, answer))
	case err != nil || doc.Name != "DeleteResult":
		return nil, &contract.Error{Kind: contract.Unsupported, Cause: errors.New("no DeleteResult came")}
	}
	for _, e := range doc.Children {
		i, asked := at[e.Raw("Key")]
		switch code := e.Get("Code"); {
		case !asked:
		case e.Name == "Deleted" || e.Name == "Error" && code == codeNoSuchKey:
			errs[i] = nil
		case e.Name == "Error":
			errs[i] = b.meaning(&refusal{status: http.StatusInternalServerError, code: code, message: e.Get("Message")})
		}
	}
	return errs, nil
}

// alone gives an error of all blobs its meaning: who was refused may well remove each.
func alone(err error) error {
	r, ok := errors.AsType[*refusal](err)
	if !ok || r.status/100 == 5 && r.status != http.StatusNotImplemented || r.status == http.StatusRequestTimeout || r.status == http.StatusTooManyRequests || r.status == http.StatusConflict {
		return err
	}
	return &contract.Error{Kind: contract.Unsupported, Cause: err}
}

// sayable tells whether a key can stand in a document as it is: XML 1.0 has no control
// characters, and carriage returns are read as line feeds.
func sayable(key string) bool {
	return utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0xfffe || r == 0xffff })
}
