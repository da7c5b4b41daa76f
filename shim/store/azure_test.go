package store_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"

	"github.com/google/go-cmp/cmp"
)

// azureServer starts a server with one container.
func azureServer(t *testing.T) *servers.Azurite {
	t.Helper()
	server := servers.StartAzurite(t)
	server.Container(t, "data")
	return server
}

// setAzure sets the variables for the server at an address, and takes away all others.
func setAzure(t *testing.T, address string) {
	t.Helper()
	for _, name := range []string{"AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGEBLOB_CONNECTIONSTRING",
		"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"} {
		t.Setenv(name, "")
	}
	for _, v := range servers.AzureEnv(address) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

// setSAS replaces the key by a SAS token.
func setSAS(t *testing.T, sas string) {
	t.Helper()
	t.Setenv("AZURE_STORAGE_KEY", "")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", sas)
}

// azureThrough opens the container behind a proxy that decides on each request.
func azureThrough(t *testing.T, server *servers.Azurite, decide func(int, *http.Request) servers.Action) (*store.Store, *servers.Fault) {
	t.Helper()
	fault := servers.StartFault(t, server.Address, decide)
	setAzure(t, strings.TrimPrefix(fault.URL, "http://"))
	return open(t, "azblob://data/p"), fault
}

// TestNotAbsentAzure: as TestNotAbsent, for Azure.
func TestNotAbsentAzure(t *testing.T) {
	server := azureServer(t)
	always := func(a servers.Action) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store {
			s, _ := azureThrough(t, server, func(int, *http.Request) servers.Action { return a })
			return s
		}
	}
	// at opens a URL with the server's variables, but for some.
	at := func(url string, variables ...string) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store {
			setAzure(t, server.Address)
			for i := 0; i < len(variables); i += 2 {
				t.Setenv(variables[i], variables[i+1])
			}
			return open(t, url)
		}
	}
	sas := func(permissions string, ends time.Duration) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store {
			setAzure(t, server.Address)
			setSAS(t, servers.AzureSAS("data", permissions, time.Now().Add(ends)))
			return open(t, "azblob://data/p")
		}
	}
	const another = "Y2FuYXJ5LWtleQ=="
	for _, c := range []struct {
		name string
		open func(*testing.T) *store.Store
		kind contract.Kind
		code failure.Code
		says string
	}{
		{"no such container", at("azblob://nothing/p"), contract.Unreachable, 69, "status 404 ContainerNotFound: The specified container does not exist (create the container"},
		{"unknown account", at("azblob://data/p", "AZURE_STORAGE_ACCOUNT", "nobody"), contract.Unreachable, 69, "(create the container, or correct its name or the account's)"},
		{"unknown account, as in Azure", at("azblob://data/p", "AZURE_STORAGE_ACCOUNT", "nobody", "AZURE_STORAGE_IS_LOCAL_EMULATOR", "", "AZURE_STORAGE_DOMAIN", "blob.nth.invalid"),
			contract.Unreachable, 69, "name right?"},
		{"wrong key, as Azurite answers", at("azblob://data/p", "AZURE_STORAGE_KEY", another), contract.Denied, 77, "status 403 AuthorizationFailure"},
		{"wrong key, as Azure answers", always(servers.AzureError(403, "AuthenticationFailed")), contract.Denied, 77, "check AZURE_STORAGE_KEY"},
		{"anonymous", at("azblob://data/p?anonymous=true"), contract.Denied, 77, "status 403"},
		{"expired SAS token", sas("rcwdl", -time.Minute), contract.Denied, 77, "the SAS token has expired on "},
		{"SAS token with a wrong signature", at("azblob://data/p", "AZURE_STORAGE_KEY", "", "AZURE_STORAGE_SAS_TOKEN", "sv=2021-12-02&sr=c&sp=rcwdl&se=2099-01-01T00%3A00%3A00Z&sig=canary"),
			contract.Denied, 77, "status 403 AuthorizationFailure"},
		{"SAS token with no permission of use", sas("t", time.Hour), contract.Denied, 77, "the role Storage Blob Data Contributor on the container, or the SAS token the permissions rcwdl"},
		{"no identity", at("azblob://data/p", "AZURE_STORAGE_KEY", "", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://"+servers.Address(t), "AZURE_STORAGE_IS_LOCAL_EMULATOR", ""),
			contract.Denied, 77, "there are no credentials for Azure Blob Storage"},
		{"no role", always(servers.AzureError(403, "AuthorizationPermissionMismatch")), contract.Denied, 77, "Storage Blob Data Contributor"},
		{"expired token", always(servers.AzureError(401, "InvalidAuthenticationInfo")), contract.Denied, 77, "InvalidAuthenticationInfo"},
		{"403 of a proxy", always(servers.Answer(403, html)), contract.Denied, 77, "status 403"},
		{"container on its way out", always(servers.AzureError(409, "ContainerBeingDeleted")), contract.Unreachable, 69, "ContainerBeingDeleted"},
		{"404 without a code", always(servers.Answer(404, "")), contract.Unreachable, 69, "status 404 (is the endpoint right"},
		{"404 of a web server", always(servers.Answer(404, html)), contract.Unreachable, 69, "is the endpoint right"},
		{"BlobNotFound with another status", always(servers.AzureError(500, "BlobNotFound")), contract.Unreachable, 69, "status 500"},
		{"404 cut short", always(servers.Answer(404, "<Error><Code>BlobNotFound</Code>")), contract.Unreachable, 69, "status 404"},
		{"login page", always(servers.Answer(200, html)), contract.Unreachable, 69, "the answer is not Azure Blob Storage's"},
		{"redirected to a login page", always(func(_ *servers.Fault, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/login", http.StatusFound)
		}), contract.Unreachable, 69, "status 302"},
		{"500", always(servers.AzureError(500, "InternalError")), contract.Unreachable, 69, "InternalError"},
		{"500 of its own", always(servers.AzureError(500, "OperationTimedOut")), contract.Unreachable, 69, "OperationTimedOut"},
		{"503", always(servers.AzureError(503, "ServerBusy")), contract.Unreachable, 69, "ServerBusy"},
		{"429", always(servers.Answer(429, "")), contract.Unreachable, 69, "429"},
		{"407 of a proxy", always(servers.Answer(407, html)), contract.Unreachable, 69, "407"},
		{"reset", always(servers.Reset), contract.Unreachable, 69, "the server closed the connection"},
		{"refused", at("azblob://data/p", "AZURE_STORAGE_DOMAIN", servers.Address(t)), contract.Unreachable, 69, "refused"},
		{"no TLS there", at("azblob://data/p?protocol=https"), contract.Unreachable, 69, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.open(t)
			ctx := t.Context()
			_, _, readErr := s.Read(ctx, "done/1.json")
			_, existsErr := s.Exists(ctx, "done/1.json")
			for what, err := range map[string]error{"read": readErr, "exists": existsErr,
				"delete": s.Delete(ctx, "done/1.json"),
				"list":   s.List(ctx, "done/", func(key string, _ int64, _ time.Time) error { t.Errorf("listed %s", key); return nil }),
				"create": s.Create(ctx, "done/1.json", nil), "put": s.Put(ctx, "done/1.json", nil), "copy": s.Copy(ctx, "done/1.json", "done/2.json")} {
				if err == nil || store.Classify(err) != c.kind {
					t.Errorf("%s: kind %d, want %d: %v", what, store.Classify(err), c.kind, err)
					continue
				}
				f := store.Fail(err, failure.TheJob, what, s.Show("done/1.json"))
				if f.Code != c.code || what == "read" && !strings.Contains(f.Error(), c.says) {
					t.Errorf("code %d, want %d and %q: %s", f.Code, c.code, c.says, f)
				}
				if strings.Contains(f.Error(), "canary") || strings.Contains(f.Error(), another) || strings.Contains(f.Error(), "sig=") || strings.Contains(f.Error(), "\n") {
					t.Errorf("%s: a secret, or a second line: %q", what, f)
				}
			}
		})
	}
	setAzure(t, server.Address)
	if there, err := open(t, "azblob://data/p").Exists(t.Context(), "done/1.json"); there || err != nil {
		t.Errorf("in the end there is a blob: %v, %v", there, err)
	}
}

