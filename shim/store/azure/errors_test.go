package azure

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"

	"nth/shim/store/contract"
	"nth/shim/store/markup"
)

// opened is a bucket as those in Azure are, at another address.
func opened(t testing.TB, h http.Handler, e env) *bucket {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return parseText(t, "azblob://data/p?storage_account=acct&protocol=http&domain="+strings.TrimPrefix(server.URL, "http://"), e)
}

// refuse answers as Azure does: with the code in a header, and in the body of all but
// the answer to HEAD.
func refuse(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Request-Id", "1")
		w.Header().Set("X-Ms-Error-Code", code)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\nRequestId:1\nTime:2026-11-25T10:00:00Z</Message></Error>",
			code, markup.Escape(message))
	}
}

var withKey = env{"AZURE_STORAGE_KEY": someKey}

// TestMeanings: what each of Azure's answers means, to reading, asking, writing and
// deleting alike (Azure Storage, "Status and error codes").
func TestMeanings(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		kind   contract.Kind
		hint   string
	}{
		{404, "BlobNotFound", contract.Absent, ""},
		{403, "BlobNotFound", contract.Unreachable, "is the endpoint right"},
		{500, "BlobNotFound", contract.Unreachable, "is the endpoint right"},
		{404, "ContainerNotFound", contract.Unreachable, "create the container"},
		{404, "ResourceNotFound", contract.Unreachable, "the account's"},
		{404, "SomethingNotFound", contract.Unreachable, "is the endpoint right"},
		{404, "", contract.Unreachable, "is the endpoint right"},
		{409, "ContainerBeingDeleted", contract.Unreachable, "create the container"},
		{409, "ContainerDisabled", contract.Unreachable, ""},
		{409, "BlobAlreadyExists", contract.Exists, ""},
		{412, "ConditionNotMet", contract.Exists, ""},
		{412, "TargetConditionNotMet", contract.Exists, ""},
		{412, "LeaseIdMissing", contract.Denied, "lease"},
		{412, "SomethingElse", contract.Unreachable, ""},
		{412, "", contract.Unreachable, ""},
		{409, "SomethingElse", contract.Unreachable, ""},
		{409, "PendingCopyOperation", contract.Conflict, ""},
		{409, "SnapshotsPresent", contract.Unreachable, "delete them first"},
		{409, "BlobArchived", contract.Unreachable, "restore it first"},
		{409, "BlobImmutableDueToPolicy", contract.Denied, "legal hold"},
		{409, "PublicAccessNotPermitted", contract.Denied, "without credentials"},
		{409, "InvalidBlobType", contract.Refused, "append or a page blob"},
		{400, "InvalidBlobOrBlock", contract.Unreachable, "after a week"},
		{400, "InvalidResourceName", contract.Refused, "3 to 63 of a-z"},
		{400, "UnsupportedHeader", contract.Unsupported, "can't do"},
		{400, "InvalidAuthenticationInfo", contract.Denied, "identity"},
		{401, "InvalidAuthenticationInfo", contract.Denied, "Storage Blob Data Contributor"},
		{401, "NoAuthenticationInformation", contract.Denied, "Storage Blob Data Contributor"},
		{401, "", contract.Denied, "identity"},
		{403, "AuthenticationFailed", contract.Denied, "AZURE_STORAGE_KEY"},
		{403, "AuthorizationFailure", contract.Denied, "firewall"},
		{403, "AuthorizationPermissionMismatch", contract.Denied, "Storage Blob Data Contributor"},
		{403, "AuthorizationSourceIPMismatch", contract.Denied, "other addresses"},
		{403, "AuthorizationProtocolMismatch", contract.Denied, "https"},
		{403, "AuthorizationServiceMismatch", contract.Denied, "ss=b"},
		{403, "AuthorizationResourceTypeMismatch", contract.Denied, "srt=co"},
		{403, "InsufficientAccountPermissions", contract.Denied, "rcwdl"},
		{403, "KeyBasedAuthenticationNotPermitted", contract.Denied, "takes no keys"},
		{403, "AccountIsDisabled", contract.Denied, ""},
		{403, "SomethingElse", contract.Denied, "Storage Blob Data Contributor"},
		{403, "", contract.Denied, "Storage Blob Data Contributor"},
		{500, "InternalError", contract.Unreachable, ""},
		{500, "OperationTimedOut", contract.Unreachable, ""},
		{503, "ServerBusy", contract.Unreachable, ""},
		{429, "", contract.Unreachable, ""},
		{501, "", contract.Unsupported, "can't do"},
		{302, "", contract.Unreachable, ""},
	} {
		t.Run(fmt.Sprint(c.status, c.code), func(t *testing.T) {
			b := blob.NewBucket(opened(t, refuse(c.status, c.code, "on purpose"), withKey))
			defer b.Close()
			ctx := t.Context()
			_, read := b.ReadAll(ctx, "k")
			_, head := b.Attributes(ctx, "k")
			_, list := b.List(nil).Next(ctx)
			for what, err := range map[string]error{"read": read, "attributes": head, "list": list, "delete": b.Delete(ctx, "k"),
				"write": b.WriteAll(ctx, "k", nil, nil), "copy": b.Copy(ctx, "l", "k", nil)} {
				e := asError(err)
				if e == nil || e.Kind != c.kind || !strings.Contains(e.Hint, c.hint) {
					t.Errorf("%s: %+v, %v", what, e, err)
					continue
				}
				want := strings.TrimSpace(fmt.Sprintf("status %d %s", c.status, c.code))
				if what != "attributes" {
					want += ": on purpose"
				}
				if e.Error() != want {
					t.Errorf("%s: it says %q, not %q", what, e, want)
				}
			}
		})
	}
}

