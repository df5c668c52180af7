package assertion

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/federation/jws"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	siteA = tenants.SiteID("00000000-0000-4000-8000-00000000000a")
	siteB = tenants.SiteID("00000000-0000-4000-8000-00000000000b")
	siteC = tenants.SiteID("00000000-0000-4000-8000-00000000000c")
	src   = tenants.OrgID("10000000-0000-4000-8000-000000000001")
	dst   = tenants.OrgID("20000000-0000-4000-8000-000000000002")
	uri   = "/cloudapi/1.0.0/roles?page=1&filter=name==a%20b"
)

var issued = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func claims() Claims {
	return Claims{
		Issuer: siteA, Audience: siteB, Src: src, Dst: dst, SrcName: "Acme",
		SubjectType: ServiceAccount, Subject: "backup", SoftwareID: "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99",
		Session: SessionHash("s"), AuthTime: issued.Add(-time.Hour),
		Method: "GET", RequestURI: uri, Body: Stream, IssuedAt: issued,
	}
}

func expect(key *ecdsa.PublicKey) Expect {
	return Expect{
		Channel: siteA, Self: siteB, Method: "GET", RequestURI: uri, Now: issued.Add(time.Second),
		KeyFor: func(channel tenants.SiteID, s, d tenants.OrgID) (*ecdsa.PublicKey, error) {
			if channel == siteA && s == src && d == dst {
				return key, nil
			}
			return nil, problem.New(problem.Forbidden, "not associated")
		},
	}
}

// expectChange is for a request that may change something.
func expectChange(key *ecdsa.PublicKey, use func(tenants.SiteID, string, time.Time) (bool, error)) Expect {
	e := expect(key)
	e.Method, e.Use = "POST", use
	return e
}

