package azure

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// authorize says who we are, in the way that the environment gave.
func (b *bucket) authorize(ctx context.Context, req *http.Request) error {
	req.Header.Set("X-Ms-Date", b.now().UTC().Format(http.TimeFormat))
	switch {
	case b.key != nil:
		req.Header.Set("Authorization", b.key.authorization(req))
	case b.sas != "":
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+b.sas, "&")
	case b.token != nil:
		if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
			return invalid("a token is sent over https only", "leave protocol=http out, or use a key")
		}
		token, err := b.token.Get(ctx)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// sharedKey signs with an account's key (Azure, "Authorize with Shared Key").
type sharedKey struct {
	account string
	key     []byte
}

func (k *sharedKey) authorization(req *http.Request) string {
	h := hmac.New(sha256.New, k.key)
	h.Write([]byte(stringToSign(req, k.account)))
	return "SharedKey " + k.account + ":" + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// signed are the headers whose values stand in the text to sign, in its order, after
// the method; "" is the length's place, which nobody sets as a header.
var signed = []string{"Content-Encoding", "Content-Language", "", "Content-Md5", "Content-Type", "Date",
	"If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"}

func stringToSign(req *http.Request, account string) string {
	lines := []string{req.Method}
	for _, name := range signed {
		value := req.Header.Get(name)
		if name == "" && req.ContentLength > 0 {
			value = strconv.FormatInt(req.ContentLength, 10)
		}
		lines = append(lines, value)
	}
	lines = append(lines, canonicalHeaders(req.Header)...)
	lines = append(lines, "/"+account+cmp.Or(req.URL.EscapedPath(), "/"))
	query := req.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		lines = append(lines, strings.ToLower(name)+":"+strings.Join(slices.Sorted(slices.Values(query[name])), ","))
	}
	return strings.Join(lines, "\n")
}

// canonicalHeaders gives Azure's own headers in its order, which is that of Windows:
// hyphens don't count, and the underscore comes before digits and letters (Azure's
// SDK for Go, shared_key_credential.go).
func canonicalHeaders(header http.Header) []string {
	order := strings.NewReplacer("-", "", "_", "!")
	own := map[string]string{}
	for name, values := range header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-ms-") {
			own[name] = name + ":" + strings.TrimSpace(strings.Join(values, ","))
		}
	}
	names := slices.Collect(maps.Keys(own))
	sort.Slice(names, func(i, j int) bool {
		x, y := names[i], names[j]
		return cmp.Or(cmp.Compare(order.Replace(x), order.Replace(y)), cmp.Compare(x, y)) < 0
	})
	var lines []string
	for _, name := range names {
		lines = append(lines, own[name])
	}
	return lines
}
