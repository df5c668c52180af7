package peer

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net"
	"slices"
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
	// A hint below this would have peers ask all day, above it never again.
	minHint, maxHint = 30 * time.Second, 24 * time.Hour
)

// Bundle is where a site says its peers can reach it, signed with its root key.
type Bundle struct {
	Site        tenants.SiteID
	Name        string
	Peer        []string // host:port
	Seq         uint64   // only grows
	RefreshHint time.Duration
	IssuedAt    time.Time
}

type bundleWire struct {
	Site        string   `json:"site"`
	Name        string   `json:"name"`
	Peer        []string `json:"peer"`
	Seq         uint64   `json:"seq"`
	RefreshHint int64    `json:"refresh_hint"` // seconds
	Iat         int64    `json:"iat"`
}

// SignBundle writes b for others to verify.
func SignBundle(root *ecdsa.PrivateKey, b Bundle) (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	return jws.Sign(root, bundleType, bundleWire{
		Site: string(b.Site), Name: b.Name, Peer: b.Peer, Seq: b.Seq,
		RefreshHint: int64(b.RefreshHint / time.Second), Iat: b.IssuedAt.Unix(),
	})
}

// VerifyBundle reads the bundle of site, signed with a key its association
// pins. It does not know what came before: a caller that does refuses a lower Seq.
func VerifyBundle(token string, site tenants.SiteID, pinned Keys) (Bundle, error) {
	doc, err := jws.Parse(token, bundleType, maxBundle)
	if err != nil {
		return Bundle{}, err
	}
	if !slices.ContainsFunc(pinned, func(k Key) bool { return doc.Verify(k.PublicKey) == nil }) {
		return Bundle{}, errors.New("peer: the bundle is not signed by the site's root key")
	}
	var w bundleWire
	if err := doc.Decode(&w); err != nil {
		return Bundle{}, err
	}
	if w.Site != string(site) {
		return Bundle{}, errors.New("peer: the bundle is another site's")
	}
	hint := max(minHint/time.Second, min(maxHint/time.Second, time.Duration(w.RefreshHint)))
	b := Bundle{
		Site: site, Name: w.Name, Peer: w.Peer, Seq: w.Seq,
		RefreshHint: hint * time.Second, IssuedAt: time.Unix(w.Iat, 0).UTC(),
	}
	return b, b.check()
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