func asError(err error) *contract.Error {
	e, _ := errors.AsType[*contract.Error](err)
	return e
}

// TestBodyCode: a server or a proxy may leave the header out.
func TestBodyCode(t *testing.T) {
	b := opened(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "<Error><Code>BlobNotFound</Code></Error>")
	}), withKey)
	if _, err := b.NewRangeReader(t.Context(), "k", 0, -1, readOptions); asError(err) == nil || asError(err).Kind != contract.Absent {
		t.Errorf("read: %v", err)
	}
	if _, err := b.Attributes(t.Context(), "k"); asError(err) == nil || asError(err).Kind != contract.Unreachable {
		t.Errorf("attributes: %v", err) // there nothing said so
	}
}

// TestForeign: a success that isn't Azure's proves nothing.
func TestForeign(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"a web server's page, with an ETag": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, "<html>")
		},
		"no ETag, no listing": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Ms-Request-Id", "1") },
		"another success": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Ms-Request-Id", "1")
			w.Header().Set("ETag", `"1"`)
			w.WriteHeader(206)
		},
	} {
		b := blob.NewBucket(opened(t, serve, withKey))
		_, read := b.ReadAll(t.Context(), "k")
		_, list := b.List(nil).Next(t.Context())
		for what, err := range map[string]error{"read": read, "list": list, "delete": b.Delete(t.Context(), "k"),
			"write": b.WriteAll(t.Context(), "k", nil, nil), "copy": b.Copy(t.Context(), "l", "k", nil)} {
			if e := asError(err); e == nil || e.Kind != contract.Unreachable || !strings.Contains(e.Error(), "the answer is not Azure Blob Storage's") {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		b.Close()
	}
}

// TestSASIsConcealed: what grants access is in no error, whoever repeats it.
func TestSASIsConcealed(t *testing.T) {
	e := env{"AZURE_STORAGE_SAS_TOKEN": someSAS, "AZURE_STORAGE_PROTOCOL": "http"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(403, "AuthenticationFailed", r.URL.String()+" "+r.URL.RawQuery+" sig="+r.URL.Query().Get("sig"))(w, r)
	}))
	e["AZURE_STORAGE_DOMAIN"] = strings.TrimPrefix(server.URL, "http://")
	at := parseText(t, "azblob://data/p?storage_account=acct", e)
	at.now = func() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }
	check := func(kind contract.Kind, says string) {
		t.Helper()
		b := blob.NewBucket(at)
		_, head := b.Attributes(t.Context(), "k")
		_, read := b.ReadAll(t.Context(), "k")
		for what, err := range map[string]error{"read": read, "attributes": head, "delete": b.Delete(t.Context(), "k"),
			"write": b.WriteAll(t.Context(), "k", nil, nil), "copy": b.Copy(t.Context(), "l", "k", nil)} {
			e := asError(err)
			if e == nil || e.Kind != kind {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if text := err.Error() + e.Hint; strings.Contains(text, "canary") || !strings.Contains(e.Hint, says) {
				t.Errorf("%s: it says %q, not %q", what, text, says)
			}
		}
	}
	check(contract.Denied, "the SAS token has expired on 2026-11-25T00:00:00Z: get a new one")
	at.now = func() time.Time { return time.Date(2026, 11, 24, 23, 59, 59, 0, time.UTC) }
	check(contract.Denied, "check AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN")
	server.Close()
	check(contract.Unreachable, "")
}

