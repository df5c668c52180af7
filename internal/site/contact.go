package site

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation"
	"causeway/federation/contact"
	"causeway/internal/httpapi"
)

// newContact is this cell's part in staying informed about the other sites. It
// follows the journal, so it is made before the tail.
func (s *Site) newContact() *contact.Service {
	return contact.New(contact.Config{
		Store: s.db.Federation(), Leases: s.db.Upkeep(), Peers: s.links, Journal: ownTail{s},
		Self: func() federation.Self { return s.self }, API: contact.Versions(httpapi.Versions),
		BundleSeq: func() uint64 { return s.roots.Seq() }, NewBundle: s.links.WantBundle, Forget: s.introspector,
		Holder: func() string { return s.cells.Self.ID }, Every: s.config.Federation.Heartbeat,
		// A held question must be answered before the way gives up waiting.
		Wait: min(20*time.Second, s.config.Federation.Timeout*2/3), Now: s.now, Log: s.log,
	})
}

// ownTail is the tail, which is made later.
type ownTail struct{ *Site }

func (t ownTail) Fresh() bool                                  { return t.tail.Fresh() }
func (t ownTail) Applied() int64                               { return t.tail.Applied() }
func (t ownTail) WaitFor(ctx context.Context, seq int64) error { return t.tail.WaitFor(ctx, seq) }

// peerHealth is what the operations listener says of one associated site. What
// is absent is not known to this cell: another one makes contact.
type peerHealth struct {
	Site        string            `json:"site"`
	Name        string            `json:"name"`
	Status      federation.Status `json:"status"`
	Reason      string            `json:"reason,omitempty"`
	StatusAt    *time.Time        `json:"statusAt,omitempty"`
	ContactedAt *time.Time        `json:"contactedAt,omitempty"`
	Theirs      federation.Status `json:"theirStatus,omitempty"`
	Latency     *float64          `json:"latencySeconds,omitempty"`
	ClockAhead  *float64          `json:"clockAheadSeconds,omitempty"`
	Error       string            `json:"lastError,omitempty"`
	BreakerOpen bool              `json:"breakerOpen"`
	Feed        *feedHealth       `json:"revocations,omitempty"`
}

type feedHealth struct {
	Lag     *float64 `json:"lagSeconds,omitempty"` // since it was last heard; up to 20 is silence as agreed
	Flushes uint64   `json:"flushes"`
}

// peersHealth shows how things stand with the other sites. It is no health of
// this one: see readyz.
func (s *Site) peersHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	list := []peerHealth{}
	for _, p := range s.contact.Known() {
		if h, err := s.peerHealth(ctx, p); err == nil {
			list = append(list, h)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"peers": list}) // or nobody reads it
}

func (s *Site) peerHealth(ctx context.Context, p contact.Peer) (peerHealth, error) {
	a, err := s.links.Association(ctx, p.Site)
	if err != nil {
		return peerHealth{}, err
	}
	h := peerHealth{
		Site: string(a.Site), Name: a.Name, Status: a.Status, Reason: a.Reason, StatusAt: known(a.StatusAt), ContactedAt: known(a.ContactedAt),
		Theirs: p.Theirs, Error: p.Error,
	}
	h.BreakerOpen, _ = s.forwarder.State(a.Site)
	if p.Measured && !p.At.IsZero() {
		latency, skew := p.Latency.Seconds(), p.Skew.Seconds()
		h.Latency, h.ClockAhead, h.ContactedAt = &latency, &skew, &p.At
	}
	if p.Feed.Following {
		h.Feed = &feedHealth{Flushes: p.Feed.Flushes}
		if !p.Feed.Heard.IsZero() {
			lag := s.now().Sub(p.Feed.Heard).Seconds()
			h.Feed.Lag = &lag
		}
	}
	return h, nil
}

func known(t time.Time) *time.Time {
	if t.IsZero() || t.Unix() <= 0 {
		return nil
	}
	return &t
}

// peerCollector shows the same as numbers. The only label is the peer's site.
type peerCollector struct{ site *Site }

var (
	peerStatusDesc = prometheus.NewDesc("causeway_peer_status",
		"Status of the association with a site: 0 ASYMMETRIC, 1 ACTIVE, 2 UNREACHABLE, 3 ERROR.", []string{"site"}, nil)
	peerContactDesc = prometheus.NewDesc("causeway_peer_last_contact_timestamp_seconds",
		"When the site last answered; to the minute where another cell makes contact, 0 if never.", []string{"site"}, nil)
	peerLatencyDesc = prometheus.NewDesc("causeway_peer_latency_seconds",
		"How long the site's last answer to a heartbeat took; 0 where another cell makes contact.", []string{"site"}, nil)
	peerSkewDesc = prometheus.NewDesc("causeway_peer_clock_ahead_seconds",
		"How far the site's clock is ahead of ours, or behind; 0 where another cell makes contact.", []string{"site"}, nil)
	peerBreakerDesc = prometheus.NewDesc("causeway_peer_breaker_open",
		"1 while this cell refuses requests to the site because it cannot be reached, else 0.", []string{"site"}, nil)
	peerFeedDesc = prometheus.NewDesc("causeway_peer_revocations_lag_seconds",
		"Since the site's feed of revocations was last heard; up to 20 is silence as agreed, -1 where it is not followed.", []string{"site"}, nil)
	peerFlushDesc = prometheus.NewDesc("causeway_peer_revocations_flushes_total",
		"How often everything that the site said of its tokens was forgotten because something may have been missed.", []string{"site"}, nil)
)

func (peerCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{peerStatusDesc, peerContactDesc, peerLatencyDesc, peerSkewDesc, peerBreakerDesc, peerFeedDesc, peerFlushDesc} {
		ch <- d
	}
}

// statusNumbers are what causeway_peer_status shows.
var statusNumbers = map[federation.Status]float64{
	federation.Asymmetric: 0, federation.StatusActive: 1, federation.Unreachable: 2, federation.StatusError: 3,
}

func (c peerCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, p := range c.site.contact.Known() {
		h, err := c.site.peerHealth(ctx, p)
		if err != nil {
			continue // no association any more
		}
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, h.Site)
		}
		gauge(peerStatusDesc, statusNumbers[h.Status])
		gauge(peerContactDesc, unix(h.ContactedAt))
		gauge(peerLatencyDesc, or(h.Latency, 0))
		gauge(peerSkewDesc, or(h.ClockAhead, 0))
		gauge(peerBreakerDesc, one(h.BreakerOpen))
		lag := -1.0
		if h.Feed != nil {
			lag = or(h.Feed.Lag, -1)
		}
		gauge(peerFeedDesc, lag)
		ch <- prometheus.MustNewConstMetric(peerFlushDesc, prometheus.CounterValue, float64(p.Feed.Flushes), h.Site)
	}
}

func or(v *float64, none float64) float64 {
	if v == nil {
		return none
	}
	return *v
}

func unix(t *time.Time) float64 {
	if t == nil {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
