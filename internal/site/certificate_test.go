package site

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
)

// Cells of one site may share a folder and start at the same moment, before
// anybody has made a certificate. All of them must end up under one authority.
func TestCellsThatStartAtOnceShareAnAuthority(t *testing.T) {
	folder := t.TempDir()
	c := config.Defaults()
	c.Public.URL = "https://localhost:8443"
	c.Keys.MasterFile = filepath.Join(folder, "master.key")
	const cells = 8
	var wait sync.WaitGroup
	var pairs [cells]tls.Certificate
	var errs [cells]error
	for i := range cells {
		wait.Go(func() {
			cell := &Site{config: c, now: time.Now, log: slog.New(slog.DiscardHandler)}
			pairs[i], errs[i] = cell.certificate()
		})
	}
	wait.Wait()
	ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("ca.pem holds no certificate")
	}
	for i, pair := range pairs {
		if errs[i] != nil {
			t.Errorf("cell %d: %v", i, errs[i])
			continue
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "localhost"}); err != nil {
			t.Errorf("cell %d: %v", i, err)
		}
	}
}
