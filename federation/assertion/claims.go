package assertion

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"causeway/tenants"
)

// Header carries the assertion. The forwarding site sets it after removing
// whatever a client sent under that name.
const Header = "X-Causeway-Assertion"

// typ sets these tokens apart from every other that an organization's key signs.
const typ = "cw-fwd+jwt"

const (
	// lifetime and leeway add up to the 60 seconds after which an assertion that
	// leaked is worth nothing, and leave room for clocks that differ by leeway.
	lifetime = 30 * time.Second
	leeway   = 30 * time.Second
	// maxToken is several times the size of a real one.
	maxToken = 4 << 10
	// maxName is the longest a name in a claim may be, in bytes.
	maxName = 255
)

// Longest is how long after its issue, by the issuer's clock, an assertion can
// still be accepted: its life, the leeway, and as much by which the other site's
// clock may lag behind.
const Longest = lifetime + 2*leeway

// Stream as Claims.Body says that the body is not digested: its integrity is the
// channel's. Bodies are passed on while they arrive.
const Stream = "stream"

// SubjectType tells whose name the subject is.
type SubjectType string

const (
	User           SubjectType = "user"
	ServiceAccount SubjectType = "sa"
	// App is a server-to-server app; the subject is its client id, which means
	// something together with its home.
	App SubjectType = "app"
)

// Claims are what one assertion says.
type Claims struct {
	Issuer, Audience tenants.SiteID
	// Src is the principal's organization at the issuer, Dst the one to act in.
	Src, Dst tenants.OrgID
	SrcName  string

	SubjectType SubjectType
	Subject     string // name in Src, or an app's client id
	SoftwareID  string // of a service account; empty for a user
	IdP         string // how a user is known at home; a name only maps to its like
	Session     string // SessionHash; for the audit of both sites
	AuthTime    time.Time

	Method     string
	RequestURI string // as r.URL.RequestURI() has it
	Body       string // Stream or BodyDigest

	// ID is 128 random bits of Mint's; IssuedAt is the request's own time.
	ID       string
	IssuedAt time.Time
}

// wire is the JSON of an introduction. Times are whole seconds.
type wire struct {
	Iss      string `json:"iss"`
	Aud      string `json:"aud"`
	Iat      int64  `json:"iat"`
	Exp      int64  `json:"exp"`
	Src      string `json:"src"`
	Dst      string `json:"dst"`
	SrcName  string `json:"src_name,omitempty"`
	Styp     string `json:"styp"`
	Sub      string `json:"sub"`
	Swid     string `json:"swid,omitempty"`
	Idp      string `json:"idp,omitempty"`
	Sid      string `json:"sid,omitempty"`
	Hop      int    `json:"hop"`
	AuthTime int64  `json:"auth_time,omitempty"`
	// Key is what tickets are made with. Only the two sites see it.
	Key string `json:"key"`
}

func newWire(c Claims, key string) wire {
	w := wire{
		Iss: string(c.Issuer), Aud: string(c.Audience),
		Iat: c.IssuedAt.Unix(), Exp: c.IssuedAt.Add(lifetime).Unix(),
		Src: string(c.Src), Dst: string(c.Dst), SrcName: c.SrcName,
		Styp: string(c.SubjectType), Sub: c.Subject, Swid: c.SoftwareID, Idp: c.IdP, Sid: c.Session,
		Hop: 1, Key: key,
	}
	if !c.AuthTime.IsZero() {
		w.AuthTime = c.AuthTime.Unix()
	}
	return w
}

func (w wire) claims() Claims {
	c := Claims{
		Issuer: tenants.SiteID(w.Iss), Audience: tenants.SiteID(w.Aud),
		Src: tenants.OrgID(w.Src), Dst: tenants.OrgID(w.Dst), SrcName: w.SrcName,
		SubjectType: SubjectType(w.Styp), Subject: w.Sub, SoftwareID: w.Swid, IdP: w.Idp, Session: w.Sid,
	}
	if w.AuthTime != 0 {
		c.AuthTime = time.Unix(w.AuthTime, 0).UTC()
	}
	return c
}

// SessionHash names a session without giving it away.
func SessionHash(id tenants.SessionID) string { return hash("session\x00" + string(id)) }

// BodyDigest is what Claims.Body holds of a body that was read before.
func BodyDigest(body []byte) string { return hash(string(body)) }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// check is what both sides ask of the claims whatever the request is.
func (w wire) check() error {
	switch {
	case !uuids(w.Iss, w.Aud, w.Src, w.Dst):
		return errors.New("a site or organization is not a UUID")
	case !plain(w.Sub) || w.Sub == "" || !plain(w.SrcName) || !plain(w.Idp) || !plain(w.Swid) || !plain(w.Sid):
		return errors.New("a name is empty, too long or not text")
	case w.Styp != string(User) && w.Styp != string(ServiceAccount) && w.Styp != string(App):
		return errors.New("unknown subject type")
	case (w.Styp == string(ServiceAccount)) != (w.Swid != ""):
		return errors.New("a software id belongs to service accounts, and they need one")
	case w.Hop != 1:
		return errors.New("not the first hop")
	case !decode(new([keySize]byte)[:], w.Key):
		return errors.New("the key has another size")
	}
	return nil
}
