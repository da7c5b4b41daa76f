package store_test

import (
	"strings"
	"testing"

	"nth/testdata/servers"
)

// azureServer starts a server with one container.
func azureServer(t *testing.T) *servers.Azurite {
	t.Helper()
	server := servers.StartAzurite(t)
	server.Container(t, "data")
	return server
}

// setAzure sets the variables for the server at an address.
func setAzure(t *testing.T, address string) {
	t.Helper()
	for _, v := range servers.AzureEnv(address) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}
