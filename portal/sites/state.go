package sites

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/federation/contact"
	"causeway/portal/ui"
	"causeway/tenants"
)

// link is an associated site as the pages show it.
type link struct {
	federation.SiteAssociation
	Peer        contact.Peer
	Fingerprint string
	State       state
	// What was measured, in words; empty where this cell does not know.
	Latency, Clock, Feed string
	Contacted            time.Time
}

// state is a status in words, and how it looks. No two look alike without colours.
type state struct {
	Status      federation.Status
	Word, About string
	Kind        string // of the badge, and the class in the map
}

// since reports whether it is known since when a status is what it is: not of one
// that never changed.
func since(at time.Time) bool { return at.Unix() > 0 }

// Since is for the template.
func (l link) Since() bool { return since(l.StatusAt) }

var kinds = map[federation.Status]string{
	federation.StatusActive: "good", federation.Asymmetric: "warn", federation.Unreachable: "bad", federation.StatusError: "bad",
}

func newState(s *ui.Screen, status federation.Status) state {
	key := "sites.status." + strings.ToLower(string(status))
	return state{Status: status, Word: s.T(key), About: s.T(key + ".about"), Kind: kinds[status]}
}

// Active reports whether requests cross.
func (st state) Active() bool { return st.Status == federation.StatusActive }

// Half reports whether only this side holds the association.
func (st state) Half() bool { return st.Status == federation.Asymmetric }

// links are the associated sites with what this cell knows of the contact.
func (p *Pages) links(ctx context.Context, s *ui.Screen) ([]link, error) {
	held, err := p.Associations.Sites(ctx)
	if err != nil {
		return nil, err
	}
	known := p.known()
	list := make([]link, 0, len(held))
	for _, a := range held {
		list = append(list, p.newLink(s, a, known[a.Site]))
	}
	return list, nil
}

func (p *Pages) known() map[tenants.SiteID]contact.Peer {
	known := map[tenants.SiteID]contact.Peer{}
	for _, k := range p.Contact.Known() {
		known[k.Site] = k
	}
	return known
}

func (p *Pages) newLink(s *ui.Screen, a federation.SiteAssociation, k contact.Peer) link {
	l := link{SiteAssociation: a, Peer: k, Fingerprint: associations.Fingerprint(a.PublicKey), State: newState(s, a.Status), Contacted: a.ContactedAt}
	if !since(l.Contacted) {
		l.Contacted = time.Time{}
	}
	if k.Measured && !k.At.IsZero() {
		l.Contacted = k.At
		l.Latency = millis(k.Latency)
		l.Clock = clock(s, k.Skew)
	}
	if k.Feed.Following {
		l.Feed = s.T("sites.feed.waiting")
		if !k.Feed.Heard.IsZero() {
			l.Feed = s.T("sites.feed.heard", max(0, int(p.Now().Sub(k.Feed.Heard).Seconds())))
		}
	}
	return l
}

func millis(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}

// inStep is a difference of clocks that means nothing.
const inStep = time.Second

func clock(s *ui.Screen, skew time.Duration) string {
	switch {
	case skew.Abs() < inStep:
		return s.T("sites.clock.same")
	case skew > 0:
		return s.T("sites.clock.ahead", skew.Round(time.Second).String())
	}
	return s.T("sites.clock.behind", skew.Abs().Round(time.Second).String())
}

// troubleFirst orders what a person wants to see first.
func troubleFirst(list []link) []link {
	rank := map[federation.Status]int{federation.StatusError: 0, federation.Unreachable: 1, federation.Asymmetric: 2, federation.StatusActive: 3}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b link) int { return rank[a.Status] - rank[b.Status] })
	return list
}
