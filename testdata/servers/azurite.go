package servers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
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
)

// StartAzurite starts one that keeps its blobs in memory, and stops it when the test
// ends.
func StartAzurite(t testing.TB) *Azurite {
	t.Helper()
	program := Program(t, "azurite-blob", "npm install -g azurite@3.35.0")
	address, dir := freeAddress(t), t.TempDir()
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
	req.Header.Set("x-ms-version", "2021-12-02")
	// Azure Storage, "Authorize with Shared Key": eleven empty headers.
	toSign := "PUT" + strings.Repeat("\n", 12) + "x-ms-date:" + date + "\nx-ms-version:2021-12-02\n/" +
		azureAccount + req.URL.Path + "\nrestype:container"
	key, _ := base64.StdEncoding.DecodeString(azureKey)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(toSign))
	req.Header.Set("Authorization", "SharedKey "+azureAccount+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("make the container %s: %s", name, res.Status)
	}
}
