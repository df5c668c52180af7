package site

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"causeway/internal/config"
	"causeway/internal/localca"
)

// lookEvery is how late a certificate counts that was put in the place of another.
const lookEvery = time.Minute

// renewBefore is how long before its end a certificate of the local CA is replaced.
const renewBefore = 30 * 24 * time.Hour

// shown is the certificate of the public listener. Each handshake asks for it, so
// that another one counts without a connection being closed.
type shown struct {
	mu      sync.RWMutex
	from    config.Public
	current tls.Certificate
}

func (s *shown) set(from config.Public, c tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.current = from, c
}

func (s *shown) get() (config.Public, tls.Certificate) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.from, s.current
}

// ForHandshake is for tls.Config.GetCertificate.
func (s *shown) ForHandshake(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	_, c := s.get()
	return &c, nil
}

// renewCertificate reads the files again: whoever renews certificates need not tell
// us. Half a change, a certificate without its key, waits for the other half.
func (s *Site) renewCertificate(context.Context) error {
	from, old := s.shown.get()
	if from.Certificate == "" && old.Leaf.NotAfter.Sub(s.now()) > renewBefore {
		return nil
	}
	fresh, err := s.certificate(from)
	if err != nil {
		return err
	}
	if !bytes.Equal(fresh.Certificate[0], old.Certificate[0]) {
		s.shown.set(from, fresh)
		s.log.Info("the public listener shows another certificate", "until", fresh.Leaf.NotAfter)
	}
	return nil
}

// configured is the certificate of a new configuration: one of the local CA is made
// for the host that we were started with, and stays.
func (s *Site) configured(c config.Public) (config.Public, tls.Certificate, error) {
	from, current := s.shown.get()
	if c.Certificate == "" && from.Certificate == "" {
		return from, current, nil
	}
	from.Certificate, from.Key = c.Certificate, c.Key
	fresh, err := s.certificate(from)
	return from, fresh, err
}

// certificate is the configured one, or a new one of a local authority beside the
// master key.
func (s *Site) certificate(c config.Public) (tls.Certificate, error) {
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return pair, fmt.Errorf("public.certificate: %w", err)
		}
		return pair, nil
	}
	folder := filepath.Dir(s.config.Keys.MasterFile)
	unlock, err := Lock(filepath.Join(folder, ".lock")) // another cell may start at this moment
	if err != nil {
		return tls.Certificate{}, err
	}
	defer unlock()
	ca, err := localca.Load(folder, s.now())
	if err != nil {
		return tls.Certificate{}, err
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return tls.Certificate{}, err
	}
	certFile, keyFile := filepath.Join(folder, "public.pem"), filepath.Join(folder, "public-key.pem")
	if err := ca.Issue(certFile, keyFile, []string{u.Hostname()}, s.now()); err != nil {
		return tls.Certificate{}, err
	}
	s.log.Info("no certificate is configured; a local CA made one", "ca", ca.File)
	return tls.LoadX509KeyPair(certFile, keyFile)
}
