package aws

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// Endpoint gives the address that is configured for a service, such as "s3"; "" for none.
// The order is that of the SDKs (AWS SDKs and Tools Reference Guide, "Service-specific
// endpoints"): the service's variable, that of all, the profile's services section, the
// profile itself.
func (i *Identity) Endpoint(service string) string {
	p, _ := i.readProfile(i.profileName())
	ignore := cmp.Or(i.getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), p["ignore_configured_endpoint_urls"])
	if strings.EqualFold(ignore, "true") {
		return ""
	}
	address := cmp.Or(i.getenv("AWS_ENDPOINT_URL_"+strings.ToUpper(service)), i.getenv("AWS_ENDPOINT_URL"))
	if name := p["services"]; address == "" && name != "" {
		address = i.readServices(name)[service+".endpoint_url"]
	}
	return cmp.Or(address, p["endpoint_url"])
}

// readServices reads a services section, which only the config file has.
func (i *Identity) readServices(name string) profile {
	file, err := i.open("AWS_CONFIG_FILE", "config")
	if err != nil {
		return nil
	}
	defer file.Close()
	return readSection(file, "services "+name)
}

// open opens one of the two shared files, which a variable may name.
func (i *Identity) open(variable, name string) (*os.File, error) {
	path := i.getenv(variable)
	if home, err := os.UserHomeDir(); path == "" && err == nil {
		path = filepath.Join(home, ".aws", name)
	}
	return os.Open(path)
}
