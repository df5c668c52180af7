package site

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/localca"
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
			pairs[i], errs[i] = cell.certificate(c.Public)
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

// certified is a site that shows the certificate of the files in a folder, and says
// for which host a handshake gets one.
func certified(t *testing.T) (s *Site, issue func(host string), host func() string) {
	t.Helper()
	folder := t.TempDir()
	ca, err := localca.Load(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := config.Defaults()
	c.Public = config.Public{Listen: "127.0.0.1:0", URL: "https://localhost:8443", Certificate: folder + "/tls.crt", Key: folder + "/tls.key"}
	issue = func(host string) {
		if err := ca.Issue(c.Public.Certificate, c.Public.Key, []string{host}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	issue("first.example")
	s = &Site{config: c, now: time.Now, log: slog.New(slog.DiscardHandler)}
	first, err := s.certificate(c.Public)
	if err != nil {
		t.Fatal(err)
	}
	s.shown.set(c.Public, first)
	host = func() string {
		t.Helper()
		shown, err := s.shown.ForHandshake(nil)
		if err != nil {
			t.Fatal(err)
		}
		return shown.Leaf.DNSNames[0]
	}
	return s, issue, host
}

func TestCertificateIsReadAgain_R14(t *testing.T) {
	s, issue, host := certified(t)
	issue("second.example")
	if err := s.renewCertificate(t.Context()); err != nil || host() != "second.example" {
		t.Errorf("shows %s, %v", host(), err)
	}
}

func TestHalfACertificateChangesNothing_R14(t *testing.T) {
	s, issue, host := certified(t)
	old, err := os.ReadFile(s.config.Public.Key)
	if err != nil {
		t.Fatal(err)
	}
	issue("second.example")
	if err := os.WriteFile(s.config.Public.Key, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.renewCertificate(t.Context()); err == nil || host() != "first.example" {
		t.Errorf("with another's key it shows %s, %v", host(), err)
	}
	next := s.config.Public
	if _, _, err := s.configured(next); err == nil {
		t.Error("a configuration counts whose certificate and key do not belong together")
	}
}

// A cell that runs for more than a year must not show a certificate that has ended.
func TestLocalCertificateIsRenewedInTime_R14(t *testing.T) {
	folder := t.TempDir()
	c := config.Defaults()
	c.Public.URL = "https://localhost:8443"
	c.Keys.MasterFile = filepath.Join(folder, "master.key")
	now := time.Now()
	s := &Site{config: c, now: func() time.Time { return now }, log: slog.New(slog.DiscardHandler)}
	first, err := s.certificate(c.Public)
	if err != nil {
		t.Fatal(err)
	}
	s.shown.set(c.Public, first)
	for _, tt := range []struct {
		left  time.Duration
		fresh bool
	}{{renewBefore + time.Hour, false}, {renewBefore - time.Hour, true}} {
		now = first.Leaf.NotAfter.Add(-tt.left)
		if err := s.renewCertificate(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, shown := s.shown.get()
		if fresh := !bytes.Equal(shown.Certificate[0], first.Certificate[0]); fresh != tt.fresh {
			t.Errorf("%v before the end it is another: %v", tt.left, fresh)
		}
	}
	if _, kept, err := s.configured(c.Public); err != nil || bytes.Equal(kept.Certificate[0], first.Certificate[0]) {
		t.Errorf("a reload brings back the old certificate: %v", err)
	}
}