// TestRefreshed: a token is renewed before it ends; one that Azure refuses is given
// up, and the next try has another; an identity that comes late is found.
func TestRefreshed(t *testing.T) {
	var given, used []string
	issue := 0
	e := startEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/metadata/") {
			used = append(used, r.Header.Get("Authorization"))
			if r.Header.Get("Authorization") == "Bearer token3" {
				refuse(401, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")(w, r)
				return
			}
			refuse(404, "BlobNotFound", "on purpose")(w, r)
			return
		}
		if issue++; issue == 1 {
			answer(400, `{"error_description":"Identity not found"}`)(w, r)
			return
		}
		token := fmt.Sprint("token", issue)
		given = append(given, token)
		answer(200, `{"access_token":"`+token+`","expires_in":"3600"}`)(w, r)
	})
	at := parseText(t, "azblob://data?storage_account=acct&protocol=http&domain="+strings.TrimPrefix(e.URL, "http://"), env{"AZURE_POD_IDENTITY_AUTHORITY_HOST": e.URL})
	var later time.Duration
	at.now = func() time.Time { return time.Now().Add(later) }
	ask := func(kind contract.Kind, want string) {
		t.Helper()
		_, err := at.Attributes(t.Context(), "k")
		if e := asError(err); e == nil || e.Kind != kind {
			t.Errorf("%v", err)
		}
		if got := strings.Join(given, " "); got != want {
			t.Errorf("tokens given: %s, want %s", got, want)
		}
	}
	ask(contract.Denied, "")       // the identity isn't there yet
	ask(contract.Absent, "token2") // now it is
	later = 50 * time.Minute
	ask(contract.Absent, "token2") // it still holds
	later = 56 * time.Minute
	ask(contract.Denied, "token2 token3") // renewed before its end, and Azure refuses the new one
	ask(contract.Absent, "token2 token3 token4")
	if got := strings.Join(used, ", "); got != "Bearer token2, Bearer token2, Bearer token3, Bearer token4" {
		t.Errorf("used: %s", got)
	}
}

// TestTokenIsKept: a token goes over https, or to this machine, and nowhere else.
func TestTokenIsKept(t *testing.T) {
	e := startEndpoint(t, answer(200, `{"access_token":"token","expires_in":"3600"}`))
	b := parseText(t, "azblob://data?storage_account=acct&protocol=http&domain=nth.invalid", env{"AZURE_POD_IDENTITY_AUTHORITY_HOST": e.URL})
	_, err := b.Attributes(t.Context(), "k")
	if e := asError(err); e == nil || e.Kind != contract.Invalid || !strings.Contains(e.Error(), "https only") {
		t.Error(err)
	}
	if got := e.requests(); len(got) != 0 {
		t.Errorf("it asked for one: %v", got)
	}
}

// FuzzRefusal: whatever a server answers is an error of some kind; and it is Absent
// only if it says so in full.
func FuzzRefusal(f *testing.F) {
	f.Add(404, "", []byte("<Error><Code>BlobNotFound</Code><Message>m</Message></Error>"))
	f.Add(404, "BlobNotFound", []byte(nil))
	f.Add(404, "ContainerNotFound", []byte("<Error><Code>BlobNotFound</Code></Error>"))
	f.Add(409, "BlobAlreadyExists", []byte("<html>"))
	b := parseText(f, "azblob://c?storage_account=a", withKey)
	f.Fuzz(func(t *testing.T, status int, code string, body []byte) {
		e, ok := b.meaning(readRefusal(status, code, body)).(*contract.Error)
		if !ok || e.Kind == contract.Other {
			t.Fatalf("%v", e)
		}
		if e.Kind == contract.Absent && code != "BlobNotFound" {
			doc, err := markup.Parse(body)
			if err != nil || status != 404 || code != "" || doc.Name != "Error" || doc.Get("Code") != "BlobNotFound" {
				t.Errorf("absent by %d %q %q", status, code, body)
			}
		}
	})
}
