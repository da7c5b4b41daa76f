package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// config is what the driver is told of a connection.
func (s *settings) config() (*mysql.Config, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = s.user, s.password, s.database
	c.Net, c.Addr = s.address()
	c.MultiStatements, c.ClientFoundRows = true, true
	c.Logger = &mysql.NopLogger{} // what it says is in its errors
	if s.socket != "" || s.mode == disabled {
		return c, nil
	}
	c.AllowFallbackToPlaintext = s.mode == preferred
	var err error
	c.TLS, err = s.trust()
	return c, err
}

// trust says whom a connection by TLS believes to be the server. Where no authorities are
// named they are those of nth's other connections: a minimal image has none at all.
func (s *settings) trust() (*tls.Config, error) {
	t := &tls.Config{ServerName: s.host}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, unusable("ssl-cert and ssl-key", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	if s.mode == preferred || s.mode == required {
		t.InsecureSkipVerify = true // as their programs do
		return t, nil
	}
	roots, err := s.authorities()
	if err != nil {
		return nil, err
	}
	t.RootCAs = roots
	if s.mode == verifyCA {
		web.AnyName(t, roots)
	}
	return t, nil
}

func (s *settings) authorities() (*x509.CertPool, error) {
	if s.ca == "" {
		return web.Roots()
	}
	pem, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, unusable("ssl-ca", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, unusable("ssl-ca", fmt.Errorf("%s has no certificate in PEM", s.ca))
	}
	return pool, nil
}

func unusable(parameter string, err error) error {
	return &contract.Error{Kind: contract.Invalid, Cause: fmt.Errorf("the parameter %s: %w", parameter, err)}
}
