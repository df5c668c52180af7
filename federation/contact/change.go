package contact

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/tenants"
)

// reasonOneSided is what people read at an association of organizations that the
// other one does not hold.
const reasonOneSided = "The other organization does not hold this association."

// own is what we hold of a pair, as far as its site can change it.
type own struct {
	status  federation.Status
	name    string
	enabled bool
}

func ownOf(a federation.OrgAssociation) own { return own{a.Status, a.RemoteName, a.RemoteEnabled} }

// change is a pair of which its site says something new.
type change struct {
	pair federation.Pair
	was  own
	now  own
}

// newChange is false where nothing differs. A name that no organization can have
// is not believed.
func newChange(was own, p PairState) (change, bool) {
	now := own{status: federation.Asymmetric, name: was.name, enabled: was.enabled}
	if p.Held {
		now.status, now.enabled = federation.StatusActive, p.Enabled
		if tenants.ValidName(p.Name) {
			now.name = p.Name
		}
	}
	return change{federation.Pair{Local: p.With, Remote: p.Org}, was, now}, now != was
}

// atOnce is how many changes one transaction makes.
const atOnce = 50

// errTooMuch leaves the rest for later turns.
var errTooMuch = errors.New("the site changes more of its organizations than may be written at once")

func (s *Service) write(ctx context.Context, site tenants.SiteID, changes []change) error {
	for some := range slices.Chunk(changes, atOnce) {
		if !s.doors.mayWrite(site, len(some)) {
			return errTooMuch
		}
		if err := s.Store.InTx(ctx, func(tx federation.Tx) error {
			for _, c := range some {
				if err := s.writeOne(tx, site, c); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) writeOne(tx federation.Tx, site tenants.SiteID, c change) error {
	remote, now := tenants.LocationID{Org: c.pair.Remote, Site: site}, s.now()
	entry := journal.Entry{
		At: now, Org: string(c.pair.Local), Actor: journal.System,
		Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(c.pair.Remote)},
	}
	if err := s.keepName(tx, remote, &c); err != nil {
		return err
	}
	entry.Subject.Name = c.now.name
	renamed, err := tx.SetRemote(c.pair.Local, remote, c.now.name, c.now.enabled)
	if err != nil {
		return err
	}
	if renamed {
		entry.Action = journal.OrgLinkUpdated
		entry.Detail = map[string]string{detailSite: string(site), "remoteName": c.now.name, "remoteEnabled": strconv.FormatBool(c.now.enabled)}
		if err := tx.Record(entry); err != nil {
			return err
		}
	}
	if c.was.status == c.now.status {
		return nil
	}
	reason := ""
	if c.now.status == federation.Asymmetric {
		reason = reasonOneSided
	}
	changed, err := tx.SetOrgStatus(c.pair.Local, remote, c.was.status, federation.StatusChange{Status: c.now.status, Reason: reason, At: now})
	if err != nil || !changed {
		return err
	}
	entry.Action = journal.OrgLinkStatus
	entry.Detail = detail(c.was.status, c.now.status, reason)
	entry.Detail[detailSite] = string(site)
	return tx.Record(entry)
}
