package site

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation/peer"
	"causeway/internal/httpapi"
	"causeway/internal/upkeep"
	"causeway/services"
	"causeway/services/serviceshttp"
)

const (
	// rememberedEffects are what holders may do in instances.
	rememberedEffects = 100_000
	// reconcileEvery is how long an account can outlive a role that ends by itself. The
	// role itself ends at once.
	reconcileEvery = 10 * time.Minute
	reconcileLease = 15 * time.Minute
)

// openServices readies service instances: what they are, who may do what in them, and
// how they are told.
func (s *Site) openServices(ctx context.Context) (err error) {
	rules := s.addressRules()
	s.services = services.New(services.Config{
		Store: s.db.Services(), Keys: s.keys, Rules: rules, Reserved: s.reservedNames(), Now: s.now,
	})
	if err := s.services.PutBuiltIn(ctx); err != nil {
		return err
	}
	s.deliverer = services.NewDeliverer(services.DelivererConfig{Hooks: s.db.Hooks(), Keys: s.keys, Rules: rules, Now: s.clock, Log: s.log, Tracer: s.tracer})
	s.access, err = services.NewAccess(s.db.Services(), rememberedEffects)
	return err
}

// addressRules say where instances and their hooks may be.
func (s *Site) addressRules() services.AddressRules {
	return services.AddressRules{
		PlainHTTP: s.config.CSP.InstanceHTTP == "allowed",
		Allow:     peer.Networks(s.config.CSP.InstanceNetworks).Told(nil, ""),
		Networks:  s.config.CSP.InstanceNetworks,
	}
}

// reservedNames are the site's own host, and the prefixes of services that are
// configured.
func (s *Site) reservedNames() (r services.Reserved) {
	if u, err := url.Parse(s.config.Public.URL); err == nil {
		r.Hosts = append(r.Hosts, strings.ToLower(u.Hostname()))
	}
	for _, in := range s.config.Services {
		r.Prefixes = append(r.Prefixes, strings.TrimSuffix(in.Prefix, "/"))
	}
	return r
}

func (s *Site) serviceEndpoints(health services.Healths) httpapi.Endpoints {
	return (&serviceshttp.Handler{Services: s.services, Orgs: s.directory, Health: health, PublicURL: s.config.Public.URL}).Endpoints()
}

// reconcile is one cell's work at a time.
func (s *Site) reconcile(ctx context.Context) error {
	held, err := s.db.Upkeep().Hold(ctx, upkeep.Lease{Name: "service-accounts", Holder: s.cells.Self.ID, For: reconcileLease})
	if err != nil || !held.Ours {
		return err
	}
	settled, err := s.services.Reconcile(ctx)
	if settled > 0 {
		s.log.Info("accounts in service instances were settled", "instances", settled)
	}
	return err
}

// hookMetrics are visible at zero.
func hookMetrics(d *services.Deliverer) []prometheus.Collector {
	counter := func(result string, get func(services.HookCounts) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "causeway_instance_hooks_total", Help: "Calls that told service instances of accounts.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(get(d.Counts())) })
	}
	return []prometheus.Collector{
		counter("delivered", func(c services.HookCounts) int64 { return c.Delivered }),
		counter("retried", func(c services.HookCounts) int64 { return c.Retried }),
		counter("failed", func(c services.HookCounts) int64 { return c.Failed }),
	}
}
