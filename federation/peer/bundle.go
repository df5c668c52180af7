package peer

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"causeway/federation/jws"
	"causeway/tenants"
)

// BundlePath is where a site answers with its bundle, under the origin of its
// RestEndpoint. Anybody may read it: there is nothing in it but addresses.
const BundlePath = "/federation/v1/bundle"

const (
	bundleType = "cw-bundle+jwt"
	maxBundle  = 8 << 10
	// maxSeq is what JSON's readers agree on (RFC 8259 §6).
	maxSeq = 1 << 53
	// A hint below this would have peers ask all day, above it never again.
	minHint, maxHint = 30 * time.Second, 24 * time.Hour
)

// Bundle is what a site says of itself, signed with its root key: where its peers
// can reach it, and what else proves it.
type Bundle struct {
	Site        tenants.SiteID
	Name        string
	Peer        []string // host:port
	Seq         uint64   // only grows
	RefreshHint time.Duration
	IssuedAt    time.Time

	Key *ecdsa.PublicKey // that signed this; SignBundle sets it
	// Next is announced to sign later, Last signed before and has leaves in use.
	// Either may be nil.
	Next, Last *ecdsa.PublicKey
	// Succession is what the key before Key says of it ([SignSuccession]), if that
	// still counts.
	Succession string
}

type bundleWire struct {
	Site        string   `json:"site"`
	Name        string   `json:"name"`
	Peer        []string `json:"peer"`
	Seq         uint64   `json:"seq"`
	RefreshHint int64    `json:"refresh_hint"` // seconds
	Iat         int64    `json:"iat"`
	Key         string   `json:"key,omitempty"`
	Next        string   `json:"next,omitempty"`
	Last        string   `json:"last,omitempty"`
	Succession  string   `json:"succession,omitempty"`
}

// SignBundle writes b for others to verify.
func SignBundle(root *ecdsa.PrivateKey, b Bundle) (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	w := bundleWire{
		Site: string(b.Site), Name: b.Name, Peer: b.Peer, Seq: b.Seq,
		RefreshHint: int64(b.RefreshHint / time.Second), Iat: b.IssuedAt.Unix(), Succession: b.Succession,
	}
	var errs [3]error
	w.Key, errs[0] = encodeKey(&root.PublicKey)
	w.Next, errs[1] = encodeKey(b.Next)
	w.Last, errs[2] = encodeKey(b.Last)
	if err := errors.Join(errs[:]...); err != nil {
		return "", err
	}
	return jws.Sign(root, bundleType, w)
}

// readBundle takes a bundle of site apart and finds the one of keys that signed it.
// It knows neither what came before nor what the keys are worth.
func readBundle(token string, site tenants.SiteID, keys func(Bundle) Keys) (Bundle, error) {
	doc, err := jws.Parse(token, bundleType, maxBundle)
	if err != nil {
		return Bundle{}, err
	}
	var w bundleWire
	if err := doc.Decode(&w); err != nil {
		return Bundle{}, err
	}
	b, err := w.bundle(site)
	if err != nil {
		return Bundle{}, err
	}
	for _, key := range keys(b) {
		if doc.Verify(key.PublicKey) == nil {
			b.Key = key.PublicKey
			return b, b.check()
		}
	}
	return Bundle{}, errBundleKey
}

var errBundleKey = errors.New("peer: the bundle is not signed by the site's root key")

func (w bundleWire) bundle(site tenants.SiteID) (Bundle, error) {
	if w.Site != string(site) {
		return Bundle{}, errors.New("peer: the bundle is another site's")
	}
	if w.Seq > maxSeq {
		return Bundle{}, errors.New("peer: the bundle's number leaves none for the next")
	}
	hint := max(minHint/time.Second, min(maxHint/time.Second, time.Duration(w.RefreshHint)))
	b := Bundle{
		Site: site, Name: w.Name, Peer: w.Peer, Seq: w.Seq, Succession: w.Succession,
		RefreshHint: hint * time.Second, IssuedAt: time.Unix(w.Iat, 0).UTC(),
	}
	var errs [3]error
	b.Key, errs[0] = decodeKey(w.Key)
	b.Next, errs[1] = decodeKey(w.Next)
	b.Last, errs[2] = decodeKey(w.Last)
	return b, errors.Join(errs[:]...)
}

func (b Bundle) check() error {
	if len(b.Peer) == 0 || len(b.Peer) > maxCandidates {
		return fmt.Errorf("peer: a bundle has 1 to %d addresses", maxCandidates)
	}
	for _, addr := range b.Peer {
		if err := CheckAddr(addr); err != nil {
			return err
		}
	}
	return nil
}

// CheckAddr accepts host:port with a numeric port, of bounded length.
func CheckAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || len(addr) > 255 {
		return errors.New("peer: not an address host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("peer: not a port number")
	}
	for _, c := range []byte(host) {
		if c <= ' ' || c > '~' || c == '/' || c == '@' || c == '\\' {
			return errors.New("peer: not a host name")
		}
	}
	return nil
}
