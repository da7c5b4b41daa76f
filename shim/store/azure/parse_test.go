package azure

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
)

type env = map[string]string

func getenv(e env) func(string) string { return func(name string) string { return e[name] } }

func parseText(t testing.TB, raw string, e env) *bucket {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parse(u, getenv(e))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return b
}

const (
	someKey = "c2VjcmV0LWNhbmFyeQ==" // secret-canary
	someSAS = "sv=2021-12-02&sr=c&sp=rcwdl&se=2026-11-25T00%3A00%3A00Z&sig=canary%2Bsig%3D"
)

// who tells in a word as whom a bucket asks.
func who(b *bucket) string {
	switch {
	case b.key != nil:
		return "key of " + b.key.account
	case b.sas != "":
		return "SAS"
	case b.token != nil:
		return "token"
	}
	return "nobody"
}

// TestAddress: where a request for the key "k" goes, and as whom.
func TestAddress(t *testing.T) {
	a := func(more ...string) env {
		e := env{"AZURE_STORAGE_ACCOUNT": "acct"}
		for i := 0; i < len(more); i += 2 {
			e[more[i]] = more[i+1]
		}
		return e
	}
	connection := func(s string) env { return env{"AZURE_STORAGE_CONNECTION_STRING": s} }
	const azure, local = "https://acct.blob.core.windows.net/c/k", "http://127.0.0.1:10000/devstoreaccount1/c/k"
	for _, c := range []struct {
		url  string
		env  env
		want string
		who  string
	}{
		{"azblob://c", a(), azure, "token"},
		{"azblob://c?storage_account=acct", nil, azure, "token"},
		{"azblob://c?storage_account=acct", env{"AZURE_STORAGE_ACCOUNT": "other"}, azure, "token"},
		{"azblob://c/p/q?storage_account=acct", nil, "https://acct.blob.core.windows.net/c/p/q/k", "token"},
		{"azblob://$web/a%20b/%C3%BC+%2523", a(), "https://acct.blob.core.windows.net/$web/a%20b/%C3%BC%2B%2523/k", "token"},
		{"azblob://c?domain=blob.core.usgovcloudapi.net", a(), "https://acct.blob.core.usgovcloudapi.net/c/k", "token"},
		{"azblob://c", a("AZURE_STORAGE_DOMAIN", "blob.core.chinacloudapi.cn", "AZURE_STORAGE_PROTOCOL", "http"), "http://acct.blob.core.chinacloudapi.cn/c/k", "token"},
		{"azblob://c?cdn=true&domain=cdn.example.com", a(), "https://cdn.example.com/c/k", "token"},
		{"azblob://c?domain=127.0.0.1:10001&protocol=http", a(), "http://127.0.0.1:10001/acct/c/k", "token"},
		{"azblob://c?domain=localhost:1&protocol=http", a(), "http://localhost:1/acct/c/k", "token"},
		{"azblob://c?domain=[::1]:1", a(), "https://[::1]:1/acct/c/k", "token"},
		{"azblob://c?domain=localhostess.example", a(), "https://acct.localhostess.example/c/k", "token"},
		{"azblob://c?localemu=true", nil, local, "key of devstoreaccount1"},
		{"azblob://c?localemu=true&domain=azurite:10000", nil, "http://azurite:10000/devstoreaccount1/c/k", "key of devstoreaccount1"},
		{"azblob://c?localemu=true&domain=azurite:10000&protocol=https", a(), "https://azurite:10000/acct/c/k", "token"},
		{"azblob://c", env{"AZURE_STORAGE_IS_LOCAL_EMULATOR": "true"}, local, "key of devstoreaccount1"},
		{"azblob://c?anonymous=true", a("AZURE_STORAGE_KEY", someKey), azure, "nobody"},
		{"azblob://c?anonymous=true&localemu=true", nil, local, "nobody"},

		{"azblob://c", a("AZURE_STORAGE_KEY", someKey), azure, "key of acct"},
		{"azblob://c?storage_account=acct", env{"AZURE_STORAGE_KEY": someKey + "\n"}, azure, "key of acct"},
		{"azblob://c?storage_account=acct-secondary", env{"AZURE_STORAGE_KEY": someKey}, "https://acct-secondary.blob.core.windows.net/c/k", "key of acct"},
		{"azblob://c?domain=blob.core.usgovcloudapi.net", a("AZURE_STORAGE_KEY", someKey), "https://acct.blob.core.usgovcloudapi.net/c/k", "key of acct"},
		{"azblob://c", a("AZURE_STORAGE_KEY", someKey, "AZURE_STORAGE_SAS_TOKEN", someSAS), azure, "key of acct"},
		{"azblob://c", a("AZURE_STORAGE_SAS_TOKEN", "?"+someSAS), azure, "SAS"},
		{"azblob://c?storage_account=acct", env{"AZURE_STORAGE_SAS_TOKEN": someSAS}, azure, "SAS"},
		{"azblob://c", env{"AZURE_STORAGE_SAS_TOKEN": someSAS, "AZURE_STORAGE_CONNECTION_STRING": "AccountName=acct;AccountKey=" + someKey}, azure, "SAS"},

		{"azblob://c", connection("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" + someKey + ";EndpointSuffix=core.windows.net"), azure, "key of acct"},
		{"azblob://c", env{"AZURE_STORAGEBLOB_CONNECTIONSTRING": "AccountName=acct;AccountKey=" + someKey}, azure, "key of acct"},
		{"azblob://c", connection("AccountName=acct;AccountKey=" + someKey + ";EndpointSuffix=core.chinacloudapi.cn;"), "https://acct.blob.core.chinacloudapi.cn/c/k", "key of acct"},
		{"azblob://c", connection("BlobEndpoint=https://acct.blob.core.windows.net/;QueueEndpoint=x;SharedAccessSignature=" + someSAS), azure, "SAS"},
		{"azblob://c", connection("AccountName=acct;SharedAccessSignature=?" + someSAS), azure, "SAS"},
		{"azblob://c", connection("accountname=acct;accountkey=" + someKey + ";blobendpoint=http://10.0.0.1:10000/acct"), "http://10.0.0.1:10000/acct/c/k", "key of acct"},
		{"azblob://c", connection("UseDevelopmentStorage=true"), local, "key of devstoreaccount1"},
		{"azblob://c?storage_account=acct", connection("AccountName=acct;AccountKey=" + someKey), azure, "key of acct"},
	} {
		b := parseText(t, c.url, c.env)
		if diff := cmp.Diff([]string{c.want, c.who}, []string{b.url("k"), who(b)}); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", c.url, c.env, diff)
		}
	}
}

