package postgres

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/lib/pq"

	"nth/shim/store/web"
)

// registered numbers the TLS settings that lib/pq is told of.
var registered atomic.Int64

// trust gives a connection that is to be verified the authorities that nth's other
// connections have, where nobody has named any: a minimal image has none at all.
func trust(config pq.Config) (_ pq.Config, forget func(), err error) {
	mode := config.SSLMode
	if mode != pq.SSLModeVerifyFull && mode != pq.SSLModeVerifyCA || named(config.SSLRootCert) {
		return config, func() {}, nil
	}
	roots, err := web.Roots()
	if err != nil {
		return config, nil, err
	}
	settings := &tls.Config{RootCAs: roots, ServerName: config.Host}
	if mode == pq.SSLModeVerifyCA {
		web.AnyName(settings, roots)
	}
	key := fmt.Sprint("nth-", registered.Add(1))
	if err := pq.RegisterTLSConfig(key, settings); err != nil {
		return config, nil, err
	}
	config.SSLMode, config.SSLRootCert = pq.SSLMode("pqgo-"+key), ""
	return config, func() { _ = pq.RegisterTLSConfig(key, nil) }, nil
}

// named tells whether there is a file of authorities: the URL's or PGSSLROOTCERT's, or
// libpq's own at its usual place.
func named(sslrootcert string) bool {
	if sslrootcert != "" {
		return sslrootcert != "system"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(home, ".postgresql", "root.crt"))
	return err == nil
}
