package azure

import (
	"net/url"
	"strconv"
	"strings"
)

// connection is what a connection string says (Azure, "Configure Azure Storage
// connection strings").
type connection struct {
	account, key, sas          string
	endpoint, suffix, protocol string
	development                bool // Azurite, with its published key
}

const hintConnection = "copy AZURE_STORAGE_CONNECTION_STRING again from the account's access keys or shared access signature"

// parseConnection reads one. Names that don't concern blobs are left aside; values
// are never part of an error.
func parseConnection(text string) (*connection, error) {
	c := &connection{}
	fields := map[string]*string{"accountname": &c.account, "accountkey": &c.key, "sharedaccesssignature": &c.sas,
		"blobendpoint": &c.endpoint, "endpointsuffix": &c.suffix, "defaultendpointsprotocol": &c.protocol}
	for _, part := range strings.Split(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			return nil, invalid("a part of the connection string has no name and value", hintConnection)
		}
		if field, known := fields[name]; known {
			*field = strings.TrimSpace(value)
		}
		if name == "usedevelopmentstorage" {
			yes, err := strconv.ParseBool(strings.TrimSpace(value))
			if err != nil {
				return nil, invalid("the connection string's UseDevelopmentStorage is neither true nor false", hintConnection)
			}
			c.development = yes
		}
	}
	return c, c.check()
}

func (c *connection) check() error {
	switch {
	case c.development:
		return nil
	case c.key == "" && c.sas == "":
		return invalid("the connection string has neither AccountKey nor SharedAccessSignature", hintConnection)
	case c.account == "" && (c.key != "" || c.endpoint == ""):
		return invalid("the connection string has no AccountName", hintConnection)
	case c.endpoint != "":
		_, err := parseEndpoint(c.endpoint)
		return err
	}
	return nil
}

// settings gives the account's place.
func (c *connection) settings() settings {
	if c.development {
		return settings{emulator: true}
	}
	s := settings{account: c.account, protocol: c.protocol, endpoint: c.endpoint}
	if c.suffix != "" {
		s.domain = "blob." + c.suffix
	}
	return s
}

// parseEndpoint reads a connection string's BlobEndpoint.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("the connection string's BlobEndpoint is not a URL such as https://account.blob.core.windows.net", hintConnection)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), ""
	return u, nil
}
