package apps

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/services"
	"causeway/tenants"
)

// The bounds of what an owner says about an app. Those of clients' documents are
// kept; the rest keeps one app from taking the room of many.
const (
	minID, maxID           = 5, 256
	minSecret, maxSecret   = 32, 256
	secretLength           = 48 // of those made here: 285 bits
	maxDisplayName         = 255
	maxDescription         = 1024
	minTTL, maxTTL         = time.Minute, 300 * time.Minute
	maxRefreshTTL          = 10 * 365 * 24 * time.Hour
	minOverlap, maxOverlap = time.Second, 30 * 24 * time.Hour
	maxScopes              = 500     // entries of a ceiling
	maxEcho                = 8 << 10 // bytes
)

// DefaultTTL is the life of access tokens where the owner does not say.
const DefaultTTL = 10 * time.Minute

// GrantClientCredentials is the grant that an app must have to get a token here.
const GrantClientCredentials = "client_credentials"

var grantTypes = []string{"authorization_code", "refresh_token", GrantClientCredentials}

// ValidID reports whether an app can have this client id.
func ValidID(id string) bool { return len(id) >= minID && len(id) <= maxID && of(id, "-_") }

// of reports whether text is of letters, digits and others.
func of(text, others string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(others, r)
	})
}

// checkSecret judges a secret that a caller chose. Its characters are those that
// mean the same with and without percent-encoding, since clients do either.
func checkSecret(s secret.Text) error {
	if text := s.Reveal(); len(text) < minSecret || len(text) > maxSecret || !of(text, "-_.~") {
		return problem.New(problem.BadRequest, "A secret must be %d to %d characters of A-Z a-z 0-9 - _ . ~", minSecret, maxSecret)
	}
	return nil
}

func checkText(displayName, description string) error {
	if !validDisplayName(displayName) {
		return problem.New(problem.BadRequest, "displayName must be 1 to %d characters: letters, digits, spaces between them, and -_.`':@&", maxDisplayName).In("displayName")
	}
	if utf8.RuneCountInString(description) > maxDescription || strings.ContainsFunc(description, unprintable) {
		return problem.New(problem.BadRequest, "description must be at most %d characters, without control characters.", maxDescription).In("description")
	}
	return nil
}

func validDisplayName(name string) bool {
	return name != "" && name == strings.TrimSpace(name) && utf8.RuneCountInString(name) <= maxDisplayName &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.`':@& ", r)
		})
}

func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }

// check judges what an owner says, without what only the database knows.
func (s Settings) check() error {
	if len(s.GrantTypes) == 0 {
		return problem.New(problem.BadRequest, "grantTypes is required.")
	}
	for _, g := range s.GrantTypes {
		if !slices.Contains(grantTypes, g) {
			return problem.New(problem.BadRequest, "There is no grant type %.64q for apps; there are %s.", g, strings.Join(grantTypes, ", "))
		}
	}
	if s.AccessTTL < minTTL || s.AccessTTL > maxTTL {
		return outOf("accessTokenTTL", minTTL, maxTTL)
	}
	if s.RefreshTTL < 0 || s.RefreshTTL > maxRefreshTTL {
		return outOf("refreshTokenTTL", 0, maxRefreshTTL)
	}
	if s.RotationOverlap != 0 && (s.RotationOverlap < minOverlap || s.RotationOverlap > maxOverlap) {
		return outOf("secretRotationExpirationInSeconds", minOverlap, maxOverlap)
	}
	if echo, err := json.Marshal(s.Echo); err != nil || len(echo) > maxEcho {
		return problem.New(problem.BadRequest, "The other members are more than %d bytes.", maxEcho)
	}
	return checkCeiling(s.Ceiling)
}

func outOf(member string, least, most time.Duration) error {
	return problem.New(problem.BadRequest, "%s must be %d to %d seconds.", member, int64(least.Seconds()), int64(most.Seconds()))
}

func checkCeiling(c services.Ceiling) error {
	entries := len(c.General) + len(c.Org) + len(c.Services)
	for _, s := range c.Services {
		entries += len(s.Roles)
	}
	if entries > maxScopes {
		return problem.New(problem.BadRequest, "allowedScopes has at most %d entries.", maxScopes)
	}
	for _, role := range c.Org {
		if !services.KnownOrgRole(role) {
			return problem.New(problem.BadRequest, "There is no organization role %.64q.", role)
		}
	}
	for _, scope := range c.General {
		if !tenants.ValidName(scope) {
			return problem.New(problem.BadRequest, "%.64q is no general scope.", scope)
		}
	}
	for _, s := range c.Services {
		for _, role := range s.Roles {
			if _, err := tenants.ParseUUID(role.Resource); role.Resource != "" && err != nil {
				return problem.New(problem.BadRequest, "The resource of a role must be the id of a service instance.")
			}
		}
	}
	return nil
}

// checkServices judges the service roles of a ceiling by what services there are. What
// was in it before may be gone since.
func checkServices(r Reader, c, before services.Ceiling) error {
	for _, bound := range c.Services {
		d, err := r.Definition(bound.Definition)
		if problem.Has(err, problem.NotFound) {
			if before.Knows(bound.Definition, "") {
				continue
			}
			return problem.New(problem.BadRequest, "There is no service definition %.64q.", string(bound.Definition))
		}
		if err != nil {
			return err
		}
		for _, role := range bound.Roles {
			if _, known := d.Role(role.Name); !known && !before.Knows(bound.Definition, role.Name) {
				return problem.New(problem.BadRequest, "The service %s has no role %.64q.", d.Name, role.Name)
			}
		}
	}
	return nil
}
