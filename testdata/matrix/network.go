package matrix

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Silent is a log that nobody reads.
var Silent = log.New(io.Discard, "", 0)

// Certificate is what is wrong with one.
type Certificate struct {
	Name    string // whom it is for, instead of 127.0.0.1
	Expired bool
}

// Shown is what a server shows of itself, and the authority for it.
type Shown struct {
	tls.Certificate
	PEM  string
	File string // with the same
}

// NewCertificate makes one that is its own authority.
func NewCertificate(t testing.TB, c Certificate) *Shown {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	// The name tells authorities apart.
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "test " + serial.String()},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	if c.Expired {
		template.NotAfter = now.Add(-24 * time.Hour)
	}
	if c.Name == "" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		template.DNSNames = []string{c.Name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := &Shown{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), File: filepath.Join(t.TempDir(), "authority.pem")}
	if err := os.WriteFile(s.File, []byte(s.PEM), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// Listen gives the address of somebody who takes connections, and says nothing.
func Listen(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