// TestAzureSAS: one blob's life by SAS token, by connection string with a key and with
// a token; copies too, whose source has to be granted as well.
func TestAzureSAS(t *testing.T) {
	server := azureServer(t)
	sas := servers.AzureSAS("data", "rcwdl", time.Now().Add(time.Hour))
	connection := func(sas string) func(*testing.T) {
		return func(t *testing.T) {
			for _, name := range []string{"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_DOMAIN", "AZURE_STORAGE_PROTOCOL", "AZURE_STORAGE_IS_LOCAL_EMULATOR"} {
				t.Setenv(name, "")
			}
			t.Setenv("AZURE_STORAGE_CONNECTION_STRING", servers.AzureConnection(server.Address, sas))
		}
	}
	for name, set := range map[string]func(*testing.T){
		"token":                        func(t *testing.T) { setSAS(t, sas) },
		"token as the portal gives it": func(t *testing.T) { setSAS(t, "?"+sas+"\n") },
		"connection string, key":       connection(""),
		"connection string, token":     connection(sas),
	} {
		t.Run(name, func(t *testing.T) {
			setAzure(t, server.Address)
			set(t)
			s := open(t, "azblob://data/"+strings.ReplaceAll(name, " ", "%20"))
			testLife(t, s)
			testReplace(t, s)
			must(t, "put", s.Put(t.Context(), "a b+%", []byte("x")))
			must(t, "copy", s.Bucket().Copy(t.Context(), "c", "a b+%", nil))
			if got, _, err := s.Read(t.Context(), "c"); string(got) != "x" || err != nil {
				t.Errorf("the copy is %q, %v", got, err)
			}
		})
	}
}

