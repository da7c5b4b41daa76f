package servers

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// StartMoto starts moto, which keeps its blobs in memory, and stops it when the test
// ends. It takes every key and signature.
func StartMoto(t testing.TB) *S3 {
	t.Helper()
	program := Program(t, "moto_server", "pip install 'moto[server]==5.2.1'")
	address, dir := freeAddress(t), t.TempDir()
	host, port, _ := strings.Cut(address, ":")
	start(t, address, func() *exec.Cmd {
		cmd := exec.Command(program, "-H", host, "-p", port)
		cmd.Dir = dir
		return cmd
	})
	proxy := httptest.NewServer(&httputil.ReverseProxy{ModifyResponse: nameResult, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: address})
		p.Out.Host = p.In.Host
	}})
	t.Cleanup(proxy.Close)
	return &S3{&Server{Address: proxy.Listener.Addr().String()}}
}

// nameResult gives the end of an upload the name that S3 gives it: moto 5.2 calls it
// CompleteMultipartUploadResponse.
func nameResult(res *http.Response) error {
	if res.Request.Method != http.MethodPost || res.Request.URL.Query().Get("uploadId") == "" {
		return nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	res.Body.Close()
	body = bytes.ReplaceAll(body, []byte("CompleteMultipartUploadResponse"), []byte("CompleteMultipartUploadResult"))
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}
