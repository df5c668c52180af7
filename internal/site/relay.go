package site

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation/peer"
	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/relay"
	"causeway/internal/relayhttp"
	"causeway/internal/trail"
	"causeway/internal/version"
	"causeway/services"
)

// openRelay readies what the audit trail is handed on by. It needs the cell's id.
func (s *Site) openRelay() error {
	c := relay.Config{
		Queue: s.db.Relay(), Trail: s.trail(), Holder: s.cells.Self.ID, Keys: s.keys, Now: s.clock, Log: s.log,
		Rules: services.AddressRules{
			PlainHTTP: s.config.Audit.WebhookHTTP == config.Allowed,
			Allow:     peer.Networks(s.config.Audit.WebhookNetworks).Told(nil, ""),
			Networks:  s.config.Audit.WebhookNetworks,
		},
	}
	var err error
	if c.Trust, err = trusting(s.config.Audit.WebhookCA, "", ""); err != nil {
		return fmt.Errorf("audit.webhook_ca: %w", err)
	}
	host := s.config.Site.Name
	if u, err := url.Parse(s.config.Public.URL); err == nil {
		host = u.Hostname()
	}
	for _, to := range s.config.Audit.Syslog {
		collector := &relay.Syslog{
			Name: to.Name, Transport: to.Transport, Address: to.Address, Facility: to.Facility, Host: host, Now: s.clock, Format: formats[to.Format],
		}
		if collector.TLS, err = trusting(to.CA, to.Certificate, to.Key); err != nil {
			return fmt.Errorf("audit.syslog %s: %w", to.Name, err)
		}
		c.Syslog = append(c.Syslog, collector)
	}
	s.relay = relay.New(c)
	s.metrics.registry.MustRegister(relayMetrics(s.relay)...)
	return nil
}

// relayFollower wakes what hands the journal on, which is made after the tail.
type relayFollower struct{ site *Site }

func (f relayFollower) Apply(row journal.Row) { f.site.relay.Apply(row) }
func (f relayFollower) Flush()                { f.site.relay.Flush() }

// formats are what a syslog message holds, by the words of the configuration.
var formats = map[string]func(trail.Record) string{
	"json": func(r trail.Record) string {
		text, _ := json.Marshal(r) // strings, numbers and a time that was read from JSON
		return string(text)
	},
	"cef": func(r trail.Record) string { return r.CEF(version.Get().Version) },
}

// trusting is a client's side of TLS, by files, each of which may be none.
func trusting(ca, certificate, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (s *Site) relayEndpoints() httpapi.Endpoints {
	return (&relayhttp.Handler{PublicURL: s.config.Public.URL, Webhooks: s.webhooks()}).Endpoints()
}

func (s *Site) webhooks() *relay.Service {
	return &relay.Service{
		Store: s.db.Webhooks(), Keys: s.keys, PlainHTTP: s.config.Audit.WebhookHTTP == config.Allowed, Now: s.clock,
		Try: func(ctx context.Context, w relay.Webhook) string { return s.relay.Try(ctx, w) }, // which is made later
	}
}

// relayMetrics are visible at zero.
func relayMetrics(d *relay.Deliverer) (list []prometheus.Collector) {
	for _, kind := range relay.Kinds() {
		for _, result := range relay.Results() {
			list = append(list, prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "causeway_audit_deliveries_total", Help: "Rows of the audit trail that this cell handed on to webhooks and syslog, by what came of it.",
				ConstLabels: prometheus.Labels{"sink": string(kind), "result": string(result)},
			}, func() float64 { return float64(d.Count(kind, result)) }))
		}
		list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "causeway_audit_lag_rows", Help: "How many rows of the audit trail the slowest webhook or syslog collector is behind; 0 at cells that do not deliver.",
			ConstLabels: prometheus.Labels{"sink": string(kind)},
		}, func() float64 { return float64(d.Waiting(kind)) }))
	}
	return list
}
