package gossip

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"

	"github.com/google/uuid"

	"causeway/federation/peer"
	"causeway/tenants"
)

// maxMeta is small on purpose: every push/pull carries the meta of every member
// both ways, and larger ones were seen to leave views incomplete for minutes.
const maxMeta = 200

const (
	version  = 1
	cellSize = 8
	sigSize  = 64
	headSize = 1 + 16 + cellSize + 8 + 4 + 8 + 8 + 1 // up to the address
	maxAddr  = maxMeta - headSize - sigSize
)

// cellID is what remains of a cell's name: enough to tell two cells of a site
// apart.
type cellID [cellSize]byte

// meta is what a member says about itself:
//
//	version 1 | site 16 | cell 8 | boot 8 | seq 4 | bundle 8 | head 8 | length 1 | address | signature 64
//
// The signature is P-256 over SHA-256, r and s, by the site's root key. boot and
// seq only grow, so that an old address, signed and all, cannot come back.
type meta struct {
	site tenants.SiteID
	cell cellID
	boot uint64 // milliseconds since 1970 at start
	seq  uint32 // of this meta since boot
	// bundleSeq and head are hints, see [Hint]. What versions of the protocol a
	// site speaks is not here: the first call tells, and is needed anyway.
	bundleSeq uint64
	head      int64
	addr      string // where peers connect, host:port
}

func newCellID(cell string) cellID {
	sum := sha256.Sum256([]byte(cell))
	return cellID(sum[:cellSize])
}

// name is the member's name, which follows from the signed content: a name
// cannot be taken without the key. A restart takes a new one, because memberlist
// refuses a known name at another address until the old one has long been dead.
func (m meta) name() string {
	var boot [8]byte
	binary.BigEndian.PutUint64(boot[:], m.boot)
	return string(m.site) + "." + hex.EncodeToString(m.cell[:]) + "." + hex.EncodeToString(boot[:])
}

// newer reports whether m replaces old, of the same cell.
func (m meta) newer(old meta) bool {
	return m.boot > old.boot || m.boot == old.boot && m.seq > old.seq
}

// encode writes and signs m for a federation.
func (m meta) encode(label string, root *ecdsa.PrivateKey) ([]byte, error) {
	id, err := uuid.Parse(string(m.site))
	if err != nil {
		return nil, err
	}
	if len(m.addr) > maxAddr {
		return nil, errors.New("gossip: the peer address is too long")
	}
	if err := peer.CheckAddr(m.addr); err != nil {
		return nil, err
	}
	b := append([]byte{version}, id[:]...)
	b = append(b, m.cell[:]...)
	b = binary.BigEndian.AppendUint64(b, m.boot)
	b = binary.BigEndian.AppendUint32(b, m.seq)
	b = binary.BigEndian.AppendUint64(b, m.bundleSeq)
	b = binary.BigEndian.AppendUint64(b, uint64(m.head))
	b = append(b, byte(len(m.addr)))
	b = append(b, m.addr...)
	r, s, err := ecdsa.Sign(rand.Reader, root, digest(label, b))
	if err != nil {
		return nil, err
	}
	sig := make([]byte, sigSize)
	r.FillBytes(sig[:sigSize/2])
	s.FillBytes(sig[sigSize/2:])
	return append(b, sig...), nil
}

// decode reads what encode wrote and nothing else. The signature is not checked.
func decode(raw []byte) (meta, error) {
	if len(raw) < headSize+sigSize || len(raw) > maxMeta {
		return meta{}, errors.New("gossip: meta of an impossible size")
	}
	if raw[0] != version {
		return meta{}, errors.New("gossip: meta of another version")
	}
	id, rest := uuid.UUID(raw[1:17]), raw[17:]
	m := meta{site: tenants.SiteID(id.String()), cell: cellID(rest[:cellSize])}
	rest = rest[cellSize:]
	m.boot, rest = binary.BigEndian.Uint64(rest), rest[8:]
	m.seq, rest = binary.BigEndian.Uint32(rest), rest[4:]
	m.bundleSeq, rest = binary.BigEndian.Uint64(rest), rest[8:]
	m.head, rest = int64(binary.BigEndian.Uint64(rest)), rest[8:]
	n, rest := int(rest[0]), rest[1:]
	if len(rest) != n+sigSize {
		return meta{}, errors.New("gossip: meta of the wrong length")
	}
	m.addr = string(rest[:n])
	return m, peer.CheckAddr(m.addr)
}

// verify checks the signature at the end of an encoded meta.
func verify(label string, raw []byte, key *ecdsa.PublicKey) bool {
	if key == nil || len(raw) < sigSize {
		return false
	}
	payload, sig := raw[:len(raw)-sigSize], raw[len(raw)-sigSize:]
	r, s := new(big.Int).SetBytes(sig[:sigSize/2]), new(big.Int).SetBytes(sig[sigSize/2:])
	return ecdsa.Verify(key, digest(label, payload), r, s)
}

// digest binds a signature to its purpose and its federation: the same root key
// also signs certificates and bundles.
func digest(label string, payload []byte) []byte {
	h := sha256.New()
	h.Write([]byte("causeway gossip meta\x00" + label + "\x00"))
	h.Write(payload)
	return h.Sum(nil)
}