// TestAzureWriteOnly: a token that may write blobs, and not read them, makes a marker
// once. (Of one that may create and not write, Azurite says something else than Azure.)
func TestAzureWriteOnly(t *testing.T) {
	server := azureServer(t)
	setAzure(t, server.Address)
	setSAS(t, servers.AzureSAS("data", "cw", time.Now().Add(time.Hour)))
	s := open(t, "azblob://data")
	must(t, "create", s.Create(t.Context(), "x", []byte("1")))
	wantKind(t, "create again", s.Create(t.Context(), "x", []byte("2")), contract.Exists)
	_, _, err := s.Read(t.Context(), "x")
	wantKind(t, "read", err, contract.Denied)
	wantKind(t, "delete", s.Delete(t.Context(), "x"), contract.Denied)
}

// TestStalledAzure: a deadline ends a call that nobody answers.
func TestStalledAzure(t *testing.T) {
	s, _ := azureThrough(t, azureServer(t), func(int, *http.Request) servers.Action { return servers.Stall })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := s.Read(ctx, "x")
	wantKind(t, "read", err, contract.Unreachable)
	wantKind(t, "create", s.Create(ctx, "x", nil), contract.Unreachable)
}

// TestTruncatedAzure: half an answer is no answer, be it a blob or a listing.
func TestTruncatedAzure(t *testing.T) {
	server := azureServer(t)
	setAzure(t, server.Address)
	must(t, "put", open(t, "azblob://data/p").Put(t.Context(), "x", []byte(strings.Repeat("0123456789", 1000))))
	s, _ := azureThrough(t, server, func(int, *http.Request) servers.Action { return servers.Truncate })
	_, _, err := s.Read(t.Context(), "x")
	wantKind(t, "read", err, contract.Unreachable)
	wantKind(t, "list", s.List(t.Context(), "", func(string, int64, time.Time) error { return nil }), contract.Unreachable)
}

// TestLostReplyAzure: the write is there though its answer never came.
func TestLostReplyAzure(t *testing.T) {
	s, fault := azureThrough(t, azureServer(t), func(n int, _ *http.Request) servers.Action {
		if n == 0 {
			return servers.LoseReply
		}
		return nil
	})
	wantKind(t, "create", s.Create(t.Context(), "x", []byte("mine")), contract.Unreachable)
	wantKind(t, "create again", s.Create(t.Context(), "x", []byte("mine")), contract.Exists)
	if body, _, err := s.Read(t.Context(), "x"); string(body) != "mine" || err != nil {
		t.Errorf("it holds %q, %v", body, err)
	}
	var methods []string
	for _, r := range fault.Requests() {
		method, _, _ := strings.Cut(r, " ")
		methods = append(methods, method)
	}
	// The look after the second one is for blocks that a killed writer left.
	if diff := cmp.Diff([]string{"PUT", "PUT", "HEAD", "GET"}, methods); diff != "" {
		t.Errorf("nothing is repeated behind the caller's back (-want +got):\n%s", diff)
	}
}

// TestBrokenBlocksAzure: a large write that fails at any of its requests leaves no
// blob, and one of which the last answer is lost leaves all of it.
func TestBrokenBlocksAzure(t *testing.T) {
	server := azureServer(t)
	for n, want := range []bool{false, false, false, true} { // three blocks, and their list
		s, _ := azureThrough(t, server, func(i int, _ *http.Request) servers.Action {
			switch {
			case i == n && want:
				return servers.LoseReply
			case i == n:
				return servers.AzureError(503, "ServerBusy")
			}
			return nil
		})
		wantKind(t, "create", s.Create(t.Context(), "x", make([]byte, 20<<20)), contract.Unreachable)
		if there, err := s.Exists(t.Context(), "x"); there != want || err != nil {
			t.Errorf("with request %d lost, it is there: %v, %v", n, there, err)
		}
	}
}