// TestChangeIsSpentForAllCells_R10: what may change something is refused by a
// second cell, and where no cell can know.
func TestChangeIsSpentForAllCells_R10(t *testing.T) {
	key := newKey(t)
	spent := map[string]bool{}
	var until time.Time
	use := func(site tenants.SiteID, id string, end time.Time) (bool, error) {
		first := !spent[string(site)+id]
		spent[string(site)+id], until = true, end
		return first, nil
	}
	c := claims()
	c.Method = "POST"
	token := mint(t, key, c)
	if _, err := NewVerifier(0, 0).Verify(token, expectChange(&key.PublicKey, use)); err != nil {
		t.Fatal(err)
	}
	e := expectChange(&key.PublicKey, use)
	if last := c.IssuedAt.Add(lifetime + leeway); until.Before(last) {
		t.Errorf("forgotten at %v, and good until %v", until, last)
	}
	if _, err := NewVerifier(0, 0).Verify(token, e); !errors.Is(err, ErrReplayed) || !problem.Has(err, problem.Forbidden) {
		t.Errorf("another cell: %v", err)
	}
	for what, use := range map[string]func(tenants.SiteID, string, time.Time) (bool, error){
		"nothing to spend with": nil,
		"no database":           func(tenants.SiteID, string, time.Time) (bool, error) { return true, errors.New("away") },
	} {
		if got, err := NewVerifier(0, 0).Verify(mint(t, key, c), expectChange(&key.PublicKey, use)); err == nil || got.ID != "" {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} { // reads ask no database
		c.Method = method
		e := expectChange(&key.PublicKey, nil)
		e.Method = method
		if _, err := NewVerifier(0, 0).Verify(mint(t, key, c), e); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestForgedChangesSpendNothing_R10_R13: the database is asked for what an
// associated organization signed, and for nothing else.
func TestForgedChangesSpendNothing_R10_R13(t *testing.T) {
	key := newKey(t)
	c := claims()
	c.Method = "DELETE"
	e := expectChange(&key.PublicKey, func(tenants.SiteID, string, time.Time) (bool, error) {
		t.Error("asked")
		return true, nil
	})
	e.Method = "DELETE"
	if _, err := NewVerifier(0, 0).Verify(mint(t, newKey(t), c), e); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
}

// TestRefusedChangesSpendNothing_R13: what is signed and not admitted writes nothing,
// and what is not signed is not even asked about.
func TestRefusedChangesSpendNothing_R13(t *testing.T) {
	key := newKey(t)
	c := claims()
	c.Method = "POST"
	asked := 0
	e := expectChange(&key.PublicKey, func(tenants.SiteID, string, time.Time) (bool, error) {
		t.Error("spent")
		return true, nil
	})
	e.Admit = func(got Claims) error {
		asked++
		if got.Subject != c.Subject || got.Src != src || got.Dst != dst {
			t.Errorf("asked about %+v", got)
		}
		return errGone
	}
	if got, err := NewVerifier(0, 0).Verify(mint(t, key, c), e); !errors.Is(err, errGone) || got.ID != "" || asked != 1 {
		t.Errorf("asked %d times: %+v, %v", asked, got, err)
	}
	if _, err := NewVerifier(0, 0).Verify(mint(t, newKey(t), c), e); !errors.Is(err, ErrSignature) || asked != 1 {
		t.Errorf("a forged one: asked %d times, %v", asked, err)
	}
}

// TestAuthTime_R5: nobody is vouched for who is yet to log in.
func TestAuthTime_R5(t *testing.T) {
	key := newKey(t)
	for after, ok := range map[time.Duration]bool{-time.Hour: true, 0: true, leeway: true, leeway + time.Second: false, time.Hour: false} {
		c := claims()
		c.AuthTime = c.IssuedAt.Add(after)
		if _, err := NewVerifier(0, 0).Verify(mint(t, key, c), expect(&key.PublicKey)); (err == nil) != ok {
			t.Errorf("%v: %v", after, err)
		}
	}
}

func mint(t testing.TB, key *ecdsa.PrivateKey, c Claims) string {
	t.Helper()
	token, err := Mint(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVerifyReturnsWhatWasMinted_R10_VCD39(t *testing.T) {
	key := newKey(t)
	token := mint(t, key, claims())
	got, err := NewVerifier(0, 0).Verify(token, expect(&key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	want := claims()
	want.ID = got.ID
	if got != want || len(got.ID) != 22 {
		t.Fatalf("%+v\n%+v", got, want)
	}
	if len(token) > 1200 {
		t.Errorf("%d bytes", len(token))
	}
}

// TestTamperedClaims_R5_R10 signs each change with the right key: the claims
// must be wrong by themselves, not only by their signature.
func TestTamperedClaims_R5_R10(t *testing.T) {
	key := newKey(t)
	for _, tt := range []struct {
		name  string
		claim string
		value any // nil removes
		want  error
		code  problem.Code
	}{
		{"issuer is another site", "iss", siteC, ErrChannel, problem.Forbidden},
		{"issuer is this site", "iss", siteB, ErrChannel, problem.Forbidden},
		{"issuer missing", "iss", nil, ErrMalformed, problem.Forbidden},
		{"issuer in capitals", "iss", strings.ToUpper(string(siteA)), ErrMalformed, problem.Forbidden},
		{"audience is another site", "aud", siteC, ErrChannel, problem.Forbidden},
		{"audience is a list", "aud", []string{string(siteB)}, ErrMalformed, problem.Forbidden},
		{"audience missing", "aud", nil, ErrMalformed, problem.Forbidden},
		{"issue time missing", "iat", nil, ErrTime, problem.Forbidden},
		{"issue time is text", "iat", "0", ErrMalformed, problem.Forbidden},
		{"issued after the ticket", "iat", issued.Unix() + 1, ErrTime, problem.Forbidden},
		{"over before the ticket", "exp", issued.Unix(), ErrTime, problem.Forbidden},
		{"expiry missing", "exp", nil, ErrTime, problem.Forbidden},
		{"expiry before issue", "exp", issued.Unix() - 1, ErrTime, problem.Forbidden},
		{"lives for too long", "exp", issued.Unix() + 31, ErrTime, problem.Forbidden},
		{"expiry has a fraction", "exp", 1.5, ErrMalformed, problem.Forbidden},
		{"another source", "src", dst, nil, problem.Forbidden},
		{"another destination", "dst", src, nil, problem.Forbidden},
		{"source missing", "src", nil, ErrMalformed, problem.Forbidden},
		{"destination missing", "dst", nil, ErrMalformed, problem.Forbidden},
		{"source name with a line end", "src_name", "a\nb", ErrMalformed, problem.Forbidden},
		{"unknown subject type", "styp", "app", ErrMalformed, problem.Forbidden},
		{"user with a software id", "styp", "user", ErrMalformed, problem.Forbidden},
		{"service account without software id", "swid", nil, ErrMalformed, problem.Forbidden},
		{"subject missing", "sub", nil, ErrMalformed, problem.Forbidden},
		{"subject too long", "sub", strings.Repeat("x", 256), ErrMalformed, problem.Forbidden},
		{"subject not text", "sub", "a\x00", ErrMalformed, problem.Forbidden},
		{"provider not text", "idp", "\x1b", ErrMalformed, problem.Forbidden},
		{"second hop", "hop", 2, ErrMalformed, problem.Forbidden},
		{"hop missing", "hop", nil, ErrMalformed, problem.Forbidden},
		{"session not text", "sid", "\x00", ErrMalformed, problem.Forbidden},
		{"key missing", "key", nil, ErrMalformed, problem.Forbidden},
		{"key too short", "key", "AAAA", ErrMalformed, problem.Forbidden},
		{"key in another spelling", "key", strings.Repeat("A", 42) + "B", ErrMalformed, problem.Forbidden},
		{"another key", "key", random(keySize), ErrRequest, problem.Forbidden},
		{"a claim from the future", "rev", 7, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := tamper(t, key, claims(), tt.claim, tt.value)
			_, err := NewVerifier(0, 0).Verify(token, expect(&key.PublicKey))
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !problem.Has(err, tt.code) || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// tamper changes one claim and signs the result.
func tamper(t testing.TB, key *ecdsa.PrivateKey, c Claims, name string, value any) string {
	t.Helper()
	c.ID = newID()
	w := newWire(c, random(keySize))
	data, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range m { // large numbers as we write them, not as floats
		if f, ok := v.(float64); ok {
			m[k] = int64(f)
		}
	}
	m[name] = value
	if value == nil {
		delete(m, name)
	}
	text, err := jws.Sign(key, typ, m)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := encoding.DecodeString(w.Key)
	if err != nil {
		t.Fatal(err)
	}
	return text + separator + seal(secret, sha256.Sum256([]byte(text)), c)
}

// TestEveryByteIsSigned_R10 flips each character of a token.
func TestEveryByteIsSigned_R10(t *testing.T) {
	key := newKey(t)
	token := mint(t, key, claims())
	v := NewVerifier(0, 0)
	for i := range token {
		b := []byte(token)
		if b[i] == 'A' {
			b[i] = 'B'
		} else {
			b[i] = 'A'
		}
		if _, err := v.Verify(string(b), expect(&key.PublicKey)); err == nil {
			t.Fatalf("byte %d of %d does not matter", i, len(token))
		}
	}
	if _, err := v.Verify(token, expect(&newKey(t).PublicKey)); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
	if _, err := v.Verify(token, expect(&key.PublicKey)); err != nil {
		t.Fatalf("refused assertions must not use the identifier up: %v", err)
	}
}

func TestRequestMustBeTheOneNamed_R10(t *testing.T) {
	key := newKey(t)
	ownSite := claims()
	ownSite.Issuer = siteB
	digest := claims()
	digest.Body = BodyDigest([]byte("hello"))
	for _, tt := range []struct {
		name   string
		c      Claims
		change func(*Expect)
		want   error
	}{
		{"other channel", claims(), func(e *Expect) { e.Channel = siteC }, ErrChannel},
		{"this site itself", ownSite, func(e *Expect) { e.Channel = siteB }, ErrChannel},
		{"other self", claims(), func(e *Expect) { e.Self = siteC }, ErrChannel},
		{"other method", claims(), func(e *Expect) { e.Method = "DELETE" }, ErrRequest},
		{"other query", claims(), func(e *Expect) { e.RequestURI = uri + "&x" }, ErrRequest},
		{"other spelling", claims(), func(e *Expect) { e.RequestURI = strings.ReplaceAll(uri, "%20", "+") }, ErrRequest},
		{"digest agrees", digest, func(e *Expect) { e.Body = BodyDigest([]byte("hello")) }, nil},
		{"digest differs", digest, func(e *Expect) { e.Body = BodyDigest([]byte("hallo")) }, ErrRequest},
		{"body read, but streamed", claims(), func(e *Expect) { e.Body = BodyDigest(nil) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := expect(&key.PublicKey)
			tt.change(&e)
			if _, err := NewVerifier(0, 0).Verify(mint(t, key, tt.c), e); !errors.Is(err, tt.want) {
				t.Fatal(err)
			}
		})
	}
}

func TestLifeIsSixtySeconds_R5_R10(t *testing.T) {
	key := newKey(t)
	for offset, ok := range map[time.Duration]bool{
		-31 * time.Second: false, -30 * time.Second: true, 0: true, 59 * time.Second: true, 60 * time.Second: false, time.Hour: false,
	} {
		e := expect(&key.PublicKey)
		e.Now = issued.Add(offset)
		_, err := NewVerifier(0, 0).Verify(mint(t, key, claims()), e)
		if (err == nil) != ok || err != nil && !problem.Has(err, problem.Unavailable) {
			t.Errorf("%v after issue: %v", offset, err)
		}
	}
}

func TestReplay_R10(t *testing.T) {
	key := newKey(t)
	v := NewVerifier(0, 0)
	token := mint(t, key, claims())
	e := expect(&key.PublicKey)
	e.Now = issued.Add(-leeway) // the earliest moment
	if _, err := v.Verify(token, e); err != nil {
		t.Fatal(err)
	}
	for e.Now.Before(issued.Add(2 * time.Minute)) { // at no later moment again
		if _, err := v.Verify(token, e); err == nil {
			t.Fatalf("used again at %v", e.Now.Sub(issued))
		}
		e.Now = e.Now.Add(500 * time.Millisecond)
	}
	// ECDSA signatures can be altered without the key; the identifier cannot.
	if again := mint(t, key, claims()); again == token {
		t.Fatal("two assertions are equal")
	}
}

func TestConcurrentReplayPassesOnce_R10(t *testing.T) {
	key := newKey(t)
	v := NewVerifier(0, 0)
	token := mint(t, key, claims())
	var passed atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := v.Verify(token, expect(&key.PublicKey)); err == nil {
				passed.Add(1)
			}
		})
	}
	if wg.Wait(); passed.Load() != 1 {
		t.Fatalf("%d times", passed.Load())
	}
}

func TestReplayTableIsBounded_R10_R13(t *testing.T) {
	now := issued
	r := newReplays(3, 5)
	add := func(site tenants.SiteID, id int) error { return r.add(site, numbered(id), now) }
	for i := range 3 {
		if err := add(siteA, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(siteA, 3); !errors.Is(err, ErrFull) || !problem.Has(err, problem.Unavailable) {
		t.Fatalf("full for one site: %v", err)
	}
	if err := add(siteB, 0); err != nil {
		t.Fatalf("one site's flood took another's room: %v", err)
	}
	add(siteB, 1)
	if err := add(siteC, 0); !errors.Is(err, ErrFull) {
		t.Fatalf("full for all: %v", err)
	}
	if err := add(siteA, 0); !errors.Is(err, ErrReplayed) {
		t.Fatalf("forgotten while full: %v", err)
	}
	now = now.Add(remembered)
	if err := add(siteC, 0); err != nil {
		t.Fatal(err)
	}
	if len(r.seen) != 1 || len(r.queue)-r.head != 1 || !slices.Equal(r.held, []int{0, 0, 1}) {
		t.Fatalf("kept after its time: %d %d %d", len(r.seen), len(r.queue)-r.head, r.held)
	}
}

// numbered is an identifier.
func numbered(i int) string {
	return encode(binary.BigEndian.AppendUint64(make([]byte, idSize-8), uint64(i)))
}

// What a limit lets cross all day has room, and little of it: the header that an
// identifier came in is not kept with it.
func TestReplayTable_R13_HoldsIdentifiersAndNoMore(t *testing.T) {
	const perSecond, burst = 5000, 25_000 // usual for one peer, see package ratelimit
	if most := perSecond*int(remembered/time.Second) + burst; most > usualPerSite {
		t.Errorf("room for %d; %d may come", usualPerSite, most)
	}
	live := func() uint64 {
		runtime.GC()
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	r, before := newReplays(usualPerSite, usualTotal), live()
	const n = 10_000
	for i := range n {
		header := strings.Repeat("x", 1300) + numbered(i)
		if err := r.add(siteA, header[1300:], issued); err != nil {
			t.Fatal(err)
		}
	}
	if each := (live() - before) / n; each > 150 {
		t.Errorf("an identifier takes %d bytes", each)
	}
	runtime.KeepAlive(r)
}

func TestReplayTableDoesNotGrow_R13(t *testing.T) {
	r := newReplays(100, 100)
	for i := range 10_000 {
		if err := r.add(siteA, numbered(i), issued.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
		if len(r.queue) > 2*91+1 || len(r.seen) > 91 {
			t.Fatalf("%d entries, %d known", len(r.queue), len(r.seen))
		}
	}
}

func TestMintRefuses_R10(t *testing.T) {
	key := newKey(t)
	for name, change := range map[string]func(*Claims){
		"no time":                    func(c *Claims) { c.IssuedAt = time.Time{} },
		"no subject":                 func(c *Claims) { c.Subject = "" },
		"a URN for a UUID":           func(c *Claims) { c.Dst = "urn:vcloud:org:" + dst },
		"account without its kind":   func(c *Claims) { c.SubjectType = "" },
		"account without softwareid": func(c *Claims) { c.SoftwareID = "" },
	} {
		c := claims()
		change(&c)
		if _, err := Mint(key, c); err == nil {
			t.Errorf("%s: minted", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key := newKey(f)
	f.Add(mint(f, key, claims()))
	f.Add(tamper(f, key, claims(), "exp", nil))
	f.Add("a.b.c")
	f.Add("")
	other := newKey(f)
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := NewVerifier(8, 8).Verify(token, expect(&other.PublicKey)); err == nil {
			t.Fatal("accepted without a signature")
		} else if problem.As(err) == nil {
			t.Fatalf("not a problem: %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	key := newKey(b)
	token := mint(b, key, claims())
	for b.Loop() {
		if _, err := NewVerifier(0, 0).Verify(token, expect(&key.PublicKey)); err != nil {
			b.Fatal(err)
		}
	}
}
