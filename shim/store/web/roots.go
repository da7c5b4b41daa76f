package web

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Where systems keep their trusted authorities (Go's crypto/x509, root_linux.go and
// root_bsd.go).
var (
	bundles = []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Alpine, distroless
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS
		"/etc/ssl/cert.pem",                                 // Alpine, BSD, macOS
	}
	directories = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
)

// Roots gives the trusted authorities to who speaks TLS but not HTTP.
func Roots() (*x509.CertPool, error) { return roots(os.Getenv) }

// roots gives the trusted authorities: those of SSL_CERT_FILE, or the system's
// bundle, and those of the directories that SSL_CERT_DIR or the system has, as
// OpenSSL and Go do. An image without any gets Mozilla's, which are built in.
// Unlike theirs, a bad SSL_CERT_FILE is an error, and the system's directories are
// not read for what its bundle has already: every certificate would be parsed twice.
func roots(getenv func(string) string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	found, err := addBundle(pool, getenv("SSL_CERT_FILE"))
	if err != nil {
		return nil, err
	}
	if dirs := getenv("SSL_CERT_DIR"); dirs != "" {
		for _, dir := range strings.Split(dirs, ":") {
			if !addDirectory(pool, dir, "") {
				return nil, fmt.Errorf("SSL_CERT_DIR: no certificate of an authority is in %s", dir)
			}
			found = dir
		}
	} else {
		for _, dir := range directories {
			if addDirectory(pool, dir, found) && found == "" {
				found = dir
			}
		}
	}
	if found == "" {
		return builtIn(), nil
	}
	return pool, nil
}

// addBundle adds those of the one file that was asked for, else of the first bundle
// that the system has, and gives its path.
func addBundle(pool *x509.CertPool, asked string) (string, error) {
	if asked != "" {
		pem, err := os.ReadFile(asked)
		if err == nil && !pool.AppendCertsFromPEM(pem) {
			err = errors.New("no certificate is in it")
		}
		if err != nil {
			return "", fmt.Errorf("SSL_CERT_FILE: read %s: %w", asked, err)
		}
		return asked, nil
	}
	for _, path := range bundles {
		if pem, err := os.ReadFile(path); err == nil && pool.AppendCertsFromPEM(pem) {
			return path, nil
		}
	}
	return "", nil
}

// addDirectory adds those of a directory's files, and tells whether there was any.
// With a bundle found, symbolic links are left out, by which the bundle's own
// certificates stand beside it; a file that somebody put there counts.
func addDirectory(pool *x509.CertPool, dir, bundle string) (added bool) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if f.IsDir() || path == bundle || bundle != "" && f.Type()&os.ModeSymlink != 0 {
			continue
		}
		if pem, err := os.ReadFile(path); err == nil && pool.AppendCertsFromPEM(pem) {
			added = true
		}
	}
	return added
}

// builtIn gives Mozilla's authorities, as of the module's date.
func builtIn() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		c, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil: // can't be: the module's own tests parse them
		case root.Constraint == nil:
			pool.AddCert(c)
		default:
			pool.AddCertWithConstraint(c, root.Constraint)
		}
	}
	return pool
}
