package assertion

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"causeway/federation/jws"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Why an assertion was refused, for the log and the audit; the peer only learns
// what [Verifier.Verify] says.
var (
	ErrMalformed = errors.New("assertion: malformed")
	ErrChannel   = errors.New("assertion: for another site, or from one the channel does not prove")
	ErrRequest   = errors.New("assertion: for another request")
	ErrTime      = errors.New("assertion: expired, or not yet valid")
	ErrSignature = errors.New("assertion: signature")
	ErrReplayed  = errors.New("assertion: used before")
	ErrFull      = errors.New("assertion: too many to remember")
	errUnspent   = errors.New("assertion: nothing to spend its identifier with")
)

// Expect is what the request at hand proves by itself.
type Expect struct {
	// Channel is the site whose certificate the connection showed.
	Channel tenants.SiteID
	Self    tenants.SiteID
	Method  string
	// RequestURI is r.URL.RequestURI(), which is what Mint was given at the other
	// site; r.RequestURI can differ in the spelling of odd characters.
	RequestURI string
	// Body is the digest of a body already read; empty accepts only Stream.
	Body string
	// KeyFor returns the key of src, an organization of the site channel, that is
	// associated with dst, ours. Nothing is proved yet of what it is asked. Its refusals, and Admit's, are
	// handed on unchanged.
	KeyFor func(channel tenants.SiteID, src, dst tenants.OrgID) (*ecdsa.PublicKey, error)
	// Admit has the last word about what is signed, before anything is written for it:
	// a peer must not fill our database with what we refuse. nil admits everybody.
	Admit func(Claims) error
	// Use spends an identifier for all cells of this site until a time, and is
	// false for one that was spent. It is asked for what may change something, which
	// is refused without it: reads cost no database anything, and shown to another
	// cell a second time they tell only what they told before.
	Use func(channel tenants.SiteID, id string, until time.Time) (bool, error)
	Now time.Time
}

// separator stands between an introduction and a ticket; neither can hold it.
const separator = "~"

// introductions is how many verified ones a Verifier remembers; one too many costs
// a signature check.
const introductions = 8192

// Verifier checks assertions and remembers those it has accepted. One Verifier
// serves a cell; its methods may be called at the same time.
type Verifier struct {
	seen *replays
	met  *lru.Cache[[sha256.Size]byte, met]
}

// met is an introduction whose signature was right, the key that proved it, and the
// key of its tickets.
type met struct {
	wire
	by     *ecdsa.PublicKey
	secret [keySize]byte
}

// The usual bounds of a Verifier are 5,800 and 11,600 requests a second, of which the
// limits let fewer cross, and 64 MB.
const (
	usualPerSite = 1 << 19
	usualTotal   = 1 << 20
)

// NewVerifier remembers at most perSite accepted assertions of one site and total of
// all; zero is as many as are usual. The limit per site keeps one peer from using up
// what others need.
func NewVerifier(perSite, total int) *Verifier {
	if perSite <= 0 {
		perSite = usualPerSite
	}
	if total <= 0 {
		total = usualTotal
	}
	known, err := lru.New[[sha256.Size]byte, met](introductions)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Verifier{seen: newReplays(perSite, total), met: known}
}

// Verify accepts a token once. An assertion that is not for this channel and
// request is problem.Forbidden, whatever is wrong with it; one outside its time
// is problem.Unavailable, because the clocks are at fault and not the caller; so
// is one too many to remember, since a new assertion may pass a moment later.
func (v *Verifier) Verify(token string, e Expect) (Claims, error) {
	text, rest, _ := strings.Cut(token, separator)
	t, err := parseTicket(rest)
	if err != nil {
		return Claims{}, refused(errors.Join(ErrMalformed, err))
	}
	hash := secret.Sum(text)
	w, err := v.introduced(text, hash, e)
	if err != nil {
		return Claims{}, err
	}
	if err := t.fits(w, hash, e); err != nil {
		return Claims{}, err
	}
	c := w.claims()
	c.ID, c.IssuedAt, c.Method, c.RequestURI, c.Body = t.id, time.Unix(t.iat, 0).UTC(), e.Method, e.RequestURI, t.body
	// Last, so that only what an organization stands behind takes room in the table.
	if err := v.seen.add(c.Issuer, c.ID, e.Now); err != nil {
		return Claims{}, err
	}
	if e.Admit != nil {
		if err := e.Admit(c); err != nil {
			return Claims{}, err
		}
	}
	if !safe(e.Method) {
		if err := e.spend(c.ID); err != nil {
			return Claims{}, err
		}
	}
	return c, nil
}

