package secret

import "encoding/binary"

// SuccessorLength is the length of a refresh token on VCD's wire.
const SuccessorLength = 32

// Successor is the refresh token that follows presented: 32 base62 characters,
// 190 bits. It is computed and not drawn, so that a retry of a lost answer gets
// the same token although only its digest was stored. Database and key together
// still do not give a token, because the presented one goes into it; nothing else
// does, so that it is known before the database is asked anything. A token names
// its family and generation anyway: no two are alike.
func (k *Keys) Successor(presented string) string {
	message := frame(presented)
	blocks := uint32(0)
	return spell(base62, SuccessorLength, func(b []byte) {
		blocks++
		copy(b, mac(k.successor, binary.BigEndian.AppendUint32(message, blocks)))
	})
}
