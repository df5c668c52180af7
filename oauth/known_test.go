package oauth_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// A cell knows the tokens that it gave out as one knows them that reads.
func TestRefresh_KnownWhereItWasGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		account := w.newAccount()
		few := tenants.QuotaPolicy{ID: tenants.QuotaPolicyID(tenants.NewID()), Org: w.org, Name: "few", Definitions: []tenants.QuotaDefinition{
			{ResourceName: "vms", ResourceType: "vm", Unit: "count", Quota: 10},
		}}
		w.inTenants(func(tx tenants.Tx) error {
			return errors.Join(tx.CreateQuotaPolicy(few), tx.SetUserQuota(w.org, w.user.ID, few.ID), tx.SetAccountQuota(w.org, string(account.ID), few.ID))
		})
		_, person := w.apiToken()
		for name, tokens := range map[string]oauth.Tokens{"account": w.activate(account), "API token": person} {
			cell, other := w.own(w.run()), w.run()
			got, err := cell.Refresh(w.ctx(), from(here), w.snapshot(), "", tokens.RefreshToken)
			w.must(err)
			_, err = cell.orgs.Organization(w.ctx(), w.org)
			w.must(err)
			before := db.Statements()
			who, err := cell.Authenticate(w.ctx(), got.AccessToken.Reveal())
			w.must(err)
			if n := db.Statements() - before; n != 0 {
				t.Errorf("%s: the first use took %d statements", name, n)
			}
			read, err := other.Authenticate(w.ctx(), got.AccessToken.Reveal())
			w.must(err)
			if who.Quota == nil || !reflect.DeepEqual(who, read) {
				t.Errorf("%s: %+v where it was given, %+v elsewhere", name, who, read)
			}
		}
	})
}

// afterwards is a store on which something happens after a refresh was committed and
// before it is told.
type afterwards struct {
	oauth.Store
	happen func()
}

func (a *afterwards) Rotate(ctx context.Context, r oauth.Rotation) (oauth.Session, bool, error) {
	s, done, err := a.Store.Rotate(ctx, r)
	if done {
		a.happen()
	}
	return s, done, err
}

func (a *afterwards) UseAPIToken(ctx context.Context, u oauth.TokenUse) (oauth.Session, bool, error) {
	s, done, err := a.Store.UseAPIToken(ctx, u)
	if done {
		a.happen()
	}
	return s, done, err
}

// TestRefresh_R4: what ended while an answer was on its way is not alive where it was
// made, even if nobody tells of it any more.
func TestRefresh_R4_EndedBeforeItIsKnown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, hold := range map[string]func(*world) (secret.Text, func()){
			"account revoked": func(w *world) (secret.Text, func()) {
				a := w.newAccount()
				return w.activate(a).RefreshToken, func() { w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID)) }
			},
			"API token deleted": func(w *world) (secret.Text, func()) {
				token, tokens := w.apiToken()
				return tokens.RefreshToken, func() { w.must(w.service.DeleteToken(w.ctx(), w.admin, w.org, w.mine(), token.ID)) }
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				refresh, end := hold(w)
				slow := &afterwards{Store: db.OAuth(), happen: func() {}}
				cell := w.own(w.runOn(slow))
				slow.happen = end // which returns when this cell has heard of it
				got, err := cell.Refresh(w.ctx(), from(here), w.snapshot(), "", refresh)
				w.must(err)
				wantProblem(t, cell.use(w.ctx(), got.AccessToken), problem.Unauthenticated)
			})
		}
	})
}
