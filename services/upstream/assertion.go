package upstream

import (
	"context"
	"time"

	"causeway/services"
	"causeway/tenants"
)

const (
	// assertionLife is how long what is signed is good.
	assertionLife = 2 * time.Minute
	// assertionUse is how long it is used: an instance gets none that is about to end.
	assertionUse = time.Minute
	// assertionsKept is about 16 MB.
	assertionsKept = 16 << 10
)

// Assertion is what an instance can verify of an identity, by the keys at
// /.well-known/causeway-instance-keys: the headers say the same, to who trusts the
// network between.
type Assertion struct {
	Issuer      string              `json:"iss"`
	Audience    services.InstanceID `json:"aud"`
	Subject     string              `json:"sub"` // as X-Causeway-Principal
	IssuedAt    int64               `json:"iat"`
	NotBefore   int64               `json:"nbf"`
	ExpiresAt   int64               `json:"exp"`
	Org         tenants.OrgID       `json:"org"`
	Site        tenants.SiteID      `json:"site"`
	Name        string              `json:"name"`
	Via         tenants.SiteID      `json:"via,omitempty"` // the site whose principal it is
	Account     string              `json:"service_account,omitempty"`
	Groups      []string            `json:"groups,omitempty"`
	Permissions string              `json:"permissions"`
}

// assertionKey is all that an assertion says. It says nothing of the session: many
// tokens of one app share what was signed.
type assertionKey struct {
	instance    services.InstanceID
	org         tenants.OrgID
	permissions string
	account     string
	via         tenants.SiteID
	kind        tenants.PrincipalKind
	principal   string
	name        string
}

type assertion struct {
	token string
	until time.Time
}

// assert puts into id what its instance can verify. What was signed for the same
// principal a moment ago is used again: most requests sign nothing.
func (p *Proxy) assert(ctx context.Context, in *Instance, id *Identity) error {
	if in.Service == nil {
		return nil
	}
	id.instance = in.Service.ID
	if p.sign == nil || id.Effect == nil {
		return nil
	}
	who, now := &id.Principal, p.now()
	key := assertionKey{id.instance, id.Org.ID, id.Permissions, id.Account, who.Via, who.Kind, who.ID, who.Name}
	a, ok := p.assertions.Get(key)
	if !ok || !now.Before(a.until) {
		if ok {
			p.assertions.ForgetKey(key)
		}
		var err error
		a, err = p.assertions.Fill(ctx, key, func() (assertion, error) {
			p.counts.signed.Add(1)
			token, err := p.sign(ctx, p.says(id, now))
			return assertion{token, now.Add(assertionUse)}, err
		})
		if err != nil {
			return err
		}
	}
	id.assertion = a.token
	return nil
}

func (p *Proxy) says(id *Identity, now time.Time) Assertion {
	who := &id.Principal
	a := Assertion{
		Issuer: p.issuer, Audience: id.instance, Subject: string(who.Kind) + ":" + who.ID,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), ExpiresAt: now.Add(assertionLife).Unix(),
		Org: id.Org.ID, Site: p.site, Name: who.Name, Via: who.Via, Account: id.Account, Permissions: id.Permissions,
	}
	if id.Account != "" {
		a.Groups = []string{GroupAccounts}
	}
	return a
}
