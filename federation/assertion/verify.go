package assertion

import (
	"crypto/ecdsa"
	"errors"
	"net/http"
	"time"

	"causeway/federation/jws"
	"causeway/internal/problem"
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
	// associated with dst, ours. Its refusals are handed on unchanged.
	KeyFor func(channel tenants.SiteID, src, dst tenants.OrgID) (*ecdsa.PublicKey, error)
	// Use spends an identifier for all cells of this site until a time, and is
	// false for one that was spent. It is asked for what may change something, which
	// is refused without it: reads cost no database anything, and shown to another
	// cell a second time they tell only what they told before.
	Use func(channel tenants.SiteID, id string, until time.Time) (bool, error)
	Now time.Time
}

// Verifier checks assertions and remembers those it has accepted. One Verifier
// serves a cell; its methods may be called at the same time.
type Verifier struct{ seen *replays }

// NewVerifier remembers at most perSite accepted assertions of one site and
// total of all; zero means 65,536 and 262,144, which is 700 and 2,900 requests a
// second. The limit per site keeps one peer from using up what others need.
func NewVerifier(perSite, total int) *Verifier {
	if perSite <= 0 {
		perSite = 1 << 16
	}
	if total <= 0 {
		total = 1 << 18
	}
	return &Verifier{seen: newReplays(perSite, total)}
}

// Verify accepts a token once. An assertion that is not for this channel and
// request is problem.Forbidden, whatever is wrong with it; one outside its time
// is problem.Unavailable, because the clocks are at fault and not the caller; so
// is one too many to remember, since a new assertion may pass a moment later.
func (v *Verifier) Verify(token string, e Expect) (Claims, error) {
	doc, err := jws.Parse(token, typ, maxToken)
	if err != nil {
		return Claims{}, refused(errors.Join(ErrMalformed, err))
	}
	var w wire
	if err := doc.Decode(&w); err != nil {
		return Claims{}, refused(errors.Join(ErrMalformed, err))
	}
	if err := w.fits(e); err != nil {
		return Claims{}, err
	}
	c := w.claims(e.RequestURI)
	key, err := e.KeyFor(e.Channel, c.Src, c.Dst)
	if err != nil {
		return Claims{}, err
	}
	if err := doc.Verify(key); err != nil {
		return Claims{}, refused(errors.Join(ErrSignature, err))
	}
	// Last, so that only what an organization signed takes room in the table.
	if err := v.seen.add(c.Issuer, c.ID, e.Now); err != nil {
		return Claims{}, err
	}
	if safe(e.Method) {
		return c, nil
	}
	if err := e.spend(c.ID); err != nil {
		return Claims{}, err
	}
	return c, nil
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

// fits compares the claims with the request.
func (w wire) fits(e Expect) error {
	if err := w.check(); err != nil {
		return refused(errors.Join(ErrMalformed, err))
	}
	if w.Iss != string(e.Channel) || w.Aud != string(e.Self) || w.Iss == w.Aud {
		return refused(ErrChannel)
	}
	wantBody := e.Body
	if wantBody == "" {
		wantBody = Stream
	}
	if w.Htm != e.Method || w.Htu != hash(e.RequestURI) || (w.Bd != wantBody && w.Bd != Stream) {
		return refused(ErrRequest)
	}
	return w.timely(e.Now)
}

// timely allows clocks to differ by the leeway. exp is required, and a life
// longer than ours is refused: how long a leak matters is the verifier's choice.
func (w wire) timely(now time.Time) error {
	iat, exp := time.Unix(w.Iat, 0), time.Unix(w.Exp, 0)
	if life := w.Exp - w.Iat; life <= 0 || life > int64(lifetime/time.Second) {
		return refused(ErrTime)
	}
	if w.AuthTime < 0 || w.AuthTime > w.Iat+int64(leeway/time.Second) { // vouched for before it was known
		return refused(ErrTime)
	}
	if iat.After(now.Add(leeway)) || !exp.Add(leeway).After(now) {
		return problem.Wrap(ErrTime, problem.Unavailable, "The clocks of the two sites differ too much.").After(5 * time.Second)
	}
	return nil
}

func refused(err error) error {
	return problem.Wrap(err, problem.Forbidden, "The assertion of the other site was refused.")
}