// TestMistakes: none of them repeats what might be a secret.
func TestMistakes(t *testing.T) {
	account := func(name, value string) env { return env{"AZURE_STORAGE_ACCOUNT": "acct", name: value} }
	connection := func(s string) env { return env{"AZURE_STORAGE_CONNECTION_STRING": s} }
	for _, c := range []struct {
		url  string
		env  env
		kind contract.Kind // Other: a mistake in the URL
		says string
	}{
		{"azblob:///p", nil, contract.Other, "the container's name is missing"},
		{"azblob://c:1/p", nil, contract.Other, "goes into domain="},
		{"azblob://Data/p", nil, contract.Other, "lower-case letters"},
		{"azblob://-", nil, contract.Other, "lower-case letters"},
		{"azblob://c?canary=canary", nil, contract.Other, "unknown parameter"},
		{"azblob://c?cdn=canary", nil, contract.Other, "the parameter cdn: it is true or false"},
		{"azblob://c", nil, contract.Invalid, "nothing names the storage account"},
		{"azblob://c?storage_account=canary.evil.example", nil, contract.Other, "a storage account's name has"},
		{"azblob://c?storage_account=a&protocol=canary", nil, contract.Other, "the protocol is https or http"},
		{"azblob://c?storage_account=a&domain=canary/x", nil, contract.Other, "the domain is a host's name"},
		{"azblob://c?storage_account=a&domain=canary@host", nil, contract.Other, "the domain is a host's name"},
		{"azblob://c?storage_account=a&domain=:1", nil, contract.Other, "the domain is a host's name"},
		{"azblob://c", account("AZURE_STORAGE_IS_CDN", "canary"), contract.Invalid, "AZURE_STORAGE_IS_CDN: it is true or false"},
		{"azblob://c", account("AZURE_STORAGE_KEY", "canary!"), contract.Invalid, "the account's key is not base64"},
		{"azblob://c", account("AZURE_STORAGE_SAS_TOKEN", "canary"), contract.Invalid, "the SAS token is none"},
		{"azblob://c", account("AZURE_STORAGE_SAS_TOKEN", "sig=a b"), contract.Invalid, "the SAS token is none"},
		{"azblob://c", account("AZURE_STORAGE_SAS_TOKEN", "sig=%zz"), contract.Invalid, "the SAS token is none"},

		{"azblob://c?storage_account=other", account("AZURE_STORAGE_KEY", someKey), contract.Invalid, "the URL names another"},
		{"azblob://c?storage_account=other", account("AZURE_STORAGE_SAS_TOKEN", someSAS), contract.Invalid, "the URL names another"},
		{"azblob://c?domain=evil.example", account("AZURE_STORAGE_SAS_TOKEN", someSAS), contract.Invalid, "changes the address that a SAS token is sent to"},
		{"azblob://c?protocol=http", account("AZURE_STORAGE_SAS_TOKEN", someSAS), contract.Invalid, "changes the address"},
		{"azblob://c?localemu=true", account("AZURE_STORAGE_SAS_TOKEN", someSAS), contract.Invalid, "changes the address"},
		{"azblob://c?storage_account=a&cdn=true&domain=evil.example", env{"AZURE_STORAGE_SAS_TOKEN": someSAS}, contract.Invalid, "changes the address"},
		{"azblob://c?domain=evil.example", connection("AccountName=acct;SharedAccessSignature=" + someSAS), contract.Invalid, "leave the URL's parameters out"},
		{"azblob://c", env{"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_CONNECTION_STRING": "AccountName=acct;AccountKey=" + someKey}, contract.Invalid, "different accounts"},

		{"azblob://c", connection("canary"), contract.Invalid, "has no name and value"},
		{"azblob://c", connection("=canary"), contract.Invalid, "has no name and value"},
		{"azblob://c", connection("AccountName=canary"), contract.Invalid, "neither AccountKey nor SharedAccessSignature"},
		{"azblob://c", connection("AccountKey=canary"), contract.Invalid, "no AccountName"},
		{"azblob://c", connection("AccountKey=canary;BlobEndpoint=https://h"), contract.Invalid, "no AccountName"},
		{"azblob://c", connection("AccountName=a;AccountKey=canary!"), contract.Invalid, "not base64"},
		{"azblob://c", connection("AccountName=a;AccountKey=a;BlobEndpoint=canary"), contract.Invalid, "BlobEndpoint is not a URL"},
		{"azblob://c", connection("AccountName=a;AccountKey=a;BlobEndpoint=https://h?canary"), contract.Invalid, "BlobEndpoint is not a URL"},
		{"azblob://c", connection("UseDevelopmentStorage=canary"), contract.Invalid, "neither true nor false"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parse(u, getenv(c.env))
		kind := contract.Other
		e, ok := err.(*contract.Error)
		if ok {
			kind = e.Kind
		}
		if err == nil || kind != c.kind || !strings.Contains(err.Error()+" "+hintOf(e), c.says) {
			t.Errorf("%s %v: kind %d, %v; want kind %d, %q", c.url, c.env, kind, err, c.kind, c.says)
		} else if text := err.Error() + hintOf(e); strings.Contains(text, "canary") && !strings.Contains(text, "parameter canary") {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

func hintOf(e *contract.Error) string {
	if e == nil {
		return ""
	}
	return e.Hint
}

// FuzzConnection: whatever a connection string holds, it is settings that can be
// used or an error that repeats none of it.
func FuzzConnection(f *testing.F) {
	f.Add("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" + someKey + ";EndpointSuffix=core.windows.net")
	f.Add("BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=" + someSAS)
	f.Add("UseDevelopmentStorage=true;;")
	f.Add("AccountName=a;AccountKey==;BlobEndpoint=http://[::1]:1/a/")
	u, err := url.Parse("azblob://c")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parse(u, getenv(env{"AZURE_STORAGE_CONNECTION_STRING": text}))
		if text == "" {
			return
		}
		if err != nil {
			for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == '=' }) {
				if len(part) > 12 && !strings.Contains(hintConnection, part) && strings.Contains(err.Error(), part) && !strings.Contains("sharedaccesssignature blobendpoint usedevelopmentstorage", strings.ToLower(part)) {
					t.Errorf("%q is in %v", part, err)
				}
			}
			return
		}
		if b.key == nil && b.sas == "" || b.key != nil && len(b.key.key) == 0 {
			t.Errorf("%q gives nobody", text)
		}
		at, err := url.Parse(b.url("k"))
		if err != nil || at.Hostname() == "" || at.Scheme != "https" && at.Scheme != "http" || !strings.HasSuffix(at.Path, "/c/k") || at.User != nil {
			t.Errorf("%q gives %v, %v", text, at, err)
		}
	})
}
