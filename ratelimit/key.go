package ratelimit

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
)

// Key says who or where a call comes from. Make one with Source, Client,
// Request, Account or Org.
type Key struct {
	part  parts
	addr  netip.Addr
	id    string
	known bool
}

// parts is a set of what keys can speak of.
type parts uint8

const (
	partSource parts = 1 << iota
	partClient
	partAccount
	partOrg
	partRequest
	partPeer
)

// Source is the true source of a call: the peer's address, or what a trusted
// proxy says. It is counted per source and per network, see [SourceOf] and
// [NetworkOf]. All calls with an invalid address share one source.
func Source(a netip.Addr) Key { return Key{part: partSource, addr: a} }

// Known says that by the caller's own records the account has come from this
// source before. Then only buckets that belong to the source count: however
// many strangers fail elsewhere, the owner gets in from a usual place. Only
// [Login] understands it; [Limiter.TakeLogin] keeps the records.
func (k Key) Known() Key {
	k.known = true
	return k
}

// Client is a client_id, as presented. It need not exist.
func Client[T ~string](id T) Key { return Key{part: partClient, id: string(id)} }

// Request is a device request that was found: only who asked for it has its code.
func Request[T ~string](id T) Key { return Key{part: partRequest, id: string(id)} }

// Account is a user or service account: one who is authenticated, or at [Login]
// the name that is claimed, with its organization and in one canonical
// spelling, or every spelling gets a bucket of its own.
func Account[T ~string](id T) Key { return Key{part: partAccount, id: string(id)} }

// Org is an organization, in one canonical spelling.
func Org[T ~string](id T) Key { return Key{part: partOrg, id: string(id)} }

// Peer is an associated site, by its id: one that the channel has proved.
func Peer[T ~string](id T) Key { return Key{part: partPeer, id: string(id)} }

// translated is the well-known prefix under which IPv4 clients appear behind an
// IPv4/IPv6 translator (RFC 6052 §2.1). Taken as IPv6, the whole IPv4 internet
// would be one /64.
var translated = netip.MustParsePrefix("64:ff9b::/96")

// SourceOf returns the addresses that count as the same source as a: an IPv4
// address (also one mapped into or translated to IPv6), or an IPv6 /64, which
// is the least that one host gets and may choose from freely.
func SourceOf(a netip.Addr) netip.Prefix { return prefix(a, 32, 64) }

// NetworkOf returns the wider aggregate of a: IPv4 /24, IPv6 /48. These are the
// longest prefixes that the internet routes between operators, so whoever holds
// one moves about in it without anybody's leave, and nobody gets a smaller
// block of their own from a registry.
func NetworkOf(a netip.Addr) netip.Prefix { return prefix(a, 24, 48) }

func prefix(a netip.Addr, v4, v6 int) netip.Prefix {
	a = a.Unmap()
	if translated.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	bits := v6
	if a.Is4() {
		bits = v4
	}
	p, _ := a.Prefix(bits) // of an invalid address: the zero Prefix
	return p
}

// marks are a call's keys as the tables see them. Only hashes are kept, under a
// seed that changes with every start: names that strangers choose take no more
// room than others, and nobody can aim at a victim's slot.
type marks struct {
	has                                   parts
	known, twice                          bool
	source, network, client, account, org uint64
	request, peer                         uint64
}

func mark(seed maphash.Seed, keys []Key) (m marks) {
	for i := range keys {
		k := &keys[i]
		m.twice = m.twice || m.has&k.part != 0
		m.has |= k.part
		switch k.part {
		case partSource:
			m.source, m.network, m.known = hashPrefix(seed, SourceOf(k.addr)), hashPrefix(seed, NetworkOf(k.addr)), k.known
		case partClient:
			m.client = maphash.String(seed, k.id)
		case partAccount:
			m.account = maphash.String(seed, k.id)
		case partRequest:
			m.request = maphash.String(seed, k.id)
		case partOrg:
			m.org = maphash.String(seed, k.id)
		case partPeer:
			m.peer = maphash.String(seed, k.id)
		}
	}
	return m
}

// of returns the hash for a bucket of this kind; ok is false when the keys do
// not name one, or when a known source need not answer for it.
func (m *marks) of(seed maphash.Seed, kind Kind) (hash uint64, ok bool) {
	if m.known && kind != PerSource && kind != PerAccountAtSource {
		return 0, false
	}
	switch kind {
	case PerSource:
		return m.source, m.has&partSource != 0
	case PerNetwork:
		return m.network, m.has&partSource != 0
	case PerClientAtSource:
		return pair(seed, m.client, m.source), m.has&partClient != 0 && m.has&partSource != 0
	case PerClient:
		return m.client, m.has&partClient != 0
	case PerAccountAtSource:
		return pair(seed, m.account, m.source), m.has&partAccount != 0 && m.has&partSource != 0
	case PerAccount:
		return m.account, m.has&partAccount != 0
	case PerRequest:
		return m.request, m.has&partRequest != 0
	case PerOrg:
		return m.org, m.has&partOrg != 0
	case PerOrgAtPeer:
		return pair(seed, m.org, m.peer), m.has&partOrg != 0 && m.has&partPeer != 0
	case PerPeer:
		return m.peer, m.has&partPeer != 0
	}
	return 0, false
}

func hashPrefix(seed maphash.Seed, p netip.Prefix) uint64 {
	b := p.Addr().As16()
	return maphash.Bytes(seed, b[:])
}

func pair(seed maphash.Seed, a, b uint64) uint64 {
	var buf [16]byte
	binary.NativeEndian.PutUint64(buf[:8], a)
	binary.NativeEndian.PutUint64(buf[8:], b)
	return maphash.Bytes(seed, buf[:])
}
