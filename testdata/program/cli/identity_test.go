package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nth/testdata/program"
)

// TestOneIdentity: however many places an index looks at, it asks who it is once.
func TestOneIdentity(t *testing.T) {
	var asked, looked atomic.Int64
	amazon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		switch {
		case form.Get("Action") != "":
			asked.Add(1)
			fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>k</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>%[2]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, form.Get("Action"), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		case r.Method == http.MethodGet: // no marker yet
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
		default:
			looked.Add(1)
			w.Header().Set("ETag", `"1"`)
		}
	}))
	defer amazon.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"NTH_INDEX=3", "AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL_STS=" + amazon.URL, "AWS_WEB_IDENTITY_TOKEN_FILE=" + token, "AWS_ROLE_ARN=arn:aws:iam::1:role/r"}
	at := "?region=eu-west-1&endpoint=" + amazon.URL
	args := []string{"run", "--markers=s3://b/markers" + at, "--logs=s3://b/logs" + at}
	for _, input := range []string{"s3://b/in/<<.Index>>.csv", "s3://b/in/header", "s3://b/other/<<.Index>>"} {
		args = append(args, "--require="+input+at)
	}
	_, stderr, code := program.Nth(t, env, append(args, "--", "echo", "work")...)
	if code != 0 || asked.Load() != 1 || looked.Load() < 5 { // three inputs, the marker and the log
		t.Errorf("exit code %d; an identity was asked for %d times, want 1; %d other requests: %s", code, asked.Load(), looked.Load(), strings.TrimSpace(stderr))
	}
}
