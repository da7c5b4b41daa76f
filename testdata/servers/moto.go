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
	address, dir := Address(t), t.TempDir()
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
	return &S3{Server: &Server{Address: proxy.Listener.Addr().String()}}
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

// motoRole is a role of the one account that moto has.
const motoRole = "arn:aws:iam::123456789012:role/writer"

// MotoRole makes a role that may do everything in S3 and SQS, and gives its name.
func MotoRole(t testing.TB, moto *S3) string {
	t.Helper()
	for _, form := range []url.Values{
		{"Action": {"CreateRole"}, "RoleName": {"writer"}, "AssumeRolePolicyDocument": {"{}"}},
		{"Action": {"PutRolePolicy"}, "RoleName": {"writer"}, "PolicyName": {"all"},
			"PolicyDocument": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","sqs:*"],"Resource":"*"}]}`}},
	} {
		form.Set("Version", "2010-05-08")
		moto.send(t, "iam", http.MethodPost, "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
	}
	return motoRole
}

// MotoEnforce makes moto look at keys, signatures and session tokens after so many
// more requests. It can't take one without a signature then, as
// AssumeRoleWithWebIdentity is.
func MotoEnforce(t testing.TB, moto *S3, after int) {
	t.Helper()
	moto.send(t, "moto-api", http.MethodPost, "/moto-api/reset-auth", "text/plain", []byte(strconv.Itoa(after)))
}
