package contact

import (
	"context"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/tenants"
)

// mayBecome bounds how often a site turns its association around: what it becomes
// without leave it becomes later. From ACTIVE everything else follows at once,
// because nothing must cross for longer than it has to, and that can happen only
// as often as the way back.
func (s *Service) mayBecome(a federation.SiteAssociation, now federation.Status, reason string) bool {
	if a.Status == now && a.Reason == reason || a.Status == federation.StatusActive && now != federation.StatusActive {
		return true
	}
	return s.doors.mayTurn(a.Site)
}

// setStatus writes what an association with a site has become, unless somebody
// has changed it since it was seen.
func (s *Service) setStatus(ctx context.Context, a federation.SiteAssociation, status federation.Status, reason string) error {
	if a.Status == status && a.Reason == reason {
		return nil
	}
	now := s.now()
	return s.Store.InTx(ctx, func(tx federation.Tx) error {
		changed, err := tx.SetSiteStatus(a.Site, a.Status, federation.StatusChange{Status: status, Reason: reason, At: now})
		if err != nil || !changed {
			return err
		}
		return tx.Record(journal.Entry{
			At: now, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.SiteLinkStatus,
			Subject: journal.Subject{Kind: journal.KindSite, ID: string(a.Site), Name: a.Name},
			Detail:  detail(a.Status, status, reason),
		})
	})
}

func detail(was, status federation.Status, reason string) map[string]string {
	d := map[string]string{"was": string(was), "status": string(status)}
	if reason != "" {
		d["reason"] = reason
	}
	return d
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
