package peer

import (
	"crypto/ecdsa"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"causeway/federation/jws"
	"causeway/tenants"
)

var bundleTime = time.Unix(1_796_000_000, 0).UTC()

// said is what a site signs in one phase of a succession.
func said(t testing.TB, by *ecdsa.PrivateKey, change func(*Bundle)) string {
	t.Helper()
	b := bundle()
	b.IssuedAt = bundleTime
	if change != nil {
		change(&b)
	}
	token, err := SignBundle(by, b)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func vouch(t testing.TB, by *ecdsa.PrivateKey, site tenants.SiteID, next *ecdsa.PrivateKey) string {
	t.Helper()
	token, err := SignSuccession(by, site, &next.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestSuccession_R10: publish, use, retire, as a site sees it that asks in each
// phase.
func TestSuccession_R10(t *testing.T) {
	a, b := newKey(t), newKey(t)
	pins := Pins{Site: west, Current: &a.PublicKey}
	proves := func(what string, want ...*ecdsa.PrivateKey) {
		t.Helper()
		keys := pins.Keys()
		if len(keys) != len(want) {
			t.Errorf("%s: %d keys prove the site, want %d", what, len(keys), len(want))
		}
		for _, k := range want {
			if !keys.Have(&k.PublicKey) {
				t.Errorf("%s: a key is missing", what)
			}
		}
	}
	accept := func(what, token string) {
		t.Helper()
		_, next, err := pins.Accept(token, bundleTime)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		pins = next
	}
	proves("associated", a)
	accept("before", said(t, a, nil))
	proves("before", a)
	accept("published", said(t, a, func(x *Bundle) { x.Seq, x.Next = 8, &b.PublicKey }))
	proves("published", a, b)
	announced := pins
	accept("in use", said(t, b, func(x *Bundle) { x.Seq, x.Last = 8, &a.PublicKey }))
	proves("in use", b, a)
	if _, _, err := pins.Accept(said(t, a, func(x *Bundle) { x.Seq, x.Next = 99, &b.PublicKey }), bundleTime); !errors.Is(err, ErrSuccession) {
		t.Errorf("a bundle of the key before: %v", err)
	}
	accept("retired", said(t, b, func(x *Bundle) { x.Seq = 9 }))
	proves("retired", b)

	pins = announced
	accept("straight from published to retired", said(t, b, func(x *Bundle) { x.Seq = 9 }))
	proves("straight from published to retired", b)
}

// TestApartThroughRotations_R10: one rotation is bridged by what the old key says
// about the new one; two are not.
func TestApartThroughRotations_R10(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	first := Pins{Site: west, Current: &a.PublicKey, Seq: 7}
	knowsNext := Pins{Site: west, Current: &a.PublicKey, Next: &b.PublicKey, Seq: 7}
	toB := said(t, b, func(x *Bundle) { x.Seq, x.Succession = 9, vouch(t, a, west, b) })
	toC := said(t, c, func(x *Bundle) { x.Seq, x.Succession = 11, vouch(t, b, west, c) })
	for _, tt := range []struct {
		what  string
		pins  Pins
		token string
		want  error
	}{
		{"one rotation", first, toB, nil},
		{"one rotation since the announcement", knowsNext, toC, nil},
		{"two rotations", first, toC, ErrSuccession},
		{"an emergency: nothing vouches", first, said(t, b, func(x *Bundle) { x.Seq = 9 }), ErrSuccession},
		{"an emergency after the announcement", knowsNext, said(t, b, func(x *Bundle) { x.Seq = 9 }), nil},
	} {
		_, next, err := tt.pins.Accept(tt.token, bundleTime)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.what, err)
		}
		if err != nil && !next.same(tt.pins) {
			t.Errorf("%s: what is pinned changed", tt.what)
		}
	}
}

// TestHostileBundles_R10_R11: nothing that somebody else signed, or that was true
// once, changes what is pinned.
func TestHostileBundles_R10_R11(t *testing.T) {
	a, b, evil := newKey(t), newKey(t), newKey(t)
	pins := Pins{Site: west, Current: &a.PublicKey, Next: &b.PublicKey, Seq: 7}
	wire := func(by *ecdsa.PrivateKey, change map[string]any) string {
		doc := map[string]any{"site": west, "peer": []string{"a:1"}, "seq": 8, "iat": bundleTime.Unix()}
		for k, v := range change {
			doc[k] = v
		}
		token, err := jws.Sign(by, bundleType, doc)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	key := func(k *ecdsa.PrivateKey) string { text, _ := encodeKey(&k.PublicKey); return text }
	for what, token := range map[string]string{
		"a stranger's":                      said(t, evil, func(x *Bundle) { x.Seq = 9 }),
		"a stranger's that claims the key":  wire(evil, map[string]any{"key": key(a)}),
		"a stranger's next":                 wire(evil, map[string]any{"key": key(a), "next": key(evil)}),
		"vouched for by itself":             said(t, evil, func(x *Bundle) { x.Seq, x.Succession = 9, vouch(t, evil, west, evil) }),
		"vouched for at another site":       said(t, evil, func(x *Bundle) { x.Seq, x.Succession = 9, vouch(t, a, east, evil) }),
		"vouched for is another key":        said(t, evil, func(x *Bundle) { x.Seq, x.Succession = 9, vouch(t, a, west, b) }),
		"a bundle as a voucher":             said(t, evil, func(x *Bundle) { x.Seq, x.Succession = 9, said(t, a, nil) }),
		"older":                             said(t, a, func(x *Bundle) { x.Seq = 6 }),
		"older, by the next key":            said(t, b, func(x *Bundle) { x.Seq = 6 }),
		"signed long ago":                   said(t, a, func(x *Bundle) { x.IssuedAt = bundleTime.Add(-time.Hour) }),
		"signed in the future":              said(t, a, func(x *Bundle) { x.IssuedAt = bundleTime.Add(time.Hour) }),
		"another site's, with the same key": said(t, a, func(x *Bundle) { x.Site = east }),
		"a number that leaves none":         wire(a, map[string]any{"seq": uint64(1) << 60}),
		"a next that is no key":             wire(a, map[string]any{"next": "AAAA"}),
		"a last that is no key":             wire(a, map[string]any{"last": "?"}),
		"a key that is no key":              wire(a, map[string]any{"key": "AAAA"}),
		"nothing":                           "",
		"what one key says about another":   vouch(t, a, west, b),
	} {
		if _, next, err := pins.Accept(token, bundleTime); err == nil || !next.same(pins) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPinsFollowOnlyPinnedKeys_R10 plays random histories of a site and of
// somebody who has every key that is not the site's current or announced one. Who
// follows never pins a key that the site did not introduce with one that was
// pinned, and never goes back to a lower number.
func TestPinsFollowOnlyPinnedKeys_R10(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	keys := make([]*ecdsa.PrivateKey, 6)
	for i := range keys {
		keys[i] = newKey(t)
	}
	for range 200 {
		pins := Pins{Site: west, Current: &keys[0].PublicKey}
		for range 12 {
			by, next := keys[r.IntN(len(keys))], keys[r.IntN(len(keys))]
			voucher := keys[r.IntN(len(keys))]
			seq := r.Uint64N(20)
			token := said(t, by, func(x *Bundle) {
				x.Seq, x.Next = seq, &next.PublicKey
				if r.IntN(3) == 0 {
					x.Succession = vouch(t, voucher, west, keys[r.IntN(len(keys))])
				}
			})
			b, after, err := pins.Accept(token, bundleTime)
			pinned := NewKeys(pins.Current, pins.Next)
			entitled := pinned.Have(&by.PublicKey) || pinned.succeeds(b.Succession, west, &by.PublicKey)
			switch {
			case err == nil && (!entitled || after.Seq < pins.Seq || !after.Current.Equal(&by.PublicKey)):
				t.Fatalf("accepted from %+v to %+v", pins, after)
			case err != nil && pinned.Have(&by.PublicKey) && seq >= pins.Seq:
				t.Fatalf("refused what a pinned key signed: %v", err)
			case err != nil && !after.same(pins):
				t.Fatal("refused, and changed")
			}
			pins = after
		}
	}
}

func FuzzAccept(f *testing.F) {
	key, other := newKey(f), newKey(f)
	pins := Pins{Site: west, Current: &key.PublicKey, Seq: 8}
	f.Add(said(f, other, func(b *Bundle) { b.Seq, b.Succession = 9, "a.b.c" }))
	f.Add(said(f, key, func(b *Bundle) { b.Seq = 7 }))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, after, err := pins.Accept(token, bundleTime); err == nil || !after.same(pins) {
			t.Errorf("accepted %q", token)
		}
	})
}