// introduced reads an introduction. Whether the organizations are associated, and
// by which key, is asked each time; the signature is checked once for each key.
func (v *Verifier) introduced(text string, hash [sha256.Size]byte, e Expect) (met, error) {
	known, ok := v.met.Get(hash)
	if !ok {
		doc, err := jws.Parse(text, typ, maxToken)
		if err != nil {
			return met{}, refused(errors.Join(ErrMalformed, err))
		}
		if err := doc.Decode(&known.wire); err != nil {
			return met{}, refused(errors.Join(ErrMalformed, err))
		}
		if err := known.check(); err != nil {
			return met{}, refused(errors.Join(ErrMalformed, err))
		}
		decode(known.secret[:], known.Key) // which the check has read
	}
	if err := known.fits(e); err != nil {
		return met{}, err
	}
	key, err := e.KeyFor(e.Channel, tenants.OrgID(known.Src), tenants.OrgID(known.Dst))
	if err != nil {
		return met{}, err
	}
	if known.by != nil && key != nil && (known.by == key || known.by.Equal(key)) {
		return known, nil
	}
	if err := verify(text, key); err != nil {
		return met{}, err
	}
	known.by = key
	v.met.Add(hash, known)
	return known, nil
}

func verify(text string, key *ecdsa.PublicKey) error {
	doc, err := jws.Parse(text, typ, maxToken)
	if err == nil {
		err = doc.Verify(key)
	}
	if err != nil {
		return refused(errors.Join(ErrSignature, err))
	}
	return nil
}

// safe reports whether a request with this method changes nothing (RFC 9110
// §9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// spend is what the memory of one cell cannot do: another cell has its own, and so
// has this one after a restart.
func (e Expect) spend(id string) error {
	if e.Use == nil {
		return refused(errUnspent)
	}
	first, err := e.Use(e.Channel, id, e.Now.Add(remembered))
	switch {
	case err != nil:
		return problem.Wrap(err, problem.Unavailable, "This site cannot say whether the request came before.").After(time.Second)
	case !first:
		return refused(ErrReplayed)
	}
	return nil
}

// fits compares the introduction with the channel and the clock.
func (w wire) fits(e Expect) error {
	if w.Iss != string(e.Channel) || w.Aud != string(e.Self) || w.Iss == w.Aud {
		return refused(ErrChannel)
	}
	// exp is required, and a life longer than ours is refused: how long a leak
	// matters is the verifier's choice.
	if life := w.Exp - w.Iat; life <= 0 || life > int64(lifetime/time.Second) {
		return refused(ErrTime)
	}
	if w.AuthTime < 0 || w.AuthTime > w.Iat+int64(leeway/time.Second) { // vouched for before it was known
		return refused(ErrTime)
	}
	return within(time.Unix(w.Iat, 0), time.Unix(w.Exp, 0), e.Now)
}

// within allows clocks to differ by the leeway.
func within(iat, exp, now time.Time) error {
	if iat.After(now.Add(leeway)) || !exp.Add(leeway).After(now) {
		return problem.Wrap(ErrTime, problem.Unavailable, "The clocks of the two sites differ too much.").After(5 * time.Second)
	}
	return nil
}

func refused(err error) error {
	return problem.Wrap(err, problem.Forbidden, "The assertion of the other site was refused.")
}
