package servers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Azurite is a server of a test's own that speaks Azure Blob Storage's protocol. It
// says AuthorizationFailure where Azure says AuthenticationFailed.
type Azurite struct{ *Server }

// The account of every Azurite (its documentation, "Default storage account").
const (
	azureAccount = "devstoreaccount1"
	azureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	azureVersion = "2021-12-02"
)

// StartAzurite starts one that keeps its blobs in memory, and stops it when the test
// ends.
func StartAzurite(t testing.TB) *Azurite {
	t.Helper()
	program := Program(t, "azurite-blob", "npm install -g azurite@3.35.0")
	address, dir := Address(t), t.TempDir()
	host, port, _ := strings.Cut(address, ":")
	return &Azurite{start(t, address, func() *exec.Cmd {
		cmd := exec.Command(program, "--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")
		cmd.Dir = dir
		return cmd
	})}
}

// AzureEnv gives the variables for a server at an address: its account and key.
func AzureEnv(address string) []string {
	return []string{"AZURE_STORAGE_ACCOUNT=" + azureAccount, "AZURE_STORAGE_KEY=" + azureKey,
		"AZURE_STORAGE_DOMAIN=" + address, "AZURE_STORAGE_PROTOCOL=http", "AZURE_STORAGE_IS_LOCAL_EMULATOR=true"}
}

// Container makes a container.
func (a *Azurite) Container(t testing.TB, name string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+a.Address+"/"+azureAccount+"/"+name+"?restype=container", nil)
	if err != nil {
		t.Fatal(err)
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	req.Header.Set("x-ms-date", date)
	req.Header.Set("x-ms-version", azureVersion)
	// Azure Storage, "Authorize with Shared Key": eleven empty headers.
	sum := azureSign("PUT" + strings.Repeat("\n", 12) + "x-ms-date:" + date + "\nx-ms-version:" + azureVersion + "\n/" +
		azureAccount + req.URL.Path + "\nrestype:container")
	req.Header.Set("Authorization", "SharedKey "+azureAccount+":"+sum)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("make the container %s: %s", name, res.Status)
	}
}

func azureSign(text string) string {
	key, _ := base64.StdEncoding.DecodeString(azureKey)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// AzureSAS gives a token for a container's blobs, with permissions as in "rcwdl", that
// ends at a time (Azure Storage, "Create a service SAS").
func AzureSAS(container, permissions string, ends time.Time) string {
	expiry := ends.UTC().Format(time.RFC3339)
	fields := []string{permissions, "", expiry, "/blob/" + azureAccount + "/" + container, "", "", "", azureVersion, "c", "", "", "", "", "", "", ""}
	return url.Values{"sv": {azureVersion}, "sr": {"c"}, "sp": {permissions}, "se": {expiry}, "sig": {azureSign(strings.Join(fields, "\n"))}}.Encode()
}

// AzureConnection gives the connection string of the server at an address, with its
// key, or with a SAS token.
func AzureConnection(address, sas string) string {
	who := "AccountKey=" + azureKey
	if sas != "" {
		who = "SharedAccessSignature=" + sas
	}
	return "DefaultEndpointsProtocol=http;AccountName=" + azureAccount + ";" + who + ";BlobEndpoint=http://" + address + "/" + azureAccount + ";"
}

// AzureError answers as Azure does, to HEAD in a header alone (Azure Storage, "Status
// and error codes").
func AzureError(status int, code string) Action {
	return func(_ *Fault, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Ms-Request-Id", "1")
		w.Header().Set("X-Ms-Error-Code", code)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="utf-8"?><Error><Code>` + code + "</Code><Message>on purpose\nRequestId:1</Message></Error>"))
	}
}
