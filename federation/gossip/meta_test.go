package gossip

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"causeway/tenants"
)

const (
	siteA = tenants.SiteID("00000000-0000-4000-8000-00000000000a")
	siteB = tenants.SiteID("00000000-0000-4000-8000-00000000000b")
	siteC = tenants.SiteID("00000000-0000-4000-8000-00000000000c")
	label = "cw-wan/test"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func encode(t testing.TB, m meta, root *ecdsa.PrivateKey) []byte {
	t.Helper()
	raw, err := m.encode(label, root)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func sample() meta {
	return meta{site: siteB, cell: newCellID("cell-1"), boot: 1_796_000_000_000, seq: 3, bundleSeq: 7, head: 1 << 40, addr: "west.example:7443"}
}

func TestMeta_R11(t *testing.T) {
	key := newKey(t)
	m := sample()
	raw := encode(t, m, key)
	if got, err := decode(raw); got != m || err != nil {
		t.Fatal(got, err)
	}
	if !verify(label, raw, &key.PublicKey) {
		t.Fatal("not verified")
	}
	if verify("cw-wan/other", raw, &key.PublicKey) || verify(label, raw, &newKey(t).PublicKey) || verify(label, raw, nil) {
		t.Fatal("verified for another federation or key")
	}
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if verify(label, bad, &key.PublicKey) {
			t.Fatalf("byte %d is not signed", i)
		}
	}
	m.addr = strings.Repeat("a", maxAddr-5) + ":7443"
	if raw := encode(t, m, key); len(raw) != maxMeta {
		t.Fatalf("%d bytes", len(raw))
	}
	m.addr = "a" + m.addr
	if _, err := m.encode(label, key); err == nil {
		t.Fatal("encoded an address that is too long")
	}
	wide := append(bytes.Clone(raw[:headSize-1]), byte(maxAddr+1))
	wide = append(wide, strings.Repeat("a", maxAddr-4)+":7443"...)
	wide = append(wide, make([]byte, sigSize)...)
	for name, bad := range map[string][]byte{
		"empty": nil, "short": raw[:headSize+sigSize-1], "longer": append(bytes.Clone(raw), 0),
		"other version": append([]byte{2}, raw[1:]...), "no address": append(bytes.Clone(raw[:headSize-1]), append([]byte{0}, raw[len(raw)-sigSize:]...)...),
		"huge": make([]byte, 512), "one byte too long": wide,
	} {
		if m, err := decode(bad); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// FuzzDecode: whatever decodes encodes to the same bytes, and no signature holds.
func FuzzDecode(f *testing.F) {
	key := newKey(f)
	f.Add(encode(f, sample(), key))
	f.Add([]byte{})
	f.Add(make([]byte, maxMeta))
	other := newKey(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if verify(label, raw, &other.PublicKey) {
			t.Fatal("a signature nobody made")
		}
		if err != nil {
			return
		}
		again := encode(t, m, key)
		if !bytes.Equal(again[:len(again)-sigSize], raw[:len(raw)-sigSize]) {
			t.Fatalf("%x\n%x", raw, again)
		}
	})
}
