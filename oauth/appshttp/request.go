package appshttp

import (
	"encoding/json"
	"maps"
	"strings"
	"time"
	"unicode"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth/apps"
)

// appRequest is what an owner says of an app. What is nil was not said.
type appRequest struct {
	ID          string      `json:"id"`
	Secret      secret.Text `json:"secret"`
	DisplayName *string     `json:"displayName"`
	Description *string     `json:"description"`
	GrantTypes  []string    `json:"grantTypes"`
	Scopes      *scopes     `json:"allowedScopes"`
	AccessTTL   *int64      `json:"accessTokenTTL"`
	RefreshTTL  *int64      `json:"refreshTokenTTL"`
	OwnerOnly   *bool       `json:"ownerOnlySecretRotation"`
	Overlap     *int64      `json:"secretRotationExpirationInSeconds"`
	// Echo is all else, which clients want to find again.
	Echo map[string]any `json:"-"`
}

// spoken are the members that mean something here, in requests or answers, in lower
// case: none of them is an echo.
var spoken = map[string]bool{
	"id": true, "secret": true, "clientid": true, "clientsecret": true, "displayname": true, "description": true, "granttypes": true,
	"allowedscopes": true, "accesstokenttl": true, "refreshtokenttl": true, "owneronlysecretrotation": true,
	"secretrotationexpirationinseconds": true, "organizationid": true, "createdat": true, "createdby": true,
	"lastupdatedat": true, "lastupdatedby": true, "immutable": true, "servicedefinitionid": true, "oldsecretexpiresat": true,
}

// maxEchoed is how many other members there can be.
const maxEchoed = 40

func (q *appRequest) UnmarshalJSON(body []byte) error {
	type plain appRequest
	if err := json.Unmarshal(body, (*plain)(q)); err != nil {
		return err
	}
	if err := json.Unmarshal(body, &q.Echo); err != nil {
		return err
	}
	maps.DeleteFunc(q.Echo, func(name string, _ any) bool { return spoken[folded(name)] })
	if name, found := confidential(q.Echo); found {
		return problem.New(problem.BadRequest, "%.64q means nothing here, and would be shown to everybody who reads the app.", name)
	}
	if len(q.Echo) > maxEchoed {
		return problem.New(problem.BadRequest, "There are more than %d other members.", maxEchoed)
	}
	return nil
}

// folded is name as JSON is matched with it, where even ſ and the Kelvin sign are letters.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// settings are members of clients' requests that name a token and are none.
var settings = map[string]bool{"maxgroupsinidtoken": true, "tokenendpointauthmethod": true}

// confidential is a member, however deep, that is named like what nobody wants to find
// again. Null takes such a one away.
func confidential(echo any) (name string, found bool) {
	switch v := echo.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner != nil && namesSecret(name) {
				return name, true
			}
			if deep, found := confidential(inner); found {
				return deep, true
			}
		}
	case []any:
		for _, inner := range v {
			if deep, found := confidential(inner); found {
				return deep, true
			}
		}
	}
	return "", false
}

func namesSecret(name string) bool {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, folded(name))
	if settings[name] || strings.HasSuffix(name, "ttl") {
		return false
	}
	return strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "token")
}

func missing(member string) error { return problem.New(problem.BadRequest, "%s is required.", member) }

// required are the members without which no request is complete.
func (q appRequest) required() error {
	switch {
	case q.DisplayName == nil:
		return missing("displayName")
	case q.Description == nil:
		return missing("description")
	case q.GrantTypes == nil:
		return missing("grantTypes")
	}
	return nil
}

func (q appRequest) draft() (apps.Draft, error) {
	if err := q.required(); err != nil {
		return apps.Draft{}, err
	}
	if q.Scopes == nil {
		return apps.Draft{}, missing("allowedScopes")
	}
	d := apps.Draft{ID: q.ID, Secret: q.Secret, DisplayName: *q.DisplayName, Description: *q.Description}
	return d, q.settle(&d.Settings)
}

// change makes a change of the app of what was said. Whole objects come back, so what
// cannot be changed is passed over; but a secret must not look changed.
func (q appRequest) change(c *apps.Change) error {
	if err := q.required(); err != nil {
		return err
	}
	if q.Secret != "" {
		return problem.New(problem.BadRequest, "The secret is changed at /secret below the app.")
	}
	c.DisplayName, c.Description = *q.DisplayName, *q.Description
	return q.settle(&c.Settings)
}

func (q appRequest) settle(s *apps.Settings) (err error) {
	s.GrantTypes = q.GrantTypes
	if q.Scopes != nil {
		if s.Ceiling, err = q.Scopes.ceiling(); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		given *int64
		to    *time.Duration
		name  string
		zero  bool // may be
	}{
		{q.AccessTTL, &s.AccessTTL, "accessTokenTTL", false},
		{q.RefreshTTL, &s.RefreshTTL, "refreshTokenTTL", true},
		{q.Overlap, &s.RotationOverlap, "secretRotationExpirationInSeconds", true},
	} {
		if d.given == nil {
			continue
		}
		if *d.given < 0 || *d.given > mostSeconds || *d.given == 0 && !d.zero {
			return problem.New(problem.BadRequest, "%s is out of range.", d.name)
		}
		*d.to = time.Duration(*d.given) * time.Second
	}
	if q.OwnerOnly != nil {
		s.OwnerOnlyRotation = *q.OwnerOnly
	}
	s.Echo = echoed(s.Echo, q.Echo)
	return nil
}

// mostSeconds keeps a duration from overflowing; the domain's bounds are far below.
const mostSeconds = 1 << 32

// echoed is what was echoed before with what was said now; null takes away.
func echoed(before, said map[string]any) map[string]any {
	if len(said) == 0 {
		return before
	}
	all := maps.Clone(before)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, said)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	if len(all) == 0 {
		return nil
	}
	return all
}
