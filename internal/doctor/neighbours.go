package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/federation/roots"
	"causeway/internal/config"
	"causeway/internal/secret"
	"causeway/internal/store"
)

// longAgo is how old the last contact with an associated site may be: heartbeats
// are seconds apart, and their time is kept to the minute.
const longAgo = 10 * time.Minute

var parted = advice{
	"Requests to organizations there are answered 503, and what was revoked there is learned late.",
	"Check that the other site runs and that this machine reaches its peer address, TCP without TLS being ended in between; causeway site status says what both sides hold.",
}

// neighbours connects to each associated site as a cell does, and reads what cells
// noted about it.
func (e *examination) neighbours(ctx context.Context, c *config.Config, db *store.DB, keys *secret.Keys) {
	if db == nil || keys == nil {
		e.skip("peers", "Without database and master key other sites cannot be asked.")
		return
	}
	identity, sites, err := e.known(ctx, c, db, keys)
	if err != nil {
		e.skip("peers", "The database does not tell which sites are associated: %v", err)
		return
	}
	networks := peer.Networks(c.Federation.AllowedNetworks)
	finder := peer.NewResolver(e.now, networks.Allow(nil))
	bad := e.each(len(sites), func(i int) bool {
		return e.neighbour(ctx, identity, sites[i], func(pins peer.Pins) []string {
			return finder.Addresses(ctx, peer.Source{
				Pins: pins, RestEndpoint: sites[i].RestEndpoint, Certificates: sites[i].RestEndpointCertificate, Allow: networks.Allow(sites[i].Allowed),
			})
		})
	})
	if bad == 0 {
		e.ok("peers", "%d associated sites are reached, prove their keys and are in contact.", len(sites))
	}
}

func (e *examination) known(ctx context.Context, c *config.Config, db *store.DB, keys *secret.Keys) (*peer.Identity, []federation.SiteAssociation, error) {
	keeper, err := roots.Open(ctx, roots.Config{Store: db.Federation(), Keys: keys, PublishAhead: c.Federation.RootPublishAhead, Now: e.now})
	if err != nil {
		return nil, nil, err
	}
	var self federation.Self
	var sites []federation.SiteAssociation
	err = db.Federation().View(ctx, func(r federation.Reader) error {
		var err error
		if self, err = r.Self(); err == nil {
			sites, err = r.SiteAssociations()
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	identity, err := peer.NewIdentity(self.ID, keeper.Current, e.now)
	return identity, sites, err
}

func (e *examination) neighbour(ctx context.Context, us *peer.Identity, a federation.SiteAssociation, addresses func(peer.Pins) []string) bool {
	good := true
	last := slices.MaxFunc([]time.Time{a.ContactedAt, a.StatusAt, a.CreatedAt}, time.Time.Compare) // a new one was not asked yet
	if a.Status != federation.StatusActive {
		good = false
		e.warn("peers", parted, "The association with site %s is %s: %s", a.Name, a.Status, a.Reason)
	} else if e.now().Sub(last) > longAgo {
		good = false
		e.warn("peers", parted, "No cell has been in contact with site %s since %s.", a.Name, last.UTC().Format(time.RFC3339))
	}
	pins, err := links.PinsOf(a)
	if err != nil {
		e.fail("peers", parted, "The key that is pinned of site %s cannot be read: %v", a.Name, err)
		return false
	}
	found := addresses(pins)
	if len(found) == 0 {
		e.fail("peers", parted, "Site %s does not say where it can be reached: %s did not answer as it, and nothing was heard before.", a.Name, a.RestEndpoint)
		return false
	}
	date, err := knock(ctx, us, pins, found)
	if err != nil {
		e.fail("peers", parted, "Site %s cannot be reached with the key that is pinned: %v", a.Name, err)
		return false
	}
	if !date.IsZero() {
		e.clock("that of site "+a.Name, date, time.Second)
	}
	return good
}

// knock connects to the first of a site's addresses that proves its key, and returns
// the time there.
func knock(ctx context.Context, us *peer.Identity, pins peer.Pins, addrs []string) (date time.Time, err error) {
	proof := us.ClientTLS(pins.Site, pins.Keys())
	proof.NextProtos = []string{"http/1.1"} // a transport with TLS of its own speaks nothing else
	way := &http.Transport{TLSClientConfig: proof, DisableKeepAlives: true}
	client := &http.Client{Timeout: patience, Transport: way, CheckRedirect: noRedirect}
	for _, addr := range addrs {
		var res answer
		if res, err = get(ctx, client, "https://"+addr+"/", nil); err == nil {
			date, _ = http.ParseTime(res.header.Get("Date"))
			return date, nil
		}
		err = fmt.Errorf("%s: %w", addr, err)
	}
	return date, err
}
