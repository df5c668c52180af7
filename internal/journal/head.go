package journal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Head is a row's place in the chain, and its hash. Noted where nobody who can
// write to the database gets at it, it proves later that the journal up to this
// row is what it was.
type Head struct {
	Seq  int64
	Hash []byte
}

// String is SEQ:HASH, the hash in hexadecimal digits.
func (h Head) String() string { return strconv.FormatInt(h.Seq, 10) + ":" + hex.EncodeToString(h.Hash) }

// MarshalText is [Head.String].
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is [ParseHead].
func (h *Head) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHead(string(text))
	return err
}

var errHead = errors.New("a head is SEQ:HASH, as verifying prints it: the number of a row and the 64 hexadecimal digits of its hash")

// ParseHead reads what [Head.String] wrote of a row.
func ParseHead(text string) (Head, error) {
	seq, digits, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n < 1 {
		return Head{}, fmt.Errorf("%w; not %.100q", errHead, text)
	}
	hash, err := hex.DecodeString(digits)
	if err != nil || len(hash) != hashSize {
		return Head{}, fmt.Errorf("%w; not %.100q", errHead, text)
	}
	return Head{Seq: n, Hash: hash}, nil
}
